"""Draw the figures of a task: scores, classes, confusion, maps."""

from sagefm.annotation.figures import draw_annotation, draw_classes
from sagefm.annotation.map_figures import draw_annotation_maps, draw_confusion
from sagefm.annotation.terms import TEXT
from sagefm.claims.reported import reported_values
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.palette import palette_of
from sagefm.plotting.style import save
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    given, params, title = snakemake.input, snakemake.params, snakemake.params.title
    reported = reported_values(read_table(given.reported), "accuracy").get(params.claim)
    shown, catalogue = read_table(given.shown), Catalogue(params.catalogue)
    figures = {
        "scores": draw_annotation(
            read_table(given.scores),
            read_table(given.patients, dtype=TEXT),
            read_table(given.skipped),
            title,
            reported,
            catalogue,
        ),
        "classes": draw_classes(read_table(given.per_class, dtype=TEXT), shown, title, catalogue),
        "confusion": draw_confusion(
            read_table(given.confusion, dtype=TEXT), shown, title, catalogue
        ),
        "maps": draw_annotation_maps(
            read_table(given.maps, dtype=TEXT),
            shown,
            title,
            palette_of(read_table(given.palette)),
            catalogue,
            read_tissues(given.tissues),
        ),
    }
    for pdf, (name, figure) in zip(snakemake.output.pdf, figures.items(), strict=True):
        save(figure, pdf, snakemake.output[name])
