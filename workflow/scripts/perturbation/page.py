"""Draw figure 5: perturbation."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.perturbation.page import draw_perturbation_page
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    names = ("levels", "pairs", "summary", "discrimination", "maps")
    tables = {name: read_table(inputs[name], dtype={"sample": str}) for name in names}
    tables |= {
        name: name_models(tables[name], snakemake.params.titles) for name in ("summary", "maps")
    }
    tissues = read_tissues(inputs.tissues)
    save(draw_perturbation_page(**tables, tissues=tissues), out.pdf, out.png)
