"""Write the neighbourhoods of one section."""

from sagefm.graphs import build_graph, save_graph
from sagefm.io import spot_positions
from sagefm.script import job

with job(snakemake) as log:
    coordinates, array = spot_positions(snakemake.input.sample)
    technology = snakemake.params.technology
    graph = build_graph(coordinates, **snakemake.params.spec, array=array, technology=technology)
    log.info("%d spots, %.1f in a neighbourhood", graph.n_spots, len(graph.ego) / graph.n_spots)
    save_graph(graph, snakemake.output.graph)
