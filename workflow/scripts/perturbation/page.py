"""Draw figure 5: perturbation."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.perturbation.page import draw_perturbation_page
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    names = ("levels", "pairs", "summary", "discrimination", "maps")
    tables = {name: read_table(inputs[name], dtype={"sample": str}) for name in names}
    named = {
        name: tables[name].assign(model=snakemake.params.title) for name in ("summary", "maps")
    }
    tissues = read_tissues(inputs.tissues)
    page = draw_perturbation_page(
        **(tables | named), tissues=tissues, colour=snakemake.params.colour
    )
    save(page, out.pdf, out.png)
