"""Draw figure 4: annotation and subtypes."""

from sagefm.annotation.page import draw_annotation_page
from sagefm.annotation.terms import TEXT
from sagefm.claims.reported import reported_values
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.palette import palette_of
from sagefm.plotting.style import save
from sagefm.representations.catalogue import Catalogue

TABLES = {
    "scores": None,
    "patients": TEXT,
    "skipped": None,
    "shown": None,
    "confusion": TEXT,
    "maps": TEXT,
}

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    reported = reported_values(read_table(inputs.reported), "accuracy")
    tasks = [
        {name: read_table(inputs[name][i], dtype=types) for name, types in TABLES.items()}
        | {"title": title, "reported": reported.get(claim)}
        for i, (title, claim) in enumerate(zip(params.titles, params.claims, strict=True))
    ]
    palette, catalogue = palette_of(read_table(inputs.palette)), Catalogue(params.catalogue)
    tissues = read_tissues(inputs.tissues)
    save(draw_annotation_page(tasks, palette, catalogue, tissues), out.pdf, out.png)
