"""Choose the colours of a cohort's labels and patients."""

from pathlib import Path

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.plotting.palette import palette_table
from sagefm.sections.cohort import cohort_obs

with job(snakemake):
    obs = cohort_obs(tuple(map(Path, snakemake.input.samples)))
    write_table(palette_table(obs), snakemake.output.palette)
