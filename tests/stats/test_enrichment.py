"""Gene set enrichment against counting by hand, and matched components of two fits."""

from math import comb

import numpy as np
import pytest

from sagefm.stats.enrichment import enrichment
from sagefm.stats.matching import match_columns

GENES = [f"g{number}" for number in range(20)]


def test_a_planted_set_is_found_at_its_exact_p():
    """4 of 5 chosen genes are of a set of 6, in 20: counted as draws without replacement."""
    sets = {"planted": GENES[:6], "elsewhere": GENES[10:16], "unknown": ["x"]}
    table = enrichment({"top": ["g0", "g9", "g2", "g1", "g5"]}, sets, GENES)
    assert [*table["set"]] == ["planted", "elsewhere"]
    planted, elsewhere = table.to_dict("records")
    p = (comb(6, 4) * comb(14, 1) + comb(6, 5)) / comb(20, 5)
    assert planted["p"] == pytest.approx(p) and planted["q"] == pytest.approx(2 * p)
    assert (planted["n_set"], planted["n_overlap"], planted["expected"]) == (6, 4, 1.5)
    assert planted["genes"] == "g0; g2; g1; g5"  # in the order of the list
    assert (elsewhere["n_overlap"], elsewhere["p"], elsewhere["genes"]) == (0, 1.0, "")


def test_genes_outside_the_universe_count_nowhere():
    sets = {"planted": [*GENES[:6], "x", "y"]}
    alone = enrichment({"top": GENES[:3]}, {"planted": GENES[:6]}, GENES)
    more = enrichment({"top": [*GENES[:3], "x", "g0"]}, sets, GENES)
    assert more.equals(alone)


def test_turned_and_shuffled_components_find_their_partners():
    random = np.random.default_rng(0)
    reference = random.normal(size=(50, 4))
    order, signs = np.array([2, 0, 3, 1]), np.array([1, -1, -1, 1])
    other = 3 * (signs * reference)[:, order] + 7  # correlation knows neither scale nor place
    partner, correlation = match_columns(reference, other)
    assert [*order[partner]] == [0, 1, 2, 3]
    np.testing.assert_allclose(correlation, signs)


def test_a_partner_is_used_once_and_a_constant_column_resembles_none():
    first = np.array([[1.0, 1.0], [2.0, 2.1], [3.0, 3.0]])
    other = np.stack([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]], axis=1)
    partner, correlation = match_columns(first, other)
    assert sorted(partner) == [0, 1] and sorted(correlation) == [0, pytest.approx(1)]
