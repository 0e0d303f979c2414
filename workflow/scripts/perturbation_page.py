"""Draw figure 5: perturbation."""

from sagefm.figures.pages import draw_perturbation_page
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    names = ("levels", "pairs", "summary", "discrimination", "maps")
    tables = [read_table(inputs[name], dtype={"sample": str}) for name in names]
    save(draw_perturbation_page(*tables), out.pdf, out.png)
