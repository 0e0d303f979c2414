"""Ranking of positives with weighted rows equals scikit-learn's areas."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from sagefm.stats.ranking import ranking


def test_rankings_are_scikit_learns():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 12, (9, 15)).astype(float)  # with ties
    positive, known = rng.random((2, 9, 15)) < np.array([0.15, 0.9])[:, None, None]
    positive &= known
    weights = np.vstack([np.ones(9), rng.multinomial(9, np.full(9, 1 / 9), 5)])
    auroc, precision = ranking(values, positive, known, weights)
    for number, counts in enumerate(weights):
        repeats = (known * counts[:, None]).ravel()
        given = positive.ravel(), values.ravel()
        assert auroc[number] == pytest.approx(roc_auc_score(*given, sample_weight=repeats))
        expected = average_precision_score(*given, sample_weight=repeats)
        assert precision[number] == pytest.approx(expected)
    nothing = ranking(values, np.zeros_like(known), known, weights)
    assert np.isnan(nothing).all()
