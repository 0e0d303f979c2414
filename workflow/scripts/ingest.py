"""Read one section as it comes and write it harmonised to the panel."""

from sagefm.ingest import ingest
from sagefm.io import read_table, write_h5ad
from sagefm.panel import read_panel
from sagefm.script import job

with job(snakemake):
    labels = snakemake.input.get("labels")
    sample = ingest(
        snakemake.input.source,
        snakemake.params.row,
        read_panel(snakemake.input.panel),
        snakemake.params.qc,
        {
            "duplicates": snakemake.params.duplicates,
            "min_overlap": snakemake.params.min_overlap,
            "aliases": snakemake.input.get("aliases") or None,
        },
        labels=read_table(labels, dtype=str) if labels else None,
    )
    write_h5ad(sample, snakemake.output.sample)
