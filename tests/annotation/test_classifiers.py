"""Classifiers are reproducible, and agree on sparse, wide and rotated values."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from sagefm.annotation.classifiers import (
    CLASSIFIERS,
    COMPONENTS,
    fit_classifier,
    fit_reduction,
    fit_scaling,
    mean_recall,
)
from sagefm.annotation.logistic import Multinomial


def spots(n: int = 120, features: int = 8, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Values, labels that two features tell, patients, samples."""
    rng = np.random.default_rng(seed)
    values = rng.poisson(2, (n, features)).astype(np.float32)
    labels = np.where(values[:, 0] > 2, "a", np.where(values[:, 1] > 1, "b", "c"))
    patients = np.repeat([f"p{i}" for i in range(4)], n // 4)
    return values, labels, patients, np.char.add(patients, "s")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_learns_what_can_be_learned(name):
    values, *columns = spots(240)
    scaled = fit_scaling(values).transform(values)
    fitted = fit_classifier(name, scaled[:180], *(c[:180] for c in columns), seed=0)
    # The last patient.
    right = np.mean(fitted.model.predict(scaled[180:]) == columns[0][180:])
    assert right > 0.7
    assert set(fitted.model.classes_) == {"a", "b", "c"}
    assert "=" in fitted.chosen and fitted.notes == ()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_fit_is_the_same_twice(name):
    values, *columns = spots()
    first, again = (
        fit_classifier(name, values, *columns, seed=1).model.predict_proba(values) for _ in range(2)
    )
    np.testing.assert_array_equal(first, again)


def test_logistic_is_that_of_scikit_learn():
    values, labels, patients, samples = spots()
    scaled = fit_scaling(values).transform(values)
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(values), atol=1e-5)
    fitted = fit_classifier("logistic", scaled, labels, patients, samples, seed=0)
    strength = float(fitted.chosen.removeprefix("C="))
    exact = LogisticRegression(C=strength, max_iter=1000, tol=1e-8).fit(scaled, labels)
    np.testing.assert_allclose(
        fitted.model.predict_proba(scaled), exact.predict_proba(scaled), atol=0.02
    )


@pytest.mark.parametrize("sparse", [False, True])
def test_what_hardly_varies_in_training_counts_for_nothing(sparse):
    """A feature of rounding errors, a million times smaller than the largest, is not blown up."""
    values = spots()[0].astype(np.float64)
    values[:, 3] = 1 + 1e-7 * values[:, 4]
    values[:, 5] = 0
    train, test = values[:90], values[90:] + 1.0
    if sparse:
        train, test = sp.csr_matrix(train), sp.csr_matrix(test)
    scaling = fit_scaling(train)
    found = [own.toarray() if sparse else own for own in map(scaling.transform, (train, test))]
    for own in found:
        assert (own[:, [3, 5]] == 0).all() and np.isfinite(own).all()
    np.testing.assert_allclose(np.delete(found[0], [3, 5], axis=1).std(axis=0), 1)


@pytest.mark.parametrize("features", [8, 300])
def test_csr_and_dense_give_the_same_logistic(features):
    """With one penalty: near a tie, rounding decides which is chosen."""
    values, labels, *_ = spots(120, features)
    found = []
    for own in (values, sp.csr_matrix(values)):
        scaling = fit_scaling(own[:90])
        train, test = scaling.transform(own[:90]), scaling.transform(own[90:])
        found.append(Multinomial(C=1.0).fit(train, labels[:90]).predict_proba(test))
    np.testing.assert_allclose(*found, atol=0.02)


def test_wide_values_keep_their_distances_in_the_training_span():
    values = spots(60, 300)[0]
    scaling = fit_scaling(values[:40])
    train, test = scaling.transform(values[:40]), scaling.transform(values[40:])
    assert train.shape == (40, 40)
    plain = StandardScaler().fit(values[:40])
    centred = [plain.transform(part).astype(float) for part in (values[:40], values[40:])]
    np.testing.assert_allclose(train @ train.T, centred[0] @ centred[0].T, atol=0.2)
    np.testing.assert_allclose(test @ train.T, centred[1] @ centred[0].T, atol=0.2)


def test_a_rotation_keeps_the_logistic():
    rng = np.random.default_rng(0)
    low = rng.standard_normal((200, 10))
    values = (low @ rng.standard_normal((10, 100))).astype(np.float32)
    labels = np.where(low[:, 0] + 0.3 * rng.standard_normal(200) > 0, "a", "b")
    patients = np.repeat(["p", "q", "r", "s"], 50)
    scaled = fit_scaling(values).transform(values)
    assert scaled.shape[1] <= 11
    fitted = fit_classifier("logistic", scaled, labels, patients, patients, seed=0)
    plain = StandardScaler().fit_transform(values)
    exact = LogisticRegression(C=float(fitted.chosen[2:]), max_iter=2000, tol=1e-8)
    exact = exact.fit(plain, labels).predict_proba(plain)
    np.testing.assert_allclose(fitted.model.predict_proba(scaled), exact, atol=0.03)


def test_many_features_are_reduced_for_the_others():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((100, 80)).astype(np.float32)
    assert fit_reduction(wide, 0).transform(wide).shape == (100, COMPONENTS)
    assert fit_reduction(wide[:, :COMPONENTS], 0) is None
    assert fit_reduction(sp.csr_matrix(wide), 0).transform(wide).shape == (100, COMPONENTS)


def test_balanced_classes_weigh_the_same():
    rng = np.random.default_rng(1)
    labels = np.array(["big"] * 180 + ["small"] * 20)
    values = rng.standard_normal((200, 3)) + (labels == "small")[:, None]
    patients = np.tile(["p", "q", "r", "s"], 50)
    plain, balanced = (
        fit_classifier("logistic", values, labels, patients, patients, 0, weight).model
        for weight in (None, "balanced")
    )
    assert np.mean(balanced.predict(values) == "small") > np.mean(plain.predict(values) == "small")


def test_what_one_patient_allows_is_noted():
    values, labels, patients, _ = spots()
    one = np.full(len(labels), "p0")
    samples = patients
    assert fit_classifier("logistic", values, labels, one, samples, 0).notes == (
        "tuned across samples of one patient",
    )
    assert fit_classifier("logistic", values, labels, one, one, 0).notes == (
        "tuned on halves of spots",
    )
    # Each class in patients of its own: every inner training half would have one class alone.
    apart = np.where(patients < "p2", "a", "b")
    halves = np.where(apart == "a", "p", "q")
    found = fit_classifier("logistic", values, apart, halves, halves, 0)
    assert found.notes == ("tuned on halves of spots",)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("labels", [["a", "b"], ["a", "a", "a", "b"]])
def test_too_few_spots_to_tune_on_are_noted(name, labels):
    """One spot a class leaves no half; one of two halves with two classes is used alone."""
    labels = np.array(labels)
    values = np.eye(len(labels), 3) + np.arange(len(labels))[:, None]
    one = np.full(len(labels), "p")
    found = fit_classifier(name, values, labels, one, one, 0)
    assert set(found.model.predict(values)) <= {"a", "b"}
    if len(labels) == 2:
        assert found.notes == ("not tuned: too few spots",)
        first = min(CLASSIFIERS[name].grid[0], 2) if name == "knn" else CLASSIFIERS[name].grid[0]
        assert float(found.chosen.split("=")[1]) == first
    else:
        assert found.notes == ("tuned on halves of spots",)


def test_mean_recall_is_balanced_accuracy():
    rng = np.random.default_rng(2)
    truth, predicted = rng.choice(list("aab"), 50), rng.choice(list("ab"), 50)
    expected = balanced_accuracy_score(truth, predicted)
    assert mean_recall(truth, predicted) == pytest.approx(expected)


def test_one_dominant_direction_does_not_break_the_span_of_the_rows():
    """Features that nearly all say the same, in single precision, as a smooth embedding's do."""
    rng = np.random.default_rng(0)
    rows, features = 300, 1024
    common = rng.normal(size=(rows, 1)) * np.ones((1, features))
    values = (common + 1e-4 * rng.normal(size=(rows, features))).astype(np.float32)
    fitted = fit_scaling(values)
    coordinates = fitted.transform(values)
    assert np.isfinite(coordinates).all()
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    # Distances are those of the scaled features.
    expected = np.linalg.norm(scaled[0] - scaled[1:], axis=1)
    found = np.linalg.norm(coordinates[0] - coordinates[1:], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-2)
