"""Classifiers of spots: scaled, tuned and fitted on the training part alone.

Every classifier comes after a scaling to unit variance. Those that would suffer from a thousand
features (all but the logistic regression) first see their principal components. The one
hyperparameter of each is chosen within the training part, on two halves of its patients.
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

if TYPE_CHECKING:  # a second to import; only the classifiers that need them pay
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier

COMPONENTS = 50
"""Principal components that forest, knn and mlp see of a wider representation."""

VARIANCE = 0.9999
"""Share of the variance of scaled features that is kept, in as few rotated ones as hold it."""

HALVES = 2
"""Parts of the inner validation."""

COLUMNS_AT_ONCE = 2048

PENALTIES = tuple(10.0**power for power in range(-9, 7))
"""Values of C tried in the logistic regression: from one class for all spots to no penalty to speak
of, so that the best is not the last."""

MARGIN = 0.01
"""Recall within which values of a grid count as equally good: the simplest of them is chosen."""

PATIENCE = 2
"""Values tried in a row that are worse than the best by more, after which the rest is not tried."""

NEGLIGIBLE = 1e-6
"""Standard deviation, relative to the largest, below which a feature counts as constant."""

Values: TypeAlias = np.ndarray | sp.csr_matrix


@dataclass(frozen=True)
class Kind:
    """A classifier: how to make it, and the values tried of one hyperparameter, simplest first.

    `tuning` are settings that make it cheaper while that is chosen, `reduced` whether it sees
    principal components.
    """

    make: Callable[[int, str | None], Any]
    parameter: str
    grid: tuple
    tuning: Mapping[str, float]
    reduced: bool


class Scaling(StandardScaler):
    """To unit variance, with features that hardly vary in the training part put to zero.

    They would otherwise be inflated to the size of the others: rounding errors, or a chance value.
    """

    def fit(self, values: Values, y: Any = None) -> "Scaling":
        """Learn mean and standard deviation of `values` (rows, features)."""
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

    Distances and scalar products of the training rows stay as they are, so a penalised linear
    model or a nearest neighbour comes out the same, in n instead of p dimensions. A test row's part
    outside the span plays no role in them.
    """

    def fit(self, values: Values, y: Any = None) -> "TrainingSpan":
        """Factor the Gram matrix of `values` (rows, features)."""
        self.rows_ = values
        gram = _products(values, values)
        self.means_, self.mean_ = gram.mean(axis=0), gram.mean()
        centred = gram - self.means_ - self.means_[:, None] + self.mean_
        # Centred rows depend on each other linearly: a little is added for the factor to exist.
        centred[np.diag_indices_from(centred)] += 1e-6 * max(np.trace(centred) / len(gram), 1e-12)
        self.factor_ = cholesky(centred, lower=True, overwrite_a=True, check_finite=False)
        return self

    def transform(self, values: Values) -> np.ndarray:
        """Coordinates float32 (rows, training rows)."""
        products = _products(values, self.rows_)
        centred = products - self.means_ - products.mean(axis=1, keepdims=True) + self.mean_
        solved = solve_triangular(self.factor_, centred.T, lower=True, check_finite=False)
        return np.ascontiguousarray(solved.T, dtype=np.float32)


def _products(left: Values, right: Values) -> np.ndarray:
    """Scalar products of rows, float64, with only some columns dense at a time."""
    total = np.zeros((left.shape[0], right.shape[0]))
    left, right = (m if isinstance(m, np.ndarray) else m.tocsc() for m in (left, right))
    for first in range(0, left.shape[1], COLUMNS_AT_ONCE):
        some = (m[:, first : first + COLUMNS_AT_ONCE] for m in (left, right))
        a, b = (part if isinstance(part, np.ndarray) else part.toarray() for part in some)
        # In single precision the rounding of a dominant direction can outweigh a small one.
        total += a.astype(np.float64) @ b.astype(np.float64).T
    return total


def fit_scaling(values: Values) -> Pipeline:
    """Scaling to unit variance (and zero mean, unless sparse), fitted on `values`.

    Many features are then rotated, for speed: to the rows' coordinates in their span if there are
    more features than rows, else onto the principal components that hold `VARIANCE`. What is left
    out of the latter is so small that a penalised model gives it no weight.
    """
    sparse = sp.issparse(values)
    steps: list[Any] = [Scaling(with_mean=not sparse)]
    if values.shape[1] > values.shape[0]:
        steps.append(TrainingSpan())
    elif values.shape[1] > COMPONENTS and not sparse:
        steps.append(PCA(VARIANCE, svd_solver="covariance_eigh"))
    return make_pipeline(*steps).fit(values)


def fit_reduction(scaled: Values, seed: int) -> PCA | None:
    """Principal components of scaled training values; None if there are few features anyway."""
    if scaled.shape[1] <= COMPONENTS:
        return None
    solver = "arpack" if sp.issparse(scaled) else "randomized"
    components = min(COMPONENTS, scaled.shape[0] - 1)
    return PCA(components, svd_solver=solver, random_state=seed).fit(scaled)


@dataclass(frozen=True)
class Fitted:
    """A fitted classifier, the hyperparameter chosen (`name=value`), and what is to be noted.

    `at_end` is whether a value beyond the grid could be better: it is the last, or it is the first
    and tells classes apart.
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
    """Choose the hyperparameter within a training part, then fit on all of it.

    Parameters
    ----------
    name
        One of `CLASSIFIERS`.
    values
        (spots, features) of the training part, scaled.
    labels, patients, samples
        (spots,) of the training part, of two classes or more.
    class_weight
        None, or `balanced` (logistic and forest): classes weigh the same, whatever their size.
    """
    with warnings.catch_warnings():
        # A fit that stopped early is noted in the table instead, a class of one spot in another.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The least populated class")
        return _tune_and_fit(
            CLASSIFIERS[name], values, labels, patients, samples, seed, class_weight
        )


def _tune_and_fit(kind, values, labels, patients, samples, seed, class_weight) -> Fitted:
    """`fit_classifier`, with the warnings of unfinished fits."""
    splits, notes = _inner_splits(labels, patients, samples, seed)
    number, at_end = _best_of_grid(kind, values, labels, splits, seed, class_weight)
    best = _possible(kind, number, len(labels))
    model = kind.make(seed, class_weight).set_params(**{kind.parameter: best}).fit(values, labels)
    if isinstance(model, Multinomial) and not model.converged_:
        notes.append(f"stopped after {model.max_iter} iterations")
    return Fitted(model, f"{kind.parameter.split('__')[-1]}={best:g}", at_end, tuple(notes))


def _best_of_grid(kind, values, labels, splits, seed, class_weight) -> tuple[int, bool]:
    """Which value is chosen, and `Fitted.at_end`: the simplest within `MARGIN` of the best recall.

    Recall is the halves' mean. Values are tried from the simplest on, until `PATIENCE` in a row are
    worse than the best by more than `MARGIN`, and something has been learned: recall is above that
    of naming one class. Without halves the simplest value is chosen.
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
    """A value of the grid, not more neighbours than there are rows."""
    value = kind.grid[number]
    return min(value, rows) if kind.parameter == "n_neighbors" else value


def _inner_splits(labels, patients, samples, seed) -> tuple[list, list[str]]:
    """Halves of the training part by patient, else by sample, else by spot, which is noted.

    A half with one class to learn from is left out; there is none where every class has one spot.
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
    """Balanced accuracy: the mean over the true classes of the share of their spots found."""
    _, number = np.unique(truth, return_inverse=True)
    found = np.bincount(number, weights=truth == predicted)
    return float(np.mean(found / np.bincount(number)))
