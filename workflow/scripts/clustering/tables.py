"""Summarise the clusterings of a cohort over sections and seeds, and compare representations."""

import pandas as pd

from sagefm.clustering.tables import clustering_comparisons, clustering_summary, skipped_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    inputs, outputs = snakemake.input, snakemake.output
    scores = pd.concat([read_table(path) for path in inputs.scores], ignore_index=True)
    write_table(clustering_summary(scores, read_table(inputs.costs)), outputs.summary)
    references = Catalogue(snakemake.params.catalogue).references()
    write_table(clustering_comparisons(scores, references), outputs.comparisons)
    write_table(skipped_table([read_table(path) for path in inputs.skipped]), outputs.skipped)
