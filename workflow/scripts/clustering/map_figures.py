"""Draw the clusters of a cohort: UMAP, and maps next to the labels."""

from sagefm.clustering.map_figures import draw_cluster_maps, draw_umap
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.palette import palette_of
from sagefm.plotting.style import save
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    palette = palette_of(read_table(inputs.palette))
    catalogue = Catalogue(params.catalogue)
    umap = draw_umap(read_table(inputs.umap), palette, catalogue)
    save(umap, out.umap_pdf, out.umap_png)
    tables = map(read_table, inputs.clusters)
    clusters = dict(zip(params.representations, tables, strict=True))
    tissues = read_tissues(inputs.tissues)
    maps = draw_cluster_maps(clusters, palette, params.drop, catalogue=catalogue, tissues=tissues)
    save(maps, out.maps_pdf, out.maps_png)
