"""Draw figure 2: recovery."""

from sagefm.claims.reported import reported_values
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save
from sagefm.recovery.page import draw_recovery_page

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    names = ("summary", "genes", "maps")
    tables = [
        name_models(read_table(inputs[name], dtype={"sample": str}), snakemake.params.titles)
        for name in names
    ]
    reported = reported_values(read_table(inputs.reported), "share of genes")["recovery"]
    tissues = read_tissues(inputs.tissues)
    save(draw_recovery_page(*tables, reported, tissues), out.pdf, out.png)
