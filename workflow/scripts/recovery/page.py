"""Draw figure 2: recovery."""

from sagefm.claims.reported import reported_values
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save
from sagefm.recovery.page import draw_recovery_page

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    names = ("summary", "genes", "maps")
    tables = [
        read_table(inputs[name], dtype={"sample": str}).assign(model=snakemake.params.title)
        for name in names
    ]
    reported = reported_values(read_table(inputs.reported), "share of genes")["recovery"]
    tissues = read_tissues(inputs.tissues)
    page = draw_recovery_page(*tables, reported, tissues, snakemake.params.colour)
    save(page, out.pdf, out.png)
