"""Write each gene's mean expression over a model's training samples: the plainest baseline."""

import pandas as pd

from sagefm.common.h5ad import read_h5ad
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.sections.expression import gene_means
from sagefm.training.split import paths_of_part

with job(snakemake):
    split = read_table(snakemake.input.split, dtype=str)
    paths = paths_of_part(split, snakemake.input.samples, "train")
    means = gene_means((read_h5ad(path).X for path in paths), snakemake.params.normalisation)
    genes = read_h5ad(paths[0]).var_names
    write_table(pd.DataFrame({"gene": genes, "mean": means}), snakemake.output.means)
