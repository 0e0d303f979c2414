"""Choice of the number of clusters: the largest number that is stable across spots and seeds.

For each number, k-means is fitted on random parts of the spots, and every spot is assigned to the
nearest centre of each fit. Stability is the mean adjusted Rand index over all pairs of fits. The
chosen number is the largest one that is nearly as stable as the most stable one.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.cluster import KMeans

from sagefm.clustering.metrics import adjusted_rand
from sagefm.plotting.style import GREY, NEUTRAL, SINGLE, head, styled

NUMBERS = tuple(range(2, 16))
"""Numbers of clusters to try."""

REPEATS = 10
"""Number of fits per number of clusters, each with its own part of the spots and seed."""

PART = 0.8
"""Share of the spots used in a fit."""

MARGIN = 0.05
"""Difference from the highest adjusted Rand index within which a number counts as stable."""


def stability_table(
    values: np.ndarray, numbers: Sequence[int] = NUMBERS, repeats: int = REPEATS, seed: int = 0
) -> pd.DataFrame:
    """Compute the agreement of clusterings fitted on different spots, by number of clusters.

    Parameters
    ----------
    values
        float (spots, features).
    numbers
        Numbers of clusters; those not smaller than a part of the spots are left out.
    repeats, seed
        Number of fits per number of clusters, and seed of the first.

    Returns
    -------
    DataFrame
        Columns number, stability (mean adjusted Rand index of all pairs of fits), low, high (10th
        and 90th percentiles of the pairs), pairs.
    """
    size = round(PART * len(values))
    rows = []
    for number in (number for number in numbers if number < size):
        fits = []
        for repeat in range(repeats):
            rng = np.random.default_rng([seed, repeat])
            part = rng.permutation(len(values))[:size]
            means = KMeans(number, n_init=3, random_state=seed + repeat).fit(values[part])
            fits.append(means.predict(values))
        found = [adjusted_rand(one, other) for one, other in combinations(fits, 2)]
        low, high = np.percentile(found, [10, 90])
        rows.append((number, float(np.mean(found)), low, high, len(found)))
    return pd.DataFrame(rows, columns=["number", "stability", "low", "high", "pairs"])


def stable_number(stability: pd.DataFrame) -> int:
    """Return the largest number of a `stability_table` within `MARGIN` of the most stable one."""
    stable = stability["stability"] >= stability["stability"].max() - MARGIN
    return int(stability.loc[stable, "number"].max())


@styled
def draw_stability(stability: pd.DataFrame, chosen: int) -> Figure:
    """Draw stability by number of clusters, with the chosen number.

    Parameters
    ----------
    stability
        Result of `stability_table`.
    chosen
        Chosen number of clusters.
    """
    figure = Figure(figsize=(SINGLE, 2.6))
    ax = figure.subplots()
    number, mean = stability["number"], stability["stability"]
    ax.fill_between(number, stability["low"], stability["high"], color=GREY, alpha=0.3, lw=0)
    ax.plot(number, mean, "o-", color=NEUTRAL)
    own = stability[number == chosen]
    ax.plot(own["number"], own["stability"], "o", color=NEUTRAL, ms=7)
    ax.axhline(mean.max() - MARGIN, color=NEUTRAL, lw=0.6, ls=":")
    ax.set(xlabel="number of domains", ylabel="adjusted Rand index between fits")
    ax.set_ylim(min(0, float(stability["low"].min())), 1.02)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    found = float(own["stability"].iloc[0])
    head(figure, f"{chosen} domains: adjusted Rand index {found:.2f}")
    return figure
