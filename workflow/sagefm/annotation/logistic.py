"""Multinomial logistic regression that converges in few steps for any penalty.

The model is that of `sklearn.linear_model.LogisticRegression`: it penalises squared weights but not
the intercept. Coordinates are scaled by the curvature of the loss along each feature and class,
evaluated where all spots have the overall class shares. On rotated embeddings, whose variances span
orders of magnitude, L-BFGS then needs a few dozen steps. Without scaling it stops short.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin


class Multinomial(ClassifierMixin, BaseEstimator):
    """A classifier with scikit-learn's interface; a further `fit` starts at the last solution.

    Parameters
    ----------
    C
        Inverse of the penalty on squared weights, as in scikit-learn.
    class_weight
        None, or `balanced` for equal class weights regardless of class size.
    max_iter
        Maximum number of steps of a fit.
    tol
        Relative decrease of the penalised loss per step below which a fit ends.
    """

    classes_: np.ndarray
    weights_: np.ndarray

    def __init__(
        self,
        C: float = 1.0,
        class_weight: str | None = None,
        max_iter: int = 1000,
        tol: float = 1e-5,
    ):
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol

    def fit(self, values: np.ndarray | sp.csr_matrix, labels: np.ndarray) -> "Multinomial":
        """Fit weights (features + 1, classes); the last row is the intercept."""
        classes, number = np.unique(labels, return_inverse=True)
        sizes = np.bincount(number)
        rows, weights = np.arange(len(labels)), np.ones(len(labels), dtype=values.dtype)
        if self.class_weight == "balanced":
            weights = (len(labels) / (len(classes) * sizes))[number].astype(values.dtype)
        # Two classes have opposite weights, each half of a single weight vector.
        penalty = (2 if len(classes) == 2 else 1) / self.C
        shares = np.bincount(number, weights) / weights.sum()
        spread = shares * (1 - shares)
        curvature = np.vstack(
            [np.outer(_squares(values, weights), spread) + penalty, weights.sum() * spread[None]]
        )
        scale = np.sqrt(curvature)
        start = np.vstack([np.zeros_like(scale[:-1]), np.log(shares)[None]])
        if np.array_equal(getattr(self, "classes_", []), classes):
            start = self.weights_

        def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
            """Return the penalised loss in nats and its gradient in scaled coordinates."""
            own = point.reshape(scale.shape) / scale
            missed = _products(values, own).astype(values.dtype)
            missed -= missed.max(axis=1, keepdims=True)
            of_truth = missed[rows, number]
            np.exp(missed, out=missed)
            sums = missed.sum(axis=1)
            missed /= sums[:, None]
            missed[rows, number] -= 1
            missed *= weights[:, None]
            slope = np.vstack([values.T @ missed + penalty * own[:-1], missed.sum(axis=0)[None]])
            total = penalty / 2 * np.square(own[:-1]).sum() + weights @ (np.log(sums) - of_truth)
            return float(total), (slope / scale).ravel().astype(float)

        found = minimize(
            loss,
            (start * scale).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "ftol": self.tol},
        )
        self.classes_, self.weights_ = classes, found.x.reshape(scale.shape) / scale
        self.n_iter_, self.converged_ = int(found.nit), bool(found.nit < self.max_iter)
        return self

    def predict_proba(self, values: np.ndarray | sp.csr_matrix) -> np.ndarray:
        """Return the probability of each of `classes_`: float64 (spots, classes)."""
        return softmax(_products(values, self.weights_), axis=1)

    def predict(self, values: np.ndarray | sp.csr_matrix) -> np.ndarray:
        """Return the most probable class of each spot."""
        return self.classes_[_products(values, self.weights_).argmax(axis=1)]


def _products(values: Any, weights: np.ndarray) -> np.ndarray:
    """Multiply values by weights in the values' precision, and add intercepts in float64."""
    return values @ weights[:-1].astype(values.dtype) + weights[-1]


def _squares(values: Any, weights: np.ndarray) -> np.ndarray:
    """Return weighted sums of squares of the features: float64 (features,)."""
    squares = values.multiply(values) if sp.issparse(values) else np.square(values)
    return np.asarray(squares.T @ weights, dtype=float)
