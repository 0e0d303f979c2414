"""The logistic regression finds scikit-learn's solution for any penalty, weights and input."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from sagefm.annotation.classifiers import (
    CLASSIFIERS,
    MARGIN,
    PENALTIES,
    Kind,
    _best_of_grid,
    fit_classifier,
)
from sagefm.annotation.logistic import Multinomial


def blobs(classes: int = 3, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping classes in features whose variances span five orders of magnitude."""
    rng = np.random.default_rng(0)
    labels = rng.choice(list("abcd")[:classes], n, p=np.arange(classes, 0, -1) / (
        classes * (classes + 1) / 2))  # fmt: skip
    values = (
        rng.normal(size=(n, 20))
        + 0.8 * rng.normal(size=(classes, 20))[np.searchsorted(list("abcd"), labels)]
    )
    return (values * np.logspace(0, -2.5, 20)).astype(np.float32), labels


@pytest.mark.parametrize("weight", [None, "balanced"])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("strength", [1e-4, 1e-1, 10])
def test_it_is_the_solution_of_scikit_learn(strength, classes, weight):
    values, labels = blobs(classes)
    exact = LogisticRegression(C=strength, max_iter=20_000, tol=1e-9, class_weight=weight)
    expected = exact.fit(values, labels).predict_proba(values)
    found = Multinomial(strength, weight, tol=1e-9, max_iter=2000).fit(values, labels)
    np.testing.assert_allclose(found.predict_proba(values), expected, atol=5e-3)
    thin = Multinomial(strength, weight, tol=1e-9, max_iter=2000).fit(sp.csr_matrix(values), labels)
    np.testing.assert_allclose(thin.predict_proba(values), expected, atol=5e-3)
    assert (found.predict(values) == found.classes_[expected.argmax(axis=1)]).mean() > 0.99


def test_a_further_fit_starts_at_the_last_solution():
    values, labels = blobs()
    model = Multinomial(0.1).fit(values, labels)
    cold = model.n_iter_
    again = model.fit(values, labels).n_iter_
    assert again < cold / 2
    other = model.fit(values, np.where(labels == "a", "x", labels))
    assert list(other.classes_) == ["b", "c", "x"]


def test_an_unfinished_fit_is_noted():
    values, labels = blobs()
    assert not Multinomial(10, max_iter=2).fit(values, labels).converged_
    assert Multinomial(10).fit(values, labels).converged_


class Scripted:
    """A classifier whose recall follows its one parameter."""

    def __init__(self, recalls, tried):
        self.recalls, self.tried = recalls, tried

    def set_params(self, **parameters):
        self.number = parameters.get("C", 0)
        return self

    def fit(self, values, labels):
        self.tried.append(self.number)
        return self

    def predict(self, values):
        right = round(self.recalls[self.number] * 100)
        found = np.array(["a"] * 100 + ["b"] * 100)
        found[right:100], found[100 + right :] = "b", "a"
        return found


@pytest.mark.parametrize(
    ("recalls", "chosen", "at_end", "tried"),
    {
        "the simplest within the margin of the best": ([0.6, 0.7, 0.8, 0.805, 0.8], 2, False, 5),
        "a small dip ends nothing": ([0.6, 0.595, 0.59, 0.8, 0.8], 3, False, 5),
        "two that are worse end the search": ([0.6, 0.8, 0.7, 0.75, 0.99], 1, False, 4),
        "one that is worse does not": ([0.6, 0.8, 0.7, 0.9, 0.9], 3, False, 5),
        "nothing learned yet ends nothing": ([0.5, 0.4, 0.4, 0.4, 0.9], 4, True, 5),
        "a simpler one could be as good": ([0.8, 0.8, 0.8, 0.8, 0.8], 0, True, 5),
        "nothing is simpler than one class": ([0.5, 0.5, 0.505, 0.5, 0.5], 0, False, 5),
    }.values(),
)
def test_the_grid_is_searched_from_the_simplest_value_on(recalls, chosen, at_end, tried):
    calls: list[int] = []
    kind = Kind(lambda *_: Scripted(recalls, calls), "C", tuple(range(5)), {}, reduced=False)
    values, labels = np.zeros((200, 1)), np.array(["a"] * 100 + ["b"] * 100)
    both = np.arange(200)
    assert _best_of_grid(kind, values, labels, [(both, both)], 0, None) == (chosen, at_end)
    assert len(calls) == tried and MARGIN == 0.01


@pytest.mark.parametrize(("noise", "at_end"), [(0.3, True), (3.0, False)])
def test_an_end_of_the_grid_is_told(noise, at_end, monkeypatch):
    """With few values to choose from, the best is an end; among all of them it is not."""
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b", "c"], 300)
    values = np.eye(3)[np.searchsorted(["a", "b", "c"], labels)] + rng.normal(0, noise, (300, 3))
    patients = np.repeat([f"p{i}" for i in range(3)], 100)
    grid = PENALTIES[6:8] if at_end else PENALTIES
    kind = CLASSIFIERS["logistic"]
    own = Kind(kind.make, kind.parameter, grid, kind.tuning, kind.reduced)
    monkeypatch.setitem(CLASSIFIERS, "logistic", own)
    fitted = fit_classifier("logistic", values.astype(np.float32), labels, patients, patients, 0)
    assert fitted.at_end is at_end
