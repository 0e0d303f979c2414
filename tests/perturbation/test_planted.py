"""The positive control: which pairs are planted, and that the whole chain finds them."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from bench.power import Design, found, power_table, run_chain
from sagefm.perturbation.planted import NICHE, OUTSIDE, draw_pairs, plant_pairs

SPOTS, GENES = 900, 12
PAIRS = np.array([[0, 1], [2, 3]])


@pytest.fixture(scope="module")
def section():
    """A square of spots with Poisson counts, and each spot's mean over the spots beside it."""
    rng = np.random.default_rng(0)
    counts = sp.csr_matrix(rng.poisson(20, (SPOTS, GENES)).astype(np.int32))
    side = int(SPOTS**0.5)
    at = np.stack(np.divmod(np.arange(SPOTS), side), axis=1).astype(float)
    near = np.abs(at[:, None] - at).sum(axis=2) == 1
    return counts, at, sp.csr_matrix(near / near.sum(axis=1, keepdims=True))


def planted(section, strength, pairs=PAIRS, seed=1):
    return plant_pairs(*section, pairs, strength, np.random.default_rng(seed)).toarray()


def test_an_output_follows_its_own_input_among_the_neighbours(section):
    counts = planted(section, 0.8)
    around = section[2] @ counts
    r = np.corrcoef(around.T, counts.T)[:GENES, GENES:]
    assert r[0, 1] > 0.8 and r[2, 3] > 0.8
    assert abs(r[4, 5]) < 0.2
    for source, target in PAIRS:  # a mixture: 20% as it was, 80% in proportion to the input
        expected = 20 * (0.2 + 0.8 * around[:, source] / around[:, source].mean())
        slope, intercept = np.polyfit(expected, counts[:, target], 1)
        assert slope == pytest.approx(1, abs=0.05) and intercept == pytest.approx(0, abs=1)


def test_totals_and_all_other_genes_stay(section):
    counts, plain = planted(section, 0.5), section[0].toarray()
    np.testing.assert_array_equal(counts[:, 4:], plain[:, 4:])
    for target in PAIRS[:, 1]:
        assert counts[:, target].sum() == pytest.approx(plain[:, target].sum(), rel=0.03)


def test_inputs_are_confined_to_a_niche_whatever_the_strength(section):
    none, strong = planted(section, 0.0), planted(section, 0.8)
    plain = section[0].toarray()
    np.testing.assert_array_equal(none[:, PAIRS[:, 1]], plain[:, PAIRS[:, 1]])
    for source in PAIRS[:, 0]:
        kept = none[:, source] == plain[:, source]
        assert kept.mean() == pytest.approx(NICHE, abs=0.03)
        share = none[~kept, source].sum() / plain[~kept, source].sum()
        assert share == pytest.approx(OUTSIDE, abs=0.02)
    np.testing.assert_array_equal(none[:, 0], strong[:, 0])


def test_an_output_without_its_input_stays(section):
    counts = section[0].toarray()
    counts[:, 0] = 0
    found = planted((sp.csr_matrix(counts), *section[1:]), 0.8)
    np.testing.assert_array_equal(found[:, 1], counts[:, 1])


def test_no_gene_is_drawn_twice():
    pairs = draw_pairs(50, 25, np.random.default_rng(0))
    assert sorted(pairs.ravel()) == list(range(50))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("strength", "is_found"), [(0.8, True), (0.0, False)])
def test_the_whole_chain_finds_what_is_planted_and_nothing_else(strength, is_found):
    """Planting, training, perturbation and tests, at the demo's number of spots."""
    tables = run_chain(Design(inputs=30), strength, seed=1)
    assert found(tables)["exceeds_controls"] == is_found
    patients = tables["summary"].query("direction == 'forward' and unit == 'patients'")
    assert (patients["n"] == 8).all()


def test_shares_of_runs_have_exact_intervals():
    runs = pd.DataFrame(
        {
            "strength": 0.5,
            "n_inputs": 30,
            "n_spots": 80,
            "seed": range(4),
            "exceeds_controls": [1.0, 1, 1, 0],
            "directional": 0.0,
            "cohens_d_z": [1.0, 2, 3, 4],
            "auroc": 0.75,
        }
    )
    (row,) = power_table(runs).to_dict("records")
    assert (row["n_runs"], row["exceeds_controls"], row["mean_d_z"]) == (4, 0.75, 2.5)
    assert (row["directional_low"], row["directional"]) == (0, 0)
    # 1 - 0.025^(1/4): the upper end of Clopper and Pearson for none of four.
    assert row["directional_high"] == pytest.approx(1 - 0.025**0.25)
