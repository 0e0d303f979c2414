"""Draw the perturbation of a pair table: doses, controls, directions, maps."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.perturbation.direction_figures import draw_directions
from sagefm.perturbation.figures import draw_distributions, draw_doses
from sagefm.perturbation.map_figures import draw_response_maps
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save

with job(snakemake):
    inputs, out, params = snakemake.input, snakemake.output, snakemake.params
    pairs, summary = read_table(inputs.pairs), read_table(inputs.summary).assign(model=params.title)
    maps = read_table(inputs.maps, dtype={"sample": str}).assign(model=params.title)
    discrimination, colour = read_table(inputs.discrimination), params.colour
    tissues = read_tissues(inputs.tissues)
    named = [tuple(pair) for pair in params.named]
    figures = {
        "doses": draw_doses(read_table(inputs.levels), pairs, summary, named, colour),
        "distributions": draw_distributions(pairs, summary, colour),
        "directions": draw_directions(pairs, discrimination, summary, colour),
        "maps": draw_response_maps(maps, tissues),
    }
    for name, figure in figures.items():
        save(figure, out[f"{name}_pdf"], out[f"{name}_png"])
