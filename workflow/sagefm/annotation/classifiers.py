"""Classifiers of spots, scaled, tuned and fitted on the training part only.

Every classifier follows a scaling to unit variance. All but the logistic regression would perform
poorly on a thousand features, so they use principal components. Each has one hyperparameter, chosen
within the training part on two halves of its patients.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from scipy.linalg import cholesky, solve_triangular
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sagefm.annotation.logistic import Multinomial

if TYPE_CHECKING:  # slow to import; needed only by some classifiers
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier

COMPONENTS = 50
"""Number of principal components for forest, knn and mlp, if a representation is wider."""

VARIANCE = 0.9999
"""Share of the variance of scaled features kept in as few rotated features as possible."""

HALVES = 2
"""Number of parts of the inner validation."""

COLUMNS_AT_ONCE = 2048

PENALTIES = tuple(10.0**power for power in range(-9, 7))
"""Values of C tried in logistic regression, from one class for all spots to almost no penalty."""

MARGIN = 0.01
"""Recall difference within which grid values count as equal; the simplest is then chosen."""

PATIENCE = 2
"""Number of successive values below the best by more than `MARGIN` that ends tuning."""

NEGLIGIBLE = 1e-6
"""Standard deviation, relative to the largest, below which a feature counts as constant."""

Values: TypeAlias = np.ndarray | sp.csr_matrix


@dataclass(frozen=True)
class Kind:
    """A classifier: its constructor and the values tried for its hyperparameter, simplest first.

    `tuning` holds settings that make tuning faster. `reduced` states whether the classifier uses
    principal components.
    """

    make: Callable[[int, str | None], Any]
    parameter: str
    grid: tuple
    tuning: Mapping[str, float]
    reduced: bool


class Scaling(StandardScaler):
    """Scaling to unit variance that sets features with almost no training variance to zero.

    Otherwise, rounding errors or chance values would be inflated to the size of other features.
    """

    def fit(self, values: Values, y: Any = None) -> "Scaling":
        """Fit mean and standard deviation of `values` (rows, features)."""
        super().fit(values)
        deviation = np.sqrt(self.var_)
        self.scale_[deviation <= NEGLIGIBLE * deviation.max()] = np.inf
        return self


def _logistic(seed: int, weights: str | None) -> Multinomial:
    return Multinomial(class_weight=weights)


def _forest(seed: int, weights: str | None) -> "RandomForestClassifier":
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        40, max_samples=0.5, class_weight=weights, random_state=seed, n_jobs=1
    )


def _knn(seed: int, weights: str | None) -> "KNeighborsClassifier":
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(algorithm="brute")


def _mlp(seed: int, weights: str | None) -> Pipeline:
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(
        (64,), batch_size=64, learning_rate_init=0.003, max_iter=20, random_state=seed
    )
    return make_pipeline(Scaling(), network)


CLASSIFIERS: Mapping[str, Kind] = {
    "logistic": Kind(_logistic, "C", PENALTIES, {"tol": 1e-4}, reduced=False),
    "forest": Kind(_forest, "min_samples_leaf", (10, 2), {"n_estimators": 20}, reduced=True),
    "knn": Kind(_knn, "n_neighbors", (50, 15, 5), {}, reduced=True),
    "mlp": Kind(_mlp, "mlpclassifier__alpha", (1.0, 1e-2), {}, reduced=True),
}


class TrainingSpan(TransformerMixin, BaseEstimator):
    """Centred coordinates in the span of the training rows, for more features than rows.

    Distances and scalar products between training rows are unchanged. A penalised linear model or
    nearest neighbours therefore give the same result, in n instead of p dimensions. The part of a
    test row outside the span does not affect them.
    """

    def fit(self, values: Values, y: Any = None) -> "TrainingSpan":
        """Factorise the Gram matrix of `values` (rows, features)."""
        self.rows_ = values
        gram = _products(values, values)
        self.means_, self.mean_ = gram.mean(axis=0), gram.mean()
        centred = gram - self.means_ - self.means_[:, None] + self.mean_
        # Centred rows are linearly dependent; a small ridge makes the factorisation possible.
        centred[np.diag_indices_from(centred)] += 1e-6 * max(np.trace(centred) / len(gram), 1e-12)
        self.factor_ = cholesky(centred, lower=True, overwrite_a=True, check_finite=False)
        return self

    def transform(self, values: Values) -> np.ndarray:
        """Return coordinates: float32 (rows, training rows)."""
        products = _products(values, self.rows_)
        centred = products - self.means_ - products.mean(axis=1, keepdims=True) + self.mean_
        solved = solve_triangular(self.factor_, centred.T, lower=True, check_finite=False)
        return np.ascontiguousarray(solved.T, dtype=np.float32)


def _products(left: Values, right: Values) -> np.ndarray:
    """Return scalar products of rows in float64, with only some columns dense at a time."""
    total = np.zeros((left.shape[0], right.shape[0]))
    left, right = (m if isinstance(m, np.ndarray) else m.tocsc() for m in (left, right))
    for first in range(0, left.shape[1], COLUMNS_AT_ONCE):
        some = (m[:, first : first + COLUMNS_AT_ONCE] for m in (left, right))
        a, b = (part if isinstance(part, np.ndarray) else part.toarray() for part in some)
        # In single precision, rounding errors of a dominant direction can exceed a small one.
        total += a.astype(np.float64) @ b.astype(np.float64).T
    return total


def fit_scaling(values: Values) -> Pipeline:
    """Fit a scaling of `values` to unit variance (and to zero mean, unless sparse).

    Many features are then rotated, for speed. With more features than rows, rows get coordinates in
    their span. Otherwise, the principal components that hold `VARIANCE` are kept; the rest is so
    small that a penalised model gives it no weight.
    """
    sparse = sp.issparse(values)
    steps: list[Any] = [Scaling(with_mean=not sparse)]
    if values.shape[1] > values.shape[0]:
        steps.append(TrainingSpan())
    elif values.shape[1] > COMPONENTS and not sparse:
        steps.append(PCA(VARIANCE, svd_solver="covariance_eigh"))
    return make_pipeline(*steps).fit(values)


def fit_reduction(scaled: Values, seed: int) -> PCA | None:
    """Fit principal components of scaled training values; None if there are few features."""
    if scaled.shape[1] <= COMPONENTS:
        return None
    solver = "arpack" if sp.issparse(scaled) else "randomized"
    components = min(COMPONENTS, scaled.shape[0] - 1)
    return PCA(components, svd_solver=solver, random_state=seed).fit(scaled)


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier, its chosen hyperparameter (`name=value`) and notes.

    `at_end` states whether a value beyond the grid could be better. This holds if the chosen value
    is the last, or if it is the first and separates classes.
    """

    model: Any
    chosen: str
    at_end: bool
    notes: tuple[str, ...]


def fit_classifier(
    name: str,
    values: Values,
    labels: np.ndarray,
    patients: np.ndarray,
    samples: np.ndarray,
    seed: int,
    class_weight: str | None = None,
) -> Fitted:
    """Choose the hyperparameter within a training part, then fit on the whole part.

    Parameters
    ----------
    name
        One of `CLASSIFIERS`.
    values
        Scaled values (spots, features) of the training part.
    labels, patients, samples
        (spots,) of the training part, with at least two classes.
    class_weight
        None, or `balanced` (logistic and forest) for equal class weights regardless of class size.
    """
    with warnings.catch_warnings():
        # Tables record fits that stopped early and classes with one spot instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class")
        return _tune_and_fit(
            CLASSIFIERS[name], values, labels, patients, samples, seed, class_weight
        )


def _tune_and_fit(kind, values, labels, patients, samples, seed, class_weight) -> Fitted:
    """Run `fit_classifier` without suppressing warnings of unfinished fits."""
    splits, notes = _inner_splits(labels, patients, samples, seed)
    number, at_end = _best_of_grid(kind, values, labels, splits, seed, class_weight)
    best = _possible(kind, number, len(labels))
    model = kind.make(seed, class_weight).set_params(**{kind.parameter: best}).fit(values, labels)
    if isinstance(model, Multinomial) and not model.converged_:
        notes.append(f"stopped after {model.max_iter} iterations")
    return Fitted(model, f"{kind.parameter.split('__')[-1]}={best:g}", at_end, tuple(notes))


def _best_of_grid(kind, values, labels, splits, seed, class_weight) -> tuple[int, bool]:
    """Return the index of the simplest value within `MARGIN` of the best recall, and `at_end`.

    Recall is the mean over halves. Values are tried from the simplest on. Tuning ends once
    `PATIENCE` in a row are worse than the best by more than `MARGIN`, and the best exceeds the
    recall of naming one class. Without halves, the simplest value is chosen.
    """
    models = [kind.make(seed, class_weight).set_params(**kind.tuning) for _ in splits]
    chance = [1 / len(np.unique(labels[test])) for _, test in splits]
    beyond_chance = MARGIN + float(np.mean(chance or 0))
    found: list[float] = []
    worse = 0
    for number in range(len(kind.grid) if splits else 0):
        recalls = []
        for model, (train, test) in zip(models, splits, strict=True):
            value = _possible(kind, number, len(train))
            model.set_params(**{kind.parameter: value}).fit(values[train], labels[train])
            recalls.append(mean_recall(labels[test], model.predict(values[test])))
        found.append(float(np.mean(recalls)))
        best = max(found)
        worse = worse + 1 if found[-1] < best - MARGIN and best > beyond_chance else 0
        if worse == PATIENCE:
            break
    if not found:
        return 0, False
    chosen = int(np.argmax(np.array(found) >= max(found) - MARGIN))
    return chosen, chosen == len(kind.grid) - 1 or (chosen == 0 and max(found) > beyond_chance)


def _possible(kind: Kind, number: int, rows: int) -> Any:
    """Return a value of the grid, limited to the number of rows if it counts neighbours."""
    value = kind.grid[number]
    return min(value, rows) if kind.parameter == "n_neighbors" else value


def _inner_splits(labels, patients, samples, seed) -> tuple[list, list[str]]:
    """Split the training part into halves by patient, otherwise by sample or by spot, with a note.

    Halves with a single class to learn from are left out. There are none if every class has one
    spot.
    """
    for groups, note in ((patients, None), (samples, "tuned across samples of one patient")):
        if len(np.unique(groups)) >= HALVES:
            usable = _usable(GroupKFold(HALVES).split(labels, groups=groups), labels)
            if usable:
                return usable, [note] if note else []
    usable = []
    if np.unique(labels, return_counts=True)[1].max() >= HALVES:
        folds = StratifiedKFold(HALVES, shuffle=True, random_state=seed)
        usable = _usable(folds.split(labels, labels), labels)
    return usable, ["tuned on halves of spots" if usable else "not tuned: too few spots"]


def _usable(halves: Iterable, labels: np.ndarray) -> list:
    return [half for half in halves if len(np.unique(labels[half[0]])) > 1]


def mean_recall(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the balanced accuracy: mean recall over the true classes."""
    _, number = np.unique(truth, return_inverse=True)
    found = np.bincount(number, weights=truth == predicted)
    return float(np.mean(found / np.bincount(number)))
