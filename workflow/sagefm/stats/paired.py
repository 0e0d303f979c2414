"""Paired differences: their interval, exact sign-flip test, and Holm's correction of its p values.

Under the null hypothesis a pair's difference is as likely negative as positive, so that all sign
patterns are equally likely (Fisher 1935; Good 2005). Nothing is assumed of the differences' shape.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

EXACT_UP_TO = 18
"""Pairs up to which every pattern of signs is gone through (2^18 patterns, milliseconds)."""

DRAWS = 100_000
"""Patterns drawn where there are more pairs."""

MANY_DRAWS = 20_000
"""The same where thousands of tests are made at once."""

BLOCK = 4_000_000
"""Most numbers held at once while flipping."""


def paired_difference(values: np.ndarray, lower_is_better: bool = False) -> dict[str, float]:
    """What a table says of the differences between two methods, pair by pair.

    Parameters
    ----------
    values
        (pairs,): a method less its reference, one a patient; NaN where a pair lacks a value, which
        leaves it out.
    lower_is_better
        Whether a negative difference is the better one.

    Returns
    -------
    dict
        difference (mean), low and high (95 % by t; NaN for fewer than 2 pairs), p (`sign_flip`),
        smallest_p (attainable with so many pairs), n, better_in (pairs).
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
    """Mean and 95 % t interval of independent values (n,); NaN bounds for fewer than two."""
    n = len(values)
    mean = float(np.mean(values)) if n else np.nan
    if n < 2:
        return mean, np.nan, np.nan
    # Not by its `loc` and `scale`: it gives NaN for equal values, whose interval has no width.
    reach = stdtrit(n - 1, [0.025, 0.975]) * np.std(values, ddof=1) / np.sqrt(n)
    low, high = (mean + reach).tolist()
    return mean, low, high


def smallest_p(pairs: int) -> float:
    """The smallest p that `sign_flip` can give for so many pairs; NaN for none."""
    if not pairs:
        return float("nan")
    return 2.0 ** (1 - pairs) if pairs <= EXACT_UP_TO else 1 / (1 + DRAWS)


def sign_flip(differences: np.ndarray, draws: int = DRAWS, seed: int = 0) -> float:
    """Two-sided p value of the mean of paired differences, by `sign_flips`.

    Parameters
    ----------
    differences
        (pairs,): one a section, patient, ...; NaN where a pair lacks a value, which leaves it out.
    draws, seed
        Patterns drawn where there are too many for all, and their seed.

    Returns
    -------
    float
        p, or NaN if there is no pair.

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
    """Two-sided p values of the means of several sets of paired differences.

    Exact for up to `EXACT_UP_TO` pairs, when the smallest attainable value is 2 / 2^n; for more, a
    seeded sample of the patterns, the same for all sets, the observed one counted with it (Phipson
    and Smyth 2010).

    Parameters
    ----------
    differences
        (tests, pairs).
    seed, draws
        Of the patterns, where there are too many for all, and how many are drawn.

    Returns
    -------
    ndarray
        float64 (tests,); NaN where a difference is.
    """
    tests, pairs = differences.shape
    # Equal sums reached in another order differ in their last digits: they are ties.
    observed = np.abs(differences.sum(axis=1)) - 1e-9 * np.abs(differences).sum(axis=1)
    exact = pairs <= EXACT_UP_TO
    patterns = 2 ** (pairs - 1) if exact else draws
    generator, extreme = np.random.default_rng(seed), np.zeros(tests)
    step = max(1, BLOCK // max(tests, pairs))
    for start in range(0, patterns, step):
        numbers = np.arange(start, min(start + step, patterns))
        if exact:  # the first sign stays: a pattern and its opposite are equally extreme
            signs = 1.0 - 2 * (numbers[:, None] >> np.arange(pairs - 1, -1, -1) & 1)
        else:
            signs = generator.choice([-1.0, 1.0], size=(len(numbers), pairs))
        extreme += (np.abs(signs @ differences.T) >= observed).sum(axis=0)
    p = extreme / patterns if exact else (1 + extreme) / (1 + patterns)
    return np.where(np.isnan(differences).any(axis=1), np.nan, p)


def holm_within(table: pd.DataFrame, family: Sequence[str]) -> pd.Series:
    """`holm` of a table's column p within each family of tests.

    Parameters
    ----------
    table
        Column p and those of the family; a missing value in them is a value like others.
    family
        Columns that the tests of one family share; none if all are one family.

    Returns
    -------
    Series
        float64, of the table's rows.
    """
    if not family:
        return pd.Series(holm(table["p"]), index=table.index)
    groups = table.groupby([*family], dropna=False)["p"]
    return groups.transform(lambda p: holm(p.to_numpy()))


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjusted p values of a family of tests, by Holm's (1979) step-down method; NaN stays NaN.

    As `statsmodels.stats.multitest.multipletests`, which collects garbage at every call: a tenth of
    a second where torch is loaded, for tables of hundreds of families.

    Parameters
    ----------
    p_values
        (tests,); those that are NaN are not counted.
    """
    p_values = np.asarray(p_values, dtype=float)
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values)[: int(np.sum(~np.isnan(p_values)))]  # NaN sorts last
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
