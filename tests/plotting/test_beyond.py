"""Triangles for what lies beyond axes: where it is, pointing there, and counted."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from sagefm.plotting.beyond import beyond_words, mark_beyond


@pytest.mark.parametrize("inverted", [False, True])
def test_each_point_beyond_has_a_triangle_that_points_to_it(inverted):
    ax = Figure().subplots()
    ax.set(xlim=(0, 1), ylim=(2, -2) if inverted else (-2, 2))
    x = np.array([0.5, 3, -1, 0.25, 0.75, 3, np.nan, 1.0])
    y = np.array([0.0, 1, 1, 9, -9, 9, 0, 2.0])
    assert mark_beyond(ax, x, y, "red") == 5
    found = {line.get_marker(): line.get_xydata().tolist() for line in ax.lines}
    up, down = "v^" if inverted else "^v"
    assert found == {
        ">": [[1, 1], [1, 2]], "<": [[0, 1]], up: [[0.25, 2]], down: [[0.75, -2]]
    }  # fmt: skip
    assert {(line.get_color(), line.get_mfc()) for line in ax.lines} == {("red", "white")}
    assert ax.get_xlim() == (0, 1)


def test_nothing_is_drawn_where_all_is_inside():
    ax = Figure().subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    assert mark_beyond(ax, [0, 1], [1, 0], "red") == 0
    assert not ax.lines


def test_the_words_count_them():
    assert beyond_words(1, "pair") == "1 pair beyond the axes (triangles)"
    assert beyond_words(1200, "gene") == "1,200 genes beyond the axes (triangles)"
