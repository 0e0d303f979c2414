"""One look for all figures: sizes, fonts, colours that colour-blind readers tell apart, saving."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import chain, islice, repeat
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.style import context

from sagefm.common.io import atomic
from sagefm.plotting.colours import CLASS_COLOURS, GRID
from sagefm.plotting.colours import GREY as GREY
from sagefm.plotting.colours import NEUTRAL as NEUTRAL
from sagefm.plotting.colours import OKABE_ITO as OKABE_ITO
from sagefm.plotting.colours import PREDICTOR_COLOURS as PREDICTOR_COLOURS
from sagefm.plotting.colours import PREDICTOR_NAMES as PREDICTOR_NAMES
from sagefm.plotting.colours import SPLIT_COLOURS as SPLIT_COLOURS
from sagefm.plotting.layout import SteadyLayout

if TYPE_CHECKING:
    import pandas as pd

P = ParamSpec("P")

SINGLE, DOUBLE = 3.5, 7.2
"""Widths of one column and of a page, in inches."""

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same everywhere
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "figure.titlesize": 9,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.visible": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # text stays text
}

PREDICTOR_MARKERS = dict(zip(PREDICTOR_COLOURS, "oDs^vX<>*", strict=True))
"""A second sign beside the colour, for print without colour."""


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw in the common style, whatever the reader's own settings are."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with context(STYLE, after_reset=True):
            figure = draw(*args, **kwargs)
            if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
                figure.set_layout_engine(SteadyLayout())
            return figure

    return wrapper


def save(figure: Figure, pdf: str | Path, png: str | Path) -> None:
    """Write a figure as PDF and as PNG of 200 dots an inch; equal figures give equal bytes."""
    with context(STYLE, after_reset=True), atomic(pdf) as page, atomic(png) as picture:
        figure.savefig(page, metadata={"CreationDate": None})
        figure.savefig(picture)


def save_png(figure: Figure, path: str | Path, table: "pd.DataFrame") -> None:
    """Write a figure of the documentation as PNG of 200 dots an inch.

    Its text `Table` is the checksum of the table that it shows, by which one that is out of date is
    told.
    """
    with atomic(path) as temporary:
        metadata = {"Table": table_checksum(table)}
        figure.savefig(temporary, format="png", dpi=200, metadata=metadata)


def table_checksum(table: "pd.DataFrame") -> str:
    """Checksum of a table's values, to six digits: 16 hex digits."""
    text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shades(number: int, colours: Sequence[str] = CLASS_COLOURS) -> list[str]:
    """So many colours, the easiest to tell apart first; beyond those there are, grey."""
    return [*islice(chain(colours, repeat(GREY)), number)]


def colours_of(labels: Iterable[str], palette: Mapping[str, str]) -> dict[str, str]:
    """A colour for each class: that of the palette, or for one it has not, one that is free."""
    distinct = sorted(set(labels))
    known = {label: palette[label] for label in distinct if label in palette}
    free = (colour for colour in CLASS_COLOURS if colour not in palette.values())
    return {label: known.get(label) or next(free, GREY) for label in distinct}


def present(predictors: Iterable[str]) -> list[str]:
    """The predictors among those given, in the fixed order of the palette."""
    given = set(predictors)
    return [name for name in PREDICTOR_COLOURS if name in given]


def percent_axis(axes: Axes, axis: str = "x", step: int = 25) -> None:
    """Show shares (0 to 1) of an axis as percentages, from 0 to 100."""
    percents = range(0, 101, step)
    getattr(axes, f"set_{axis}lim")(-0.03, 1.03)
    getattr(axes, f"set_{axis}ticks")([percent / 100 for percent in percents], percents)


def head(figure: FigureBase, text: str) -> None:
    """Give a figure, or a part of one, its title, from the left."""
    figure.suptitle(text, x=0.01, horizontalalignment="left")


def below(figure: FigureBase, heights: Sequence[float]) -> list[SubFigure]:
    """Parts of a figure, one under the other, of relative heights."""
    parts = figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)
    return list(parts.flat)


def beside(figure: FigureBase, widths: Sequence[float]) -> list[SubFigure]:
    """Parts of a figure, side by side, of relative widths."""
    parts = figure.subfigures(1, len(widths), squeeze=False, width_ratios=widths)
    return list(parts.flat)


def lettered(figure: Figure, *parts: FigureBase) -> Figure:
    """The figure, its parts lettered in bold from a, each before its title."""
    for part, sign in zip(parts, "abcdefgh", strict=False):
        head(part, rf"$\mathbf{{{sign}}}$   {part.get_suptitle()}")
    return figure


def group_title(names: tuple[str, str]) -> str:
    """How a cohort and a model, by its name for readers, are named above their panels."""
    return f"{names[0]}, {names[1]}"
