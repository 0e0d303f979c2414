"""Equal rows of two matrices are found, exactly and in blocks, wherever they are."""

import numpy as np
import pandas as pd
import pytest

from sagefm.conformance import search
from sagefm.conformance.alignment import aligned_spots, chosen_spots
from sagefm.conformance.search import differences, find_rows

WIDTH = 40


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Several blocks of these few rows."""
    monkeypatch.setattr(search, "BLOCK", 7)


def cloud(n: int = 300, width: int = WIDTH, seed: int = 1) -> np.ndarray:
    """Rows near a plane of five dimensions, far from 0, as embeddings are."""
    rng = np.random.default_rng(seed)
    plane = rng.normal(size=(n, 5)) @ rng.normal(size=(5, width))
    return (plane + 0.01 * rng.normal(size=(n, width)) + 20).astype(np.float32)


def spread(rows: np.ndarray) -> float:
    return float(np.sqrt(np.square(rows - rows.mean(axis=0, dtype=np.float64)).sum(axis=1).mean()))


def test_every_row_is_found_up_to_rounding_and_no_other():
    rows = cloud()
    rng = np.random.default_rng(2)
    order = rng.permutation(len(rows))[:120]
    noise = rng.normal(size=(120, WIDTH))
    wanted = (rows[order] + 1e-6 * noise).astype(np.float32)
    wanted[[5, 60]] += 3
    found = find_rows(wanted, rows, 1e-4)
    assert found.scale == pytest.approx(spread(rows), rel=1e-6)
    equal = found.pairs[found.pairs["difference"] <= 1e-4]
    assert set(range(120)) - set(equal["row"]) == {5, 60}
    np.testing.assert_array_equal(equal["spot"], np.delete(order, [5, 60]))
    true = np.linalg.norm(wanted.astype(np.float64)[equal["row"]] - rows[equal["spot"]], axis=1)
    np.testing.assert_allclose(equal["difference"], true / found.scale, rtol=1e-6)


@pytest.mark.parametrize("tolerance", [1e-4, 3e-3, 0.05, 0.3])
def test_pairs_within_the_tolerance_are_those_of_brute_force(tolerance):
    rows = cloud(200)
    wanted = cloud(40)[::-1] + np.float32(0.002)
    found = find_rows(wanted, rows, tolerance)
    distance = np.linalg.norm(wanted[:, None].astype(np.float64) - rows[None], axis=2)
    expected = {tuple(pair) for pair in np.argwhere(distance <= tolerance * found.scale)}
    equal = found.pairs[found.pairs["difference"] <= tolerance]
    assert set(zip(equal["row"], equal["spot"], strict=True)) == expected
    assert len(equal) == len(expected)


def test_more_equal_rows_than_are_looked_at_first():
    rows = cloud(60)
    rows[10:30] = rows[9]
    found = find_rows(rows[9:10], rows, 1e-4)
    assert list(found.pairs["spot"]) == list(range(9, 30))
    assert (found.pairs["difference"] == 0).all()


def test_a_row_that_equals_none_has_its_nearest_candidate():
    rows = cloud(50)
    wanted = rows[20:21] + np.float32(0.01)
    (pair,) = find_rows(wanted, rows, 1e-4).pairs.itertuples()
    assert (pair.row, pair.spot) == (0, 20) and pair.difference > 1e-4
    assert find_rows(rows[:1] + np.float32(50), rows, 1e-4).pairs.empty


def test_differences_are_of_whole_rows_in_the_order_of_the_pairs():
    rows, wanted = cloud(30, seed=3), cloud(20, seed=4)
    rng = np.random.default_rng(5)
    pairs = pd.DataFrame({"row": rng.integers(0, 20, 50), "spot": rng.integers(0, 30, 50)})
    expected = np.linalg.norm(wanted.astype(float)[pairs["row"]] - rows[pairs["spot"]], axis=1)
    np.testing.assert_allclose(differences(wanted, rows, pairs), expected, rtol=1e-6)


def pairs_of(*triples) -> pd.DataFrame:
    return pd.DataFrame(triples, columns=["row", "spot", "difference"])


def test_of_equal_spots_the_one_that_follows_is_chosen():
    """Spots 0 to 4 and 10 to 14 are twins; rows 2 to 4 come from the second."""
    pairs = pairs_of(
        (0, 3, 0), (0, 13, 0), (1, 9, 0), (2, 0, 0), (2, 10, 0), (3, 1, 0), (3, 11, 0), (4, 8, 0.5)
    )
    assert list(chosen_spots(pairs, 6, 1e-3)) == [3, 9, 10, 11, -1, -1]


STARTS = np.array([0, 5, 9])
"""First spots of three sections, of 5, 4 and 6 spots."""


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([5, -1, -1, 8], [5, 6, 7, 8]),  # inside a section
        ([0, -1, 3], [0, -1, 3]),  # a spot more is missing: which is unknown
        ([0, 1, 2, -1, -1, -1, 10, 11], [0, 1, 2, 3, 4, 9, 10, 11]),  # an end and a beginning
        ([-1, 6, 7, 8], [5, 6, 7, 8]),  # the file begins with it
        ([9, 10, 11, 12, -1, -1], [9, 10, 11, 12, 13, 14]),  # the file ends with it
        ([5, 6, -1], [5, 6, -1]),
        ([-1, -1], [-1, -1]),
        ([12, -1, 6], [12, -1, 6]),
    ],
)
def test_rows_between_others_are_the_spots_between_theirs(chosen, expected):
    given = np.array(chosen)
    assert list(aligned_spots(given, STARTS, 15)) == expected
    assert list(given) == chosen
