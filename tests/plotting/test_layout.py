"""Places of a figure have no digits that differ from run to run."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sagefm.plotting.layout import DIGITS, SteadyLayout
from sagefm.plotting.style import below, beside, head, styled


@styled
def draw() -> Figure:
    """Parts in a part, a colour bar, equal aspect, a legend outside."""
    figure = Figure(figsize=(7.2, 5))
    first, second = below(figure, [1, 2])
    for part in (first, *beside(second, [3, 2])):
        head(part, "What is found")
        for ax in part.subplots(1, 2):
            ax.set_ylabel("counts of a spot")
            image = ax.imshow(np.arange(12).reshape(3, 4))
        part.colorbar(image, ax=ax)
        ax.plot([0, 1], [0, 1], label="a line")
        part.legend(loc="outside lower center")
    return figure


def places(figure: Figure) -> np.ndarray:
    parts = [*figure.subfigs, *figure.subfigs[1].subfigs]
    axes = [ax.get_position(original=True) for ax in figure.axes]
    return np.array([box.get_points() for box in [*(part.bbox_relative for part in parts), *axes]])


def test_every_place_is_rounded():
    figure = draw()
    figure.draw_without_rendering()
    found = places(figure)
    assert len(found) == 4 + 9
    assert np.array_equal(found, found.round(DIGITS)) and not np.signbit(found).any()


def test_it_is_the_layout_of_matplotlib():
    steady, own = draw(), draw()
    assert isinstance(steady.get_layout_engine(), SteadyLayout)
    own.set_layout_engine(ConstrainedLayoutEngine(**own.get_layout_engine().get()))
    for _ in range(2):  # a figure is drawn into two files, and layouts follow from what was drawn
        steady.draw_without_rendering()
        own.draw_without_rendering()
        assert places(steady) == pytest.approx(places(own), abs=2 * 10**-DIGITS)
        assert all(ax.get_in_layout() for ax in steady.axes)
