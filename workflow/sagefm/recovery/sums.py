"""Sums of a recovery over the sections of a cohort, from which its tables are computed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from sagefm.recovery.predictors import DEPTH_DEGREE, EXPRESSION, PREDICTORS, ROLES
from sagefm.stats.correlation import Moments, median, p_value
from sagefm.stats.partial import Covariates
from sagefm.stats.patients import seen_stratum

DETECTION_BINS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Bin edges of the detection rate: the share of a gene's hidden entries above 0."""


def detection_bins(detection: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each bin of detection rates (genes,): its name and a mask of the genes in it."""
    for low, high in pairwise(DETECTION_BINS):
        yield f"{low:g}-{high:g}", (detection > low) & (detection <= high)


def is_recovered(r: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Whether a correlation is positive at two-sided p < 0.05; false where it is undefined."""
    return (r > 0) & (p < 0.05)


def comparable(r: np.ndarray) -> np.ndarray:
    """Genes on whose correlations (P, genes) predictors can be compared: bool (genes,).

    These are the genes for which all predictors have a correlation. Predictors without a
    correlation for any gene are ignored.
    """
    known = ~np.isnan(r)
    varying = known[known.any(axis=1)]
    return np.asarray(varying.all(axis=0) & bool(len(varying)))


class Within:
    """One kind of correlation within sections, summed over sections: arrays (P, genes).

    `r` sums the correlations, `n` counts those that are defined, and `hits` those that are positive
    at p < 0.05. `shared_r` (P, genes) and `shared_n` (genes,) do the same over sections where the
    gene is `comparable`. `tested` (genes,) counts sections in which the truth varies.
    """

    def __init__(self, genes: int) -> None:
        self.r, self.n, self.hits, self.shared_r = np.zeros((4, len(PREDICTORS), genes))
        self.shared_n, self.tested = np.zeros((2, genes))

    def add(self, r: np.ndarray, p: np.ndarray, tested: np.ndarray) -> None:
        """Add a section: correlation and p (P, genes), and where the truth varies (genes,)."""
        self.r += np.nan_to_num(r)
        self.n += ~np.isnan(r)
        self.hits += is_recovered(r, p)
        shared = comparable(r)
        self.shared_r += np.where(shared, np.nan_to_num(r), 0)
        self.shared_n += shared
        self.tested += tested

    def means(self) -> np.ndarray:
        """Mean correlation and share of hits, over sections where the predictor's is defined."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([self.r, self.hits]) / self.n

    def shared_means(self) -> np.ndarray:
        """Mean correlation and share of hits, over the same sections for all predictors.

        The correlation is over sections where the gene is comparable. The share is over sections
        where its truth varies; an undefined correlation is not a hit.
        """
        varies = self.n.any(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            r = np.where(varies, self.shared_r / self.shared_n, np.nan)
            return np.stack([r, self.hits / self.tested])


@dataclass
class Recovery:
    """Sums over a cohort's sections.

    `strata` maps (kind, value) to `Moments`. `detected` counts each gene's hidden entries above 0.
    `within` and `given_depth` sum correlations within sections, plain and given the depth of the
    spot. `samples`, `bins` and `spots` are rows of tables: by section, by the detection rate of
    genes in a section, and by spot.
    """

    genes: int
    strata: dict[tuple[str, str], Moments] = field(default_factory=dict)
    members: dict[tuple[str, str], list[dict]] = field(default_factory=dict)
    samples: list[dict] = field(default_factory=list)
    bins: list[dict] = field(default_factory=list)
    spots: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.detected = np.zeros(self.genes)
        self.within, self.given_depth = Within(self.genes), Within(self.genes)
        self.spearman = np.full((len(PREDICTORS), self.genes), np.nan)
        self.spearman_n = np.zeros(self.genes)

    def add_section(
        self,
        facts: dict,
        moments: Moments,
        depth: Covariates,
        spots: pd.DataFrame,
        detected: np.ndarray,
    ) -> None:
        """Add one section: facts (sample, patient, organ, patient_seen), its sums and spots.

        `detected` (genes,) counts each gene's hidden entries above 0.
        """
        self.detected += detected
        tested = moments.varies()
        r, given = moments.pearson(), depth.partial(moments)
        p = p_value(r, moments.n)
        given_p = p_value(given, moments.n - DEPTH_DEGREE)
        self.within.add(r, p, tested)
        self.given_depth.add(given, given_p, tested)
        seen = seen_stratum(facts["patient_seen"])
        for key in (("all", "all"), ("organ", facts["organ"]), ("patients", seen)):
            empty = Moments.zeros(len(PREDICTORS), self.genes)
            self.strata.setdefault(key, empty).__iadd__(moments)
            self.members.setdefault(key, []).append({**facts, "spots": spots})
        self.spots.append(spots)
        count = max(int(tested.sum()), 1)
        hits = is_recovered(r, p)
        recovered = hits.sum(axis=1) / count
        for label, inside in detection_bins(detected / np.maximum(moments.n, 1)):
            n, mse = int((inside & tested).sum()), errors(moments, inside)
            self.bins += [
                {
                    **facts,
                    "stratum": label,
                    "predictor": predictor,
                    "n_genes_tested": n,
                    "recovered_p05": hits[i, inside].sum() / n if n else np.nan,
                    "mse": mse[i] if n else np.nan,
                }
                for i, predictor in enumerate(PREDICTORS)
            ]
        given_share = is_recovered(given, given_p).sum(axis=1) / count
        shared, given_shared = comparable(r), comparable(given)
        mse = errors(moments)
        for i, predictor in enumerate(PREDICTORS):
            own = spots[spots["predictor"] == predictor]
            self.samples.append(
                {
                    **facts,
                    "predictor": predictor,
                    "role": ROLES[predictor],
                    "n_spots": len(spots) // len(EXPRESSION),
                    "n_genes_tested": int(tested.sum()),
                    "recovered_p05": recovered[i],
                    "median_pearson": median(r[i]),
                    "mse": mse[i],
                    "rmse": np.sqrt(mse[i]),
                    "r2_spot_mean": own["r2"].mean(),
                    "recovered_shared": recovered[i],
                    "median_pearson_shared": median(r[i, shared]),
                    "within_given_depth": median(given[i, given_shared]),
                    "share_given_depth": given_share[i],
                }
            )


def errors(moments: Moments, chosen: slice | np.ndarray = slice(None)) -> np.ndarray:
    """Mean squared error (P,) over the chosen genes; NaN for predictors not in `EXPRESSION`."""
    squares = np.array([own[chosen].sum() for own in moments.squared_error()])
    mse = squares / max(moments.n[chosen].sum(), 1)
    return np.where([name in EXPRESSION for name in PREDICTORS], mse, np.nan)
