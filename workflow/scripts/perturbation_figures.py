"""Draw the perturbation of a pair table: doses, controls, directions, maps."""

from sagefm.figures.perturbation_directions import draw_directions
from sagefm.figures.perturbation_distributions import draw_distributions
from sagefm.figures.perturbation_doses import draw_doses
from sagefm.figures.perturbation_maps import draw_response_maps
from sagefm.figures.style import save
from sagefm.io import read_table
from sagefm.script import job

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    pairs, summary = read_table(inputs.pairs), read_table(inputs.summary)
    named = [tuple(pair) for pair in snakemake.params.named]
    figures = {
        "doses": draw_doses(read_table(inputs.levels), pairs, summary, named),
        "distributions": draw_distributions(pairs, summary),
        "directions": draw_directions(pairs, read_table(inputs.discrimination), summary),
        "maps": draw_response_maps(read_table(inputs.maps, dtype={"sample": str})),
    }
    for name, figure in figures.items():
        save(figure, out[f"{name}_pdf"], out[f"{name}_png"])
