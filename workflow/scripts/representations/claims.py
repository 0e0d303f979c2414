"""Judge whether the embeddings of each model are spatially coherent."""

import pandas as pd

from sagefm.claims.subjects import subjects
from sagefm.common.claim import claims_table
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue
from sagefm.representations.claims import coherence_claim
from sagefm.stats.patients import name_patients

with job(snakemake):
    given, params = snakemake.input, snakemake.params
    rows = pd.DataFrame(params.rows)
    patients = dict(zip(rows["sample"], name_patients(rows), strict=True))
    table, catalogue = read_table(given.table), Catalogue(params.catalogue)
    claims = [
        coherence_claim(subject, table, patients, catalogue)
        for subject in subjects(params, params.cohort, given.trainings, given.splits)
    ]
    write_table(claims_table(claims), snakemake.output.claims)
