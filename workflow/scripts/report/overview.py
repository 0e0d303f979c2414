"""Write down what figure 1 shows: sections, a neighbourhood, the layers of the network."""

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.networks.fitted import FittedModel
from sagefm.report.overview import layers_table, neighbourhood_table, sections_table, with_image
from sagefm.sections.graph_files import graph_files

with job(snakemake):
    inputs, params, out = snakemake.input, snakemake.params, snakemake.output
    qc = [read_table(path, dtype={"sample": str}) for path in inputs.qc]
    split = read_table(inputs.split, dtype=str)
    write_table(sections_table(pd.DataFrame(params.rows), qc, split), out.sections)
    shown = with_image(inputs.samples)
    graph = graph_files(inputs.samples, inputs.graphs)[shown]
    write_table(neighbourhood_table(inputs.samples[shown], graph), out.neighbourhood)
    network = FittedModel.load(inputs.checkpoint).network
    shapes = [(name, tuple(weights.shape)) for name, weights in network.named_parameters()]
    write_table(layers_table(shapes), out.layers)
