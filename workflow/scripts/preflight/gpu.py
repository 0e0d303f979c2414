"""Check on the GPU node that torch sees the GPU, and stop if it does not."""

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.preflight.checks import checks_table
from sagefm.preflight.gpu import gpu_checks
from sagefm.preflight.runner import conclude

with job(snakemake):
    write_table(conclude(checks_table(gpu_checks(snakemake.params.wanted))), snakemake.output.table)
