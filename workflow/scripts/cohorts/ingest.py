"""Read one section and write it harmonised to the panel, unless a run has already done so."""

from pathlib import Path

from sagefm.cohorts.ingest import ingest, say_ingested, section_files
from sagefm.cohorts.shared import content_key, link_shared
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.job import job
from sagefm.sections.genes import read_panel

with job(snakemake) as log:
    inputs, params = snakemake.input, snakemake.params
    row = {**params.row, "positions": inputs.get("positions") or ""}
    harmonise = {"duplicates": params.duplicates, "min_overlap": params.min_overlap}
    aliases = inputs.get("aliases") or None
    files = [*section_files(inputs.source, row), inputs.panel, *filter(None, [aliases])]
    settings = {"qc": params.qc, "harmonise": harmonise, "aliases": bool(aliases)}
    settings["image_pixels"] = params.image_pixels
    key = content_key(params.row, files, settings, params.code)
    shared = Path(params.shared) / f"{key}.h5ad"
    if shared.exists():
        log.info("taking %s, which the same files and settings gave", shared)
        sample = read_h5ad(shared)
    else:
        sample = ingest(
            inputs.source,
            row,
            read_panel(inputs.panel),
            params.qc,
            {**harmonise, "aliases": aliases},
            image_pixels=params.image_pixels,
        )
        write_h5ad(sample, shared)
    for sentence in say_ingested(sample):
        log.info("%s", sentence)
    link_shared(shared, snakemake.output.sample)
