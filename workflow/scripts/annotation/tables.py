"""Score a task for all representations."""

from sagefm.annotation.predict import AnnotationPlan
from sagefm.annotation.summary import summarise_task
from sagefm.annotation.terms import TEXT
from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.common.on_demand import OnDemand
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    pairs = zip(inputs.predictions, inputs.fits, strict=True)
    tables = summarise_task(
        read_table(inputs.labels, dtype=TEXT),
        OnDemand(
            dict(zip(params.representations, pairs, strict=True)),
            lambda pair: tuple(read_table(path, dtype=TEXT) for path in pair),
        ),
        AnnotationPlan(**params.plan),
        min_class_spots=params.min_class_spots,
        splits=dict(
            zip(
                params.models,
                (read_table(p, dtype=str) for p in inputs.splits),
                strict=True,
            )
        ),
        rows=params.rows,
        costs=read_table(inputs.costs),
        headline=params.headline,
        catalogue=Catalogue(params.catalogue),
    )
    for name, table in tables.items():
        write_table(table, snakemake.output[name])
