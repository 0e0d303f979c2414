"""Judge the paper's claim on clusters for each model."""

from sagefm.claims.subjects import subjects
from sagefm.clustering.claims import clustering_claim
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    summary, comparisons = read_table(given.summary), read_table(given.comparisons)
    catalogue = Catalogue(params.catalogue)
    claims = [
        clustering_claim(subject, params.all_models, summary, comparisons, catalogue)
        for subject in subjects(params, params.cohort, given.trainings, given.splits)
    ]
    write_table(claims_table(claims), snakemake.output.claims)
