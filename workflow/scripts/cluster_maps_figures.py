"""Draw the clusters of a cohort: UMAP, and maps beside the labels."""

from sagefm.figures.cluster_maps import draw_cluster_maps, draw_umap
from sagefm.figures.palette import palette_of
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    palette = palette_of(read_table(inputs.palette))
    save(draw_umap(read_table(inputs.umap), palette), out.umap_pdf, out.umap_png)
    tables = map(read_table, inputs.clusters)
    clusters = dict(zip(params.representations, tables, strict=True))
    save(draw_cluster_maps(clusters, palette, params.drop), out.maps_pdf, out.maps_png)
