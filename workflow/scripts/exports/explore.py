"""Collect a cohort's results in one file for viewers."""

from sagefm.annotation.terms import TEXT
from sagefm.clustering.umap import umap_table
from sagefm.common.h5ad import write_h5ad
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.exports.explore import explore_cohort
from sagefm.plotting.palette import palette_of
from sagefm.representations.files import read_representation
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.section import spot_names

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    predictions: dict[str, dict] = {task: {} for task in params.classifiers}
    for (task, name), path in zip(params.predictions, inputs.predictions, strict=True):
        predictions[task][name] = read_table(path, dtype=TEXT)
    spots = sum(len(spot_names(path)) for path in inputs.samples)
    layouts = None
    if params.umap:  # over all spots; the figure shows a sample of them
        layouts = umap_table(
            map(read_representation, inputs.representations), spots=spots, **params.umap
        )
    adata = explore_cohort(
        cohort_of_files(inputs.samples),
        params.rows,
        inputs.labels,
        map(read_representation, inputs.representations),
        {
            name: read_table(path, dtype=TEXT)
            for name, path in zip(params.clustered, inputs.clusters, strict=True)
        },
        predictions,
        params.classifiers,
        layouts,
        palette_of(read_table(inputs.palette)),
        params.headline,
    )
    write_h5ad(adata, snakemake.output.explore)
