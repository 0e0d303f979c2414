"""Draw figure 5: perturbation."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.perturbation.page import draw_perturbation_page
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    names = ("levels", "pairs", "summary", "discrimination", "maps")
    tables = [read_table(inputs[name], dtype={"sample": str}) for name in names]
    tissues = read_tissues(inputs.tissues)
    save(draw_perturbation_page(*tables, tissues), out.pdf, out.png)
