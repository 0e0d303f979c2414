"""Statistics of many pairs at once: rank correlations, intervals and tests over patients."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sagefm.annotation_scores import resampling
from sagefm.moments import correlation
from sagefm.signflip import EXACT_UP_TO

BOOTSTRAPS = 1000
DRAWS = 20_000
"""Patterns of signs drawn where there are too many patients for all."""
BLOCK = 4_000_000
"""Most numbers held at once while resampling or flipping signs."""


def level_spearman(levels: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """Spearman correlation of each row's responses with its levels, (pairs, levels) both.

    Returns
    -------
    ndarray
        float64 (pairs,); NaN where either side does not vary.
    """
    x, y = (stats.rankdata(side, axis=1) for side in (levels, responses))
    sums = [side.sum(axis=1) for side in (x, y, x * x, y * y, x * y)]
    rho = correlation(levels.shape[1], *sums)
    return np.where(np.isnan(responses).any(axis=1), np.nan, rho)


@dataclass(frozen=True)
class Patients:
    """Who the samples are of: what intervals and tests are over.

    `members`: float64 (patients, samples), 1 where a sample is a patient's.
    """

    members: np.ndarray

    @classmethod
    def of(cls, samples: pd.DataFrame) -> "Patients":
        """From columns sample and patient; a sample without a patient's name is its own."""
        named = samples["patient"].fillna("").astype(str).str.strip()
        owner = named.where(named != "", samples["sample"].astype(str)).to_numpy()
        return cls((np.unique(owner)[:, None] == owner).astype(float))

    def __len__(self) -> int:
        return len(self.members)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Each patient's mean over its samples: (..., samples) to (..., patients)."""
        return values @ (self.members / self.members.sum(axis=1, keepdims=True)).T

    def interval(self, values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """95 % interval of the mean over samples: percentiles over resampled patients.

        Parameters
        ----------
        values
            (..., samples).
        seed
            Of the `BOOTSTRAPS` resamplings, the same for all values.

        Returns
        -------
        tuple
            low and high, float64 (...); NaN for a single patient.
        """
        if len(self) < 2:
            return (np.full(values.shape[:-1], np.nan),) * 2
        drawn = resampling(len(self), BOOTSTRAPS, seed)
        weights = (drawn @ self.members / (drawn @ self.members.sum(axis=1))[:, None]).T
        flat = values.reshape(-1, values.shape[-1])
        ends = np.empty((2, len(flat)))
        step = max(1, BLOCK // BOOTSTRAPS)
        for start in range(0, len(flat), step):
            part = slice(start, start + step)
            ends[:, part] = np.percentile(flat[part] @ weights, [2.5, 97.5], axis=1)
        return ends[0].reshape(values.shape[:-1]), ends[1].reshape(values.shape[:-1])


def sign_flips(differences: np.ndarray, seed: int) -> np.ndarray:
    """Two-sided p of the mean of each row, by flipping the signs of its columns.

    As `signflip.sign_flip`, with the same patterns for all rows: exact for up to `EXACT_UP_TO`
    columns, `DRAWS` seeded patterns and the observed one for more.

    Parameters
    ----------
    differences
        (tests, patients).
    seed
        Of the patterns, where they are drawn.

    Returns
    -------
    ndarray
        float64 (tests,); NaN where a difference is.
    """
    tests, patients = differences.shape
    # Equal sums reached in another order differ in their last digits: they are ties.
    observed = np.abs(differences.sum(axis=1)) - 1e-9 * np.abs(differences).sum(axis=1)
    exact = patients <= EXACT_UP_TO
    patterns = 2 ** (patients - 1) if exact else DRAWS
    generator, extreme = np.random.default_rng(seed), np.zeros(tests)
    step = max(1, BLOCK // max(tests, patients))
    for start in range(0, patterns, step):
        numbers = np.arange(start, min(start + step, patterns))
        if exact:  # the first sign stays: a pattern and its opposite are equally extreme
            signs = 1.0 - 2 * (numbers[:, None] >> np.arange(patients - 1, -1, -1) & 1)
        else:
            signs = generator.choice([-1.0, 1.0], size=(len(numbers), patients))
        extreme += (np.abs(signs @ differences.T) >= observed).sum(axis=0)
    p = extreme / patterns if exact else (1 + extreme) / (1 + patterns)
    return np.where(np.isnan(differences).any(axis=1), np.nan, p)
