"""Paired differences: interval, exact sign-flip test, and Holm's correction of p values.

Under the null hypothesis, a pair's difference is as likely negative as positive. All sign patterns
are then equally likely (Fisher 1935; Good 2005). The test assumes nothing about the differences'
distribution.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

EXACT_UP_TO = 18
"""Maximum number of pairs for enumerating all sign patterns (2^18 patterns take milliseconds)."""

DRAWS = 100_000
"""Number of patterns drawn if there are more pairs."""

MANY_DRAWS = 20_000
"""Number of patterns drawn when thousands of tests are made at once."""

BLOCK = 4_000_000
"""Maximum number of values in memory while flipping signs."""


def paired_difference(values: np.ndarray, lower_is_better: bool = False) -> dict[str, float]:
    """Summarise the paired differences between two methods for a table.

    Parameters
    ----------
    values
        (pairs,): method minus reference, one per patient. Pairs that lack a value are NaN and left
        out.
    lower_is_better
        Whether a negative difference is better.

    Returns
    -------
    dict
        difference (mean), low and high (95% t interval; NaN for fewer than 2 pairs), p
        (`sign_flip`), smallest_p (attainable with this number of pairs), n, better_in (number of
        pairs).
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    mean, low, high = t_interval(values)
    better = values < 0 if lower_is_better else values > 0
    return {
        "difference": mean,
        "low": low,
        "high": high,
        "p": sign_flip(values),
        "smallest_p": smallest_p(len(values)),
        "n": len(values),
        "better_in": int(better.sum()),
    }


def t_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Return mean and 95% t interval of independent values (n,); NaN bounds for fewer than two."""
    n = len(values)
    mean = float(np.mean(values)) if n else np.nan
    if n < 2:
        return mean, np.nan, np.nan
    # Not by `loc` and `scale`, which give NaN for equal values, where the interval has width 0.
    reach = stdtrit(n - 1, [0.025, 0.975]) * np.std(values, ddof=1) / np.sqrt(n)
    low, high = (mean + reach).tolist()
    return mean, low, high


def smallest_p(pairs: int) -> float:
    """Return the smallest p that `sign_flip` can reach with this number of pairs; NaN for none."""
    if not pairs:
        return float("nan")
    return 2.0 ** (1 - pairs) if pairs <= EXACT_UP_TO else 1 / (1 + DRAWS)


def sign_flip(differences: np.ndarray, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the two-sided p of the mean of paired differences, by `sign_flips`.

    Parameters
    ----------
    differences
        (pairs,): one per section, patient, ... Pairs that lack a value are NaN and left out.
    draws, seed
        Number of patterns drawn if there are too many to enumerate, and their seed.

    Returns
    -------
    float
        p, or NaN without pairs.

    Raises
    ------
    ValueError
        If the differences are not one-dimensional.
    """
    differences = np.asarray(differences, dtype=float)
    if differences.ndim != 1:
        raise ValueError(f"differences must be one-dimensional, not {differences.ndim}-dimensional")
    differences = differences[~np.isnan(differences)]
    if not len(differences):
        return float("nan")
    return float(sign_flips(differences[None], seed, draws)[0])


def sign_flips(differences: np.ndarray, seed: int, draws: int = MANY_DRAWS) -> np.ndarray:
    """Return two-sided p values of the means of several sets of paired differences.

    Exact for up to `EXACT_UP_TO` pairs; the smallest attainable value is then 2 / 2^n. With more
    pairs, a seeded sample of patterns is used, the same for all sets, and includes the observed one
    (Phipson and Smyth 2010).

    Parameters
    ----------
    differences
        (tests, pairs).
    seed, draws
        Seed and number of patterns drawn if there are too many to enumerate.

    Returns
    -------
    ndarray
        float64 (tests,); NaN if any difference is NaN.
    """
    tests, pairs = differences.shape
    # Equal sums added in another order differ in their last digits but count as ties.
    observed = np.abs(differences.sum(axis=1)) - 1e-9 * np.abs(differences).sum(axis=1)
    exact = pairs <= EXACT_UP_TO
    patterns = 2 ** (pairs - 1) if exact else draws
    generator, extreme = np.random.default_rng(seed), np.zeros(tests)
    step = max(1, BLOCK // max(tests, pairs))
    for start in range(0, patterns, step):
        numbers = np.arange(start, min(start + step, patterns))
        if exact:  # the first sign is fixed, as opposite patterns are equally extreme
            signs = 1.0 - 2 * (numbers[:, None] >> np.arange(pairs - 1, -1, -1) & 1)
        else:
            signs = generator.choice([-1.0, 1.0], size=(len(numbers), pairs))
        extreme += (np.abs(signs @ differences.T) >= observed).sum(axis=0)
    p = extreme / patterns if exact else (1 + extreme) / (1 + patterns)
    return np.where(np.isnan(differences).any(axis=1), np.nan, p)


def holm_within(table: pd.DataFrame, family: Sequence[str]) -> pd.Series:
    """Apply `holm` to column p of a table within each family of tests.

    Parameters
    ----------
    table
        Table with column p and those of the family; missing values in them form their own group.
    family
        Columns whose values define a family; empty if all tests are one family.

    Returns
    -------
    Series
        float64, with the table's index.
    """
    if not family:
        return pd.Series(holm(table["p"]), index=table.index)
    groups = table.groupby([*family], dropna=False)["p"]
    return groups.transform(lambda p: holm(p.to_numpy()))


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust the p values of a family of tests by Holm's (1979) step-down method; NaN stays NaN.

    Agrees with `statsmodels.stats.multitest.multipletests`. That function runs garbage collection
    at every call, which takes 0.1 s when torch is loaded.

    Parameters
    ----------
    p_values
        (tests,); NaN values do not count as tests.
    """
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: int(np.sum(~np.isnan(p_values)))]  # NaN sorts last
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
