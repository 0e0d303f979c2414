"""Figure 2 of the paper on one page: recovery of masked genes."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from sagefm.plotting.colours import MODEL_COLOURS
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, below, lettered, styled
from sagefm.recovery.figures import fill_recovered
from sagefm.recovery.gene_figures import fill_correlation_by_detection, fill_maps


@styled
def draw_recovery_page(
    summary: pd.DataFrame,
    genes: pd.DataFrame,
    maps: pd.DataFrame,
    reported: float,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
    colour: str = MODEL_COLOURS[0],
) -> Figure:
    """Draw figure 2: share of genes recovered, correlation by detection rate, maps of genes.

    Parameters
    ----------
    summary, genes, maps, reported, tissues
        As for `draw_recovered`, `draw_correlation_by_detection` and `draw_maps`, for one model.
    colour
        Colour of the model.
    """
    figure = Figure(figsize=(DOUBLE, 9.7))
    first, second, third = below(figure, [2.6, 2.85, 4.25])
    fill_recovered(first, summary, reported, dict.fromkeys(summary["model"], colour))
    fill_correlation_by_detection(second, genes, colour)
    fill_maps(third, maps, tissues)
    return lettered(figure, first, second, third)
