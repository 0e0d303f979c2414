"""Draw figure 2: recovery."""

from sagefm.figures.pages import draw_recovery_page
from sagefm.figures.recovered import reported_share
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    tables = [read_table(inputs[name]) for name in ("summary", "genes", "maps")]
    reported = reported_share(read_table(inputs.reported))
    save(draw_recovery_page(*tables, reported), out.pdf, out.png)
