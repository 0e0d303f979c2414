"""Draw figure 4: annotation and subtypes."""

from sagefm.figures.pages import draw_annotation_page
from sagefm.figures.palette import palette_of
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.score_rows import TEXT, reported_accuracy
from sagefm.script import job

TABLES = {"scores": None, "skipped": None, "shown": None, "confusion": TEXT, "maps": TEXT}

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    reported = read_table(inputs.reported)
    tasks = [
        {name: read_table(inputs[name][i], dtype=types) for name, types in TABLES.items()}
        | {"title": title, "reported": reported_accuracy(reported, claim)}
        for i, (title, claim) in enumerate(zip(params.titles, params.claims, strict=True))
    ]
    save(draw_annotation_page(tasks, palette_of(read_table(inputs.palette))), out.pdf, out.png)
