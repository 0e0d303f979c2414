"""Convert a cohort's file for viewers to a SpatialData store."""

from pathlib import Path

from sagefm.common.h5ad import read_h5ad
from sagefm.common.job import job
from sagefm.exports.store import spatialdata_of, write_store

with job(snakemake):
    technologies = {row["sample"]: row["technology"] for row in snakemake.params.rows}
    store = spatialdata_of(read_h5ad(snakemake.input.explore), technologies)
    write_store(store, Path(snakemake.output.root).parent)
