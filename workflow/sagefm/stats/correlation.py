"""Correlation of two matrices, gene by gene, over hidden entries only, one batch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr


class Entries:
    """Hidden entries of a mask, sorted by column, with sums over the entries of each column.

    Few entries are hidden, so extracting them is faster than passing over all. With `by_row`,
    columns here are rows of the mask.

    Attributes
    ----------
    row
        Row of each entry: int64 (entries,).
    n
        Number of entries in each column: int64 (columns,).
    """

    def __init__(self, mask: np.ndarray, by_row: bool = False) -> None:
        rows, columns = mask.shape
        if by_row:
            self._flat = np.flatnonzero(mask)
            column, self.row = np.divmod(self._flat, columns)
        else:
            column, self.row = np.divmod(np.flatnonzero(mask.T), rows)
            self._flat = self.row * columns + column
        self.n = np.bincount(column, minlength=rows if by_row else columns)
        self._filled = np.flatnonzero(self.n)
        self._starts = (np.cumsum(self.n) - self.n)[self._filled]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Take the entries' values from a matrix of the mask's shape: float64 (entries,)."""
        return np.take(values, self._flat).astype(np.float64)

    def predictions(self, predicted: np.ndarray, blind: np.ndarray | None) -> Iterator[np.ndarray]:
        """Yield the entries' values of each prediction of `Moments.add`: float64 (entries,)."""
        yield from map(self.take, predicted)
        if blind is not None:
            yield from blind[:, self.row]

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum values (..., entries) over each column: float64 (..., columns)."""
        total = np.zeros((*values.shape[:-1], len(self.n)))
        if len(self._starts):
            total[..., self._filled] = np.add.reduceat(values, self._starts, axis=-1)
        return total


def spot_scores(truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return R2 and MSE of each spot over its hidden genes: float64 (2, P, spots).

    R2 = 1 - var(error) / var(truth), as in the released code: a constant offset is not penalised.
    NaN if the truth does not vary.
    """
    entries = Entries(mask, by_row=True)
    x = entries.take(truth)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = entries.sums(x**2) / entries.n - (entries.sums(x) / entries.n) ** 2
        spread = np.where(spread > 0, spread, np.nan)
        scores = []
        for prediction in predicted:
            error = entries.take(prediction) - x
            mse = entries.sums(error**2) / entries.n
            scores.append((1 - (mse - (entries.sums(error) / entries.n) ** 2) / spread, mse))
    return np.array(scores).transpose(1, 0, 2)


@dataclass
class Moments:
    """Sums per gene (last axis) over hidden entries of truth x and P predictions y.

    `n`, `x`, `xx`: float64 (genes,); `y`, `yy`, `xy`: float64 (P, genes). Sums of several batches,
    samples or strata can be added.
    """

    n: np.ndarray
    x: np.ndarray
    xx: np.ndarray
    y: np.ndarray
    yy: np.ndarray
    xy: np.ndarray

    @classmethod
    def zeros(cls, predictions: int, genes: int) -> "Moments":
        """Return sums of 0."""
        return cls(*np.zeros((3, genes)), *np.zeros((3, predictions, genes)))

    def add(
        self,
        truth: np.ndarray,
        predicted: np.ndarray,
        mask: np.ndarray,
        blind: np.ndarray | None = None,
    ) -> None:
        """Add a batch: truth and mask (spots, genes), predicted (P, spots, genes).

        `blind` (B, spots) holds further predictions that are the same for all genes, the last of P.
        """
        entries = Entries(mask)
        x = entries.take(truth)
        self.n += entries.n
        self.x += entries.sums(x)
        self.xx += entries.sums(x * x)
        for p, y in enumerate(entries.predictions(predicted, blind)):
            self.y[p] += entries.sums(y)
            self.yy[p] += entries.sums(y * y)
            self.xy[p] += entries.sums(x * y)

    def __iadd__(self, other: "Moments") -> "Moments":
        for name in vars(self):
            getattr(self, name).__iadd__(getattr(other, name))
        return self

    def squared_error(self) -> np.ndarray:
        """Return the sum of squared errors: (P, genes)."""
        return np.maximum(self.xx - 2 * self.xy + self.yy, 0)

    def varies(self) -> np.ndarray:
        """Return whether the truth varies over hidden entries, and so is tested: bool (genes,)."""
        return self.xx - self.x**2 / np.maximum(self.n, 1) > 0

    def pearson(self) -> np.ndarray:
        """Return the Pearson correlation (P, genes); NaN if either side does not vary."""
        return correlation(self.n, self.x, self.y, self.xx, self.yy, self.xy)


def correlation(n, x, y, xx, yy, xy) -> np.ndarray:
    """Return the Pearson correlation from sums; NaN if a side varies only by rounding errors."""
    with np.errstate(invalid="ignore", divide="ignore"):
        variance_x, variance_y = xx - x**2 / n, yy - y**2 / n
        varies = (variance_x > 1e-10 * xx) & (variance_y > 1e-10 * yy)
        r = (xy - x * y / n) / np.sqrt(variance_x * variance_y)
    return np.where(varies & (n > 2), np.clip(r, -1, 1), np.nan)


def median(values: np.ndarray) -> float:
    """Return the median of non-NaN values; NaN if there are none."""
    values = np.asarray(values, dtype=float)
    return float(np.nanmedian(values)) if np.isfinite(values).any() else np.nan


def p_value(r: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the two-sided p of a correlation r over n pairs (t distribution, n - 2 degrees).

    Agrees with `scipy.stats.pearsonr` and `spearmanr`; NaN if r is NaN.
    """
    degrees = np.maximum(n - 2, 1)
    with np.errstate(divide="ignore"):
        t = np.abs(r) * np.sqrt(degrees / (1 - r**2))
    return np.where(np.isnan(r), np.nan, 2 * stdtr(degrees, -t))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjust p by Benjamini-Hochberg (doi:10.1111/j.2517-6161.1995.tb02031.x); NaN stays NaN."""
    from scipy.stats import false_discovery_control  # slow to import and rarely used

    adjusted = np.full(p.shape, np.nan)
    known = ~np.isnan(p)
    if known.any():
        adjusted[known] = false_discovery_control(p[known])
    return adjusted


def masked_spearman(x: np.ndarray, predicted: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Compute the Spearman correlation of each prediction and gene over the hidden entries.

    Parameters
    ----------
    x
        Truth (spots, genes).
    predicted
        Predictions (P, spots, genes).
    mask
        Hidden entries: bool (spots, genes).

    Returns
    -------
    ndarray
        float64 (P, genes); NaN if either side does not vary.
    """
    from scipy.stats import rankdata

    # Few entries are hidden: each column's are moved to its top, and only these rows are ranked.
    rows = np.argsort(~mask, axis=0, kind="stable")[: mask.sum(axis=0).max(initial=0)]
    hidden = np.take_along_axis(mask, rows, axis=0)

    def ranked(side: np.ndarray) -> np.ndarray:
        # Visible entries get the last ranks on both sides and are then left out.
        return rankdata(np.where(hidden, np.take_along_axis(side, rows, axis=0), np.inf), axis=0)

    truth, found = ranked(x), []
    for side in predicted:  # one at a time, to save memory
        moments = Moments.zeros(1, x.shape[1])
        moments.add(truth, ranked(side)[None], hidden)
        found.append(moments.pearson()[0])
    return np.stack(found)
