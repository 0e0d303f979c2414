"""Score a task for all representations."""

from sagefm.annotation.predict import AnnotationPlan
from sagefm.annotation.summary import summarise_task
from sagefm.annotation.terms import TEXT
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    params = snakemake.params
    tables = summarise_task(
        read_table(snakemake.input.labels, dtype=TEXT),
        dict(
            zip(
                params.representations,
                (
                    (read_table(predictions, dtype=TEXT), read_table(fits, dtype=TEXT))
                    for predictions, fits in zip(
                        snakemake.input.predictions, snakemake.input.fits, strict=True
                    )
                ),
                strict=True,
            )
        ),
        AnnotationPlan(**params.plan),
        min_class_spots=params.min_class_spots,
        splits=dict(
            zip(
                params.models,
                (read_table(p, dtype=str) for p in snakemake.input.splits),
                strict=True,
            )
        ),
        rows=params.rows,
        costs=read_table(snakemake.input.costs),
        headline=params.headline,
        catalogue=Catalogue(params.catalogue),
    )
    for name, table in tables.items():
        write_table(table, snakemake.output[name])
