"""What lies beyond the ends of axes: a triangle at the edge, the same in all figures."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from sagefm.common.text import count

SIZE = 4.0
"""Of a triangle, in points."""


def mark_beyond(ax: Axes, x: ArrayLike, y: ArrayLike, colour: str, alpha: float = 1.0) -> int:
    """Draw a triangle at the edge for each point beyond the axes; it points to where that is.

    It is hollow, as filled ones are marks of predictors. A point beyond a corner is drawn at the
    corner, pointing left or right.

    Parameters
    ----------
    ax
        Its limits are set: later ones would leave the triangles where they are.
    x, y
        (points,); one that is NaN is nowhere.
    colour, alpha
        As those of the points that are inside.

    Returns
    -------
    int
        How many points are beyond the axes.
    """
    at = np.array([x, y], dtype=float)
    (left, right), (bottom, top) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    above, below = "v^" if ax.yaxis_inverted() else "^v"
    sides = {">": at[0] > right, "<": at[0] < left}
    inside = ~(sides[">"] | sides["<"])
    sides |= {above: inside & (at[1] > top), below: inside & (at[1] < bottom)}
    edge = np.clip(at, [[left], [bottom]], [[right], [top]])
    for marker, beyond in sides.items():
        if beyond.any():
            ax.plot(
                *edge[:, beyond], marker, ms=SIZE, mfc="white", mew=0.8, color=colour, alpha=alpha,
                clip_on=False,
            )  # fmt: skip
    return int(sum(beyond.sum() for beyond in sides.values()))


def beyond_words(number: int, noun: str) -> str:
    """How many things triangles stand for, as the title of a panel has it."""
    return f"{count(number, noun)} beyond the axes (triangles)"
