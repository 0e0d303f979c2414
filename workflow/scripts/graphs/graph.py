"""Write the neighbourhoods of one section."""

from sagefm.common.job import job
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.sections.section import spot_positions

with job(snakemake) as log:
    coordinates, array = spot_positions(snakemake.input.sample)
    technology = snakemake.params.technology
    graph = build_graph(coordinates, **snakemake.params.spec, array=array, technology=technology)
    log.info("%d spots, %.1f in a neighbourhood", graph.n_spots, len(graph.ego) / graph.n_spots)
    save_graph(graph, snakemake.output.graph)
