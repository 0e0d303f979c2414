"""Draw figure 3: clustering and heterogeneity."""

from sagefm.clustering.page import draw_clustering_page
from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.palette import palette_of
from sagefm.plotting.style import save
from sagefm.representations.catalogue import Catalogue

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    tables = map(read_table, inputs.clusters)
    page = draw_clustering_page(
        read_table(inputs.umap),
        dict(zip(params.representations, tables, strict=True)),
        read_table(inputs.summary),
        palette_of(read_table(inputs.palette)),
        params.drop,
        Catalogue(params.catalogue),
        read_tissues(inputs.tissues),
    )
    save(page, out.pdf, out.png)
