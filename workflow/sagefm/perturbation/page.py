"""Figure 5 of the paper on one page: genes perturbed in the neighbours of spots."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from sagefm.perturbation.direction_figures import fill_directions
from sagefm.perturbation.figures import fill_distributions, fill_doses
from sagefm.perturbation.map_figures import fill_response_maps
from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, below, lettered, styled


@styled
def draw_perturbation_page(
    levels: pd.DataFrame,
    pairs: pd.DataFrame,
    summary: pd.DataFrame,
    discrimination: pd.DataFrame,
    maps: pd.DataFrame,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
    colour: str = MODEL_COLOURS[0],
) -> Figure:
    """Draw figure 5: doses of the four strongest pairs, all pairs, both directions, and a map.

    Parameters
    ----------
    levels, pairs, summary, discrimination, maps, tissues
        As for `draw_doses`, `draw_distributions`, `draw_directions` and `draw_response_maps`.
    colour
        Colour of the model.
    """
    figure = Figure(figsize=(DOUBLE, 9.7))
    parts = below(figure, [2.25, 2.4, 2.9, 2.15])
    fill_doses(parts[0], levels, pairs, summary, strongest=4, colour=colour)
    fill_distributions(parts[1], pairs, summary, colour=colour)
    fill_directions(parts[2], pairs, discrimination, colour=colour)
    first = maps[["input", "output"]].iloc[0]
    shown = maps[(maps[["input", "output"]] == first).all(axis=1)]
    fill_response_maps(parts[3], shown, tissues)
    return lettered(figure, *parts)
