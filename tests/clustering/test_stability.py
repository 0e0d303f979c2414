"""The stable number of clusters: found where it is known, and drawn."""

import numpy as np
import pandas as pd
import pytest

from sagefm.clustering.stability import draw_stability, stability_table, stable_number


@pytest.mark.parametrize("groups", [3, 5])
def test_the_number_of_groups_is_found(groups):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(groups, 4)) * 12
    values = np.repeat(centres, 60, axis=0) + rng.normal(size=(groups * 60, 4))
    table = stability_table(values, range(2, 8), repeats=6)
    assert stable_number(table) == groups
    assert table["pairs"].eq(15).all()
    pd.testing.assert_frame_equal(table, stability_table(values, range(2, 8), repeats=6))


def test_without_groups_clusters_are_not_stable():
    values = np.random.default_rng(0).normal(size=(300, 6))
    table = stability_table(values, range(2, 8), repeats=6)
    assert (table["stability"] < 0.8).sum() >= 4
    assert table["low"].le(table["stability"]).all()


def test_the_largest_of_numbers_that_are_nearly_as_stable():
    table = pd.DataFrame({"number": [2, 3, 4, 5], "stability": [0.99, 0.7, 0.95, 0.93]})
    assert stable_number(table) == 4
    assert stable_number(table.assign(stability=[0.3, 0.6, 0.5, 0.2])) == 3


def test_numbers_that_the_spots_cannot_have_are_left_out():
    assert stability_table(np.eye(6), [2, 3, 5, 9], repeats=2)["number"].tolist() == [2, 3]


def test_the_curve_says_what_was_chosen():
    table = stability_table(np.random.default_rng(0).normal(size=(60, 3)), [2, 3, 4], repeats=3)
    figure = draw_stability(table, 3)
    (ax,) = figure.axes
    assert figure.get_suptitle().startswith("3 domains: adjusted Rand index 0.")
    (dot,) = [line for line in ax.lines if line.get_markersize() == 7]
    assert [*dot.get_xdata()] == [3]
