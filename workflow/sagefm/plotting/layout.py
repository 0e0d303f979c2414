"""matplotlib's constrained layout with places that are equal from run to run."""

import numpy as np
from matplotlib.figure import Figure, FigureBase
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

DIGITS = 7
"""Of a place, in fractions of the figure: far below a dot, far above the solver's last digits."""


class SteadyLayout(ConstrainedLayoutEngine):
    """Constrained layout with rounded places.

    The solver's order, and with it the last digits, depends on addresses in memory; a PDF shows
    them, so that equal figures had unequal bytes.
    """

    def execute(self, fig: Figure) -> None:
        """Lay a figure out, and round the places of its parts and axes."""
        super().execute(fig)
        _round_parts(fig)
        for ax in fig.axes:
            laid_out = ax.get_in_layout()
            ax.set_position(_rounded(ax.get_position(original=True)), which="original")
            ax.set_in_layout(laid_out)  # matplotlib takes axes that are placed out of the layout


def _round_parts(figure: FigureBase) -> None:
    for part in figure.subfigs:
        part.bbox_relative.set(_rounded(part.bbox_relative))
        _round_parts(part)


def _rounded(box: Bbox) -> Bbox:
    """A box whose corners are rounded; a negative zero is written as zero."""
    return Bbox(np.round(box.get_points(), DIGITS) + 0.0)
