"""Moran's I: its formula computed by hand, and its value for simple patterns."""

import numpy as np
import pytest

from sagefm.graphs.neighbourhoods import neighbour_weights
from sagefm.representations.coherence import moran_table


def grid(side: int) -> np.ndarray:
    """Coordinates of a square array, row by row."""
    rows, columns = np.divmod(np.arange(side**2), side)
    return np.stack([columns, rows], axis=1).astype(float)


def moran(values: np.ndarray, weights: np.ndarray) -> float:
    """I = n / sum(w) * sum_ij w_ij z_i z_j / sum_i z_i^2 (Moran 1950, doi:10.2307/2332142)."""
    z = values - values.mean()
    return len(z) / weights.sum() * (z @ weights @ z) / (z @ z)


def coherence_of(values, coordinates, components=2, samples=None):
    samples = np.array(["one"] * len(values)) if samples is None else samples
    return moran_table("x", values, coordinates, samples, components)


def test_four_spots_by_hand():
    """All tied to all: I is -1 / (n - 1) whatever the values are."""
    corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    weights = neighbour_weights(corners).toarray()
    np.testing.assert_array_equal(weights, 1 - np.eye(4))
    values = np.array([[1.0], [2.0], [4.0], [8.0]])
    assert moran(values[:, 0], weights) == pytest.approx(-1 / 3)
    row = coherence_of(values, corners, 1).iloc[0]
    assert row["mean_moran_i"] == row["median_moran_i"] == pytest.approx(-1 / 3)


def test_the_formula_on_a_real_size():
    rng = np.random.default_rng(0)
    coordinates, values = rng.random((80, 2)), rng.random((80, 3))
    weights = neighbour_weights(coordinates).toarray()
    reduced = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)[0]
    expected = [moran(component, weights) for component in reduced.T]
    row = coherence_of(values, coordinates, 3).iloc[0]
    assert row["mean_moran_i"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert row["median_moran_i"] == pytest.approx(np.median(expected), abs=1e-6)


def test_weights_are_symmetric_without_self_and_whatever_the_scale():
    coordinates = grid(6)
    weights = neighbour_weights(coordinates)
    assert (weights != weights.T).nnz == 0
    assert weights.diagonal().sum() == 0
    assert set(weights.data) == {1}
    assert weights.getnnz(axis=1).min() >= 6
    assert (weights != neighbour_weights(250 * coordinates + 7)).nnz == 0


def test_a_gradient_is_coherent_and_noise_is_not():
    coordinates = grid(14)
    rng = np.random.default_rng(1)
    noise = coherence_of(rng.random((196, 2)), coordinates).iloc[0]
    assert coherence_of(coordinates, coordinates)["mean_moran_i"].item() > 0.8
    assert abs(noise["mean_moran_i"]) < 0.1
    assert noise["n_spots"] == 196


def test_stripes_of_one_spot_are_the_contrary_of_coherent():
    """On Visium's array a spot of a striped section has two neighbours of its own and four not."""
    rows, columns = np.divmod(np.arange(196), 14)
    coordinates = np.stack([columns + rows % 2 / 2, rows * 3**0.5 / 2], axis=1)
    stripes = (rows % 2)[:, None].astype(float)
    weights = neighbour_weights(coordinates).toarray()
    # At the border the six nearest are others, some of them farther away.
    inner = (np.abs(coordinates - coordinates.mean(axis=0)) < 4).all(axis=1)
    assert (weights[inner].sum(axis=1) <= 7).all()
    value = coherence_of(stripes, coordinates, 1)["mean_moran_i"].item()
    assert value == pytest.approx(moran(stripes[:, 0], weights), abs=1e-6)
    assert value == pytest.approx(-1 / 3, abs=0.06)


def test_samples_are_apart():
    """Two sections at the same coordinates: neither is a neighbour of the other."""
    coordinates = np.tile(grid(8), (2, 1))
    rng = np.random.default_rng(2)
    values = np.concatenate([grid(8), rng.permutation(grid(8))])
    samples = np.repeat(["smooth", "shuffled"], 64)
    table = coherence_of(values, coordinates, 2, samples).set_index("sample")
    assert list(table.index) == ["smooth", "shuffled"]
    assert list(table["n_spots"]) == [64, 64]
    assert table.loc["smooth", "mean_moran_i"] > 0.7
    assert abs(table.loc["shuffled", "mean_moran_i"]) < 0.25


def test_no_more_components_than_the_representation_has():
    row = coherence_of(grid(5), grid(5), 50).iloc[0]
    assert row["components"] == 2
    assert row["representation"] == "x"
