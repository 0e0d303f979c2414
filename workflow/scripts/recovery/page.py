"""Draw figure 2: recovery."""

from sagefm.claims.reported import reported_values
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.style import save
from sagefm.recovery.page import draw_recovery_page

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    tables = [read_table(inputs[name]) for name in ("summary", "genes", "maps")]
    reported = reported_values(read_table(inputs.reported), "share of genes")["recovery"]
    save(draw_recovery_page(*tables, reported), out.pdf, out.png)
