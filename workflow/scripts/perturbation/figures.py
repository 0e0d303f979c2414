"""Draw the perturbation of a pair table: doses, controls, directions, maps."""

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.model_names import name_models
from sagefm.perturbation.direction_figures import draw_directions
from sagefm.perturbation.figures import draw_distributions, draw_doses
from sagefm.perturbation.map_figures import draw_response_maps
from sagefm.plotting.histology import read_tissues
from sagefm.plotting.style import save

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    titles = snakemake.params.titles
    pairs, summary = read_table(inputs.pairs), name_models(read_table(inputs.summary), titles)
    maps = name_models(read_table(inputs.maps, dtype={"sample": str}), titles)
    tissues = read_tissues(inputs.tissues)
    named = [tuple(pair) for pair in snakemake.params.named]
    figures = {
        "doses": draw_doses(read_table(inputs.levels), pairs, summary, named),
        "distributions": draw_distributions(pairs, summary),
        "directions": draw_directions(pairs, read_table(inputs.discrimination), summary),
        "maps": draw_response_maps(maps, tissues),
    }
    for name, figure in figures.items():
        save(figure, out[f"{name}_pdf"], out[f"{name}_png"])
