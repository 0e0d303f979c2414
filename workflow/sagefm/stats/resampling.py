"""Statistics over patients: rank correlations of many pairs, and intervals over patients."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagefm.stats.correlation import correlation

BOOTSTRAPS = 1000
"""Number of resamplings for an interval over patients."""

BLOCK = 4_000_000
"""Maximum number of values in memory while resampling."""


def resampling(patients: int, draws: int, seed: int = 0) -> np.ndarray:
    """Return how often each patient is drawn: float64 (draws, patients), fixed by the arguments."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(patients, np.full(patients, 1 / patients), draws).astype(float)


def with_intervals(found: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return values with 95% intervals: percentiles over the resamplings of each.

    Parameters
    ----------
    found
        Arrays (1 + draws,) by name: the value, then those of the resamplings. NaN values do not
        count.

    Returns
    -------
    dict
        Each name, and the name with `_low` and `_high` (NaN if no resampling has a value).
    """
    facts: dict[str, float] = {}
    for name, values in found.items():
        drawn = values[1:][~np.isnan(values[1:])]
        ends = np.percentile(drawn, [2.5, 97.5]) if len(drawn) else (np.nan, np.nan)
        facts |= {name: values[0], f"{name}_low": ends[0], f"{name}_high": ends[1]}
    return facts


def level_spearman(levels: np.ndarray, responses: np.ndarray) -> np.ndarray:
    """Compute the Spearman correlation of each row's responses with its levels (pairs, levels).

    Returns
    -------
    ndarray
        float64 (pairs,); NaN if either side does not vary.
    """
    from scipy.stats import rankdata  # slow to import; not needed for intervals

    x, y = (rankdata(side, axis=1) for side in (levels, responses))
    sums = [side.sum(axis=1) for side in (x, y, x * x, y * y, x * y)]
    rho = correlation(levels.shape[1], *sums)
    return np.where(np.isnan(responses).any(axis=1), np.nan, rho)


@dataclass(frozen=True)
class Patients:
    """Patients of the samples, over whom intervals and tests are computed.

    `members`: float64 (patients, samples), 1 where a sample belongs to a patient.
    """

    members: np.ndarray

    @classmethod
    def of(cls, samples: pd.DataFrame) -> "Patients":
        """Build from column patient, as named by `patients.name_patients`."""
        owner = samples["patient"].to_numpy(dtype=str)
        return cls((np.unique(owner)[:, None] == owner).astype(float))

    def __len__(self) -> int:
        return len(self.members)

    def means(self, values: np.ndarray) -> np.ndarray:
        """Average over each patient's samples: (..., samples) to (..., patients)."""
        return values @ (self.members / self.members.sum(axis=1, keepdims=True)).T

    def interval(self, values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the 95% interval of the mean over samples: percentiles over resampled patients.

        Parameters
        ----------
        values
            (..., samples).
        seed
            Seed of the `BOOTSTRAPS` resamplings, which are the same for all values.

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
