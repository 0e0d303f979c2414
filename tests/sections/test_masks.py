"""Masks are a pure function of (seed, stream, sample, spot)."""

import numpy as np
import pytest

from sagefm.sections.masks import FIXED_STREAM, gene_mask, sample_key

GENES = 14_558
ADDRESS = {"seed": 9001, "stream": 3, "key": sample_key("atlas", "heart-1"), "spot": 7}


def draw(n_genes=GENES, share=0.3, **address) -> np.ndarray:
    out = np.empty(n_genes, dtype=bool)
    gene_mask(**(ADDRESS | address), n_genes=n_genes, share=share, out=out)
    return out


def test_a_mask_does_not_depend_on_what_was_drawn_before():
    before = {spot: draw(spot=spot) for spot in range(20)}
    for spot in reversed(range(20)):
        draw(stream=99)
        np.testing.assert_array_equal(draw(spot=spot), before[spot])


def test_what_was_in_the_array_is_overwritten():
    out = np.ones(GENES, dtype=bool)
    gene_mask(**ADDRESS, n_genes=GENES, share=0.3, out=out)
    np.testing.assert_array_equal(out, draw())


def test_global_random_state_is_neither_read_nor_changed():
    np.random.seed(1)
    state = np.random.get_state()[1].copy()
    first = draw()
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    np.random.seed(2)
    np.testing.assert_array_equal(draw(), first)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9])
def test_share_of_hidden_genes(share):
    hidden = np.mean([draw(share=share, spot=spot).mean() for spot in range(50)])
    standard_error = np.sqrt(share * (1 - share) / (50 * GENES))
    assert abs(hidden - share) < 4 * standard_error + 1 / 65_536


@pytest.mark.parametrize("n_genes", [1, 2, 3, 4, 5, 119])
def test_a_shorter_panel_takes_the_first_draws(n_genes):
    np.testing.assert_array_equal(draw(n_genes), draw(GENES)[:n_genes])


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 9002},
        {"stream": 4},
        {"stream": FIXED_STREAM},
        {"key": sample_key("atlas", "heart-2")},
        {"key": sample_key("breast", "heart-1")},
        {"spot": 8},
        # Numbers that a sloppy address would confuse with one another.
        {"stream": 7, "spot": 3},
        {"seed": ADDRESS["key"], "key": 9001},
    ],
)
def test_masks_of_other_addresses_are_independent(other):
    one, two = draw(), draw(**other)
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(GENES)


def test_genes_are_independent_of_one_another():
    masks = np.stack([draw(200, spot=spot) for spot in range(5000)]).astype(float)
    correlation = np.corrcoef(masks.T)[np.triu_indices(200, 1)]
    # Of 19,900 pairs under independence: mean 0, deviation 1/sqrt(spots), none beyond 5 of them.
    assert abs(correlation.mean()) < 5 / np.sqrt(5000 * len(correlation))
    assert correlation.std() == pytest.approx(1 / np.sqrt(5000), rel=0.05)
    assert abs(correlation).max() < 5 / np.sqrt(5000)


def test_sample_keys_differ_and_are_fixed():
    names = [(c, s) for c in ("atlas", "breast", "a", "a/b") for s in ("SPA1", "b/SPA1", "SPA2")]
    keys = {sample_key(*name) for name in names if "/" not in name[0] + name[1]}
    assert len(keys) == 6
    # Written down once: another value would give every user other masks than before.
    assert sample_key("atlas", "heart-1") == 0xDCBEF86B0214F55E
