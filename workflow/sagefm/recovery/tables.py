"""Tidy tables of a recovery, per gene and per stratum, and the choice of genes to map."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from sagefm.recovery.predictors import EXPRESSION, PREDICTORS, ROLES
from sagefm.recovery.score import MAP_PERCENTILES
from sagefm.recovery.strata import over_patients
from sagefm.recovery.sums import Recovery, comparable, detection_bins, errors, is_recovered
from sagefm.stats.correlation import Moments, benjamini_hochberg, median, p_value

MAP_MIN_DETECTION = 0.1
"""Minimum detection rate of a mapped gene. Maps of rarer genes are almost empty."""


def gene_table(recovery: Recovery, genes: list[str]) -> pd.DataFrame:
    """One row per predictor and gene: correlations over all samples, within samples, and error.

    Columns `_shared` and `_given_depth` are over the same sections for all predictors
    (`sums.Within.shared_means`). Other columns are over the sections where the predictor has a
    correlation.
    """
    moments = recovery.strata["all", "all"]
    r = moments.pearson()
    p = p_value(r, moments.n)
    rho_p = p_value(recovery.spearman, recovery.spearman_n)
    within_r, within_share = recovery.within.means()
    shared_r, shared_share = recovery.within.shared_means()
    given_r, given_share = recovery.given_depth.shared_means()
    with np.errstate(invalid="ignore", divide="ignore"):
        detection = recovery.detected / moments.n
        mse = moments.squared_error() / moments.n
    parts = [
        pd.DataFrame(
            {
                "gene": genes,
                "predictor": predictor,
                "n": moments.n.astype(int),
                "detection_rate": detection,
                "pearson": r[i],
                "pearson_p": p[i],
                "pearson_q": benjamini_hochberg(p[i]),
                "spearman": recovery.spearman[i],
                "spearman_n": recovery.spearman_n.astype(int),
                "spearman_p": rho_p[i],
                "within_pearson": within_r[i],
                "within_share_p05": within_share[i],
                "mse": mse[i] if predictor in EXPRESSION else np.nan,
                "role": ROLES[predictor],
                "within_pearson_shared": shared_r[i],
                "within_share_shared_p05": shared_share[i],
                "within_given_depth": given_r[i],
                "share_given_depth_p05": given_share[i],
            }
        )
        for i, predictor in enumerate(PREDICTORS)
    ]
    return pd.concat(parts, ignore_index=True)


def recovery_summary(recovery: Recovery, genes: pd.DataFrame) -> pd.DataFrame:
    """One row per predictor and stratum: all, each organ, `seen_stratum`, and detection bins.

    A gene is tested if its truth varies over the hidden entries, and recovered if its correlation
    is positive at two-sided p < 0.05. A constant prediction recovers nothing; `n_genes_constant`
    counts these genes. Columns without `_shared` are medians and shares over genes, or sections,
    that differ between predictors.

    - `recovered_shared`: share of the tested genes that are recovered, all sections pooled.
    - `recovered_within_shared`: share of sections in which a gene is recovered, of those in which
      it varies; mean over the tested genes. `share_given_depth`: the same for the partial
      correlation given the log depth of the complete spot.
    - `median_pearson_shared`, `median_within_pearson_shared`, `within_given_depth`: medians over
      the genes for which all predictors have a correlation, except predictors that have none at
      all. The last two are medians of means over sections. `n_genes_shared` counts the genes of
      the first.
    - Errors and rank correlations of controls are not computed, and are empty.
    - Columns `patients_*` are from `strata.over_patients`: means over patients, with intervals.
    """
    rows = []
    everything = recovery.strata["all", "all"]
    for (kind, value), moments in sorted(recovery.strata.items()):
        members = recovery.members[kind, value]
        about = {
            "stratum_kind": kind,
            "stratum": value,
            "n_samples": len(members),
            "n_patients": len({member["patient"] for member in members}),
            "n_spots": sum(len(m["spots"]) for m in members) // len(EXPRESSION),
        }
        spots = pd.concat([member["spots"] for member in members])
        whole = kind == "all"
        rows += _rows(about, moments, slice(None), recovery, genes if whole else None, spots)
        if whole:
            detection = recovery.detected / np.maximum(everything.n, 1)
            for name, inside in detection_bins(detection):
                label = {"stratum_kind": "detection", "stratum": name}
                rows += _rows(about | label, everything, inside, recovery, genes, None)
    keys = ["stratum_kind", "stratum", "predictor"]
    return pd.DataFrame(rows).merge(over_patients(recovery), on=keys, how="left")


def _rows(
    about: dict,
    moments: Moments,
    chosen: slice | np.ndarray,
    recovery: Recovery,
    genes: pd.DataFrame | None,
    spots: pd.DataFrame | None,
) -> list[dict]:
    """One row per predictor of a stratum. `genes` adds rank and within-sample columns."""
    r = moments.pearson()
    p = p_value(r, moments.n)
    tested, mse = moments.varies()[chosen], errors(moments, chosen)
    shared, count = comparable(r[:, chosen]), max(int(tested.sum()), 1)
    rows = []
    for i, predictor in enumerate(PREDICTORS):
        r_i, p_i = r[i, chosen], p[i, chosen]
        row = about | {
            "predictor": predictor,
            "n_genes": len(tested),
            "n_genes_tested": int(tested.sum()),
            "n_genes_constant": int((tested & np.isnan(r_i)).sum()),
            "recovered_p05": is_recovered(r_i, p_i).sum() / count,
            "recovered_bh": is_recovered(r_i, benjamini_hochberg(p_i)).sum() / count,
            "median_pearson": median(r_i),
            "mse": mse[i],
            "rmse": np.sqrt(mse[i]),
        }
        if genes is not None:
            own = genes[genes["predictor"] == predictor].iloc[chosen]
            row |= _over_genes(own, tested, ranked=predictor in EXPRESSION)
        if spots is not None:
            r2 = spots.loc[spots["predictor"] == predictor, "r2"]
            row |= {"r2_spot_mean": r2.mean(), "r2_spot_median": r2.median()}
        row |= {
            "role": ROLES[predictor],
            "n_genes_shared": int(shared.sum()),
            "recovered_shared": is_recovered(r_i, p_i).sum() / count,
            "median_pearson_shared": median(r_i[shared]),
        }
        rows.append(row)
    return rows


def _over_genes(own: pd.DataFrame, tested: np.ndarray, ranked: bool) -> dict[str, float]:
    """Summarise rows of a predictor's gene table; `tested` marks genes whose truth varies."""
    count = max(int(tested.sum()), 1)
    hits = is_recovered(own["spearman"], own["spearman_p"]).sum() / count

    def share(column: str) -> float:
        return own[column].fillna(0).sum() / count

    return {
        "recovered_spearman_p05": hits if ranked else np.nan,
        "recovered_within_p05": share("within_share_p05"),
        "median_spearman": median(own["spearman"]),
        "median_within_pearson": median(own["within_pearson"]),
        "recovered_within_shared": share("within_share_shared_p05"),
        "median_within_pearson_shared": median(own["within_pearson_shared"]),
        "within_given_depth": median(own["within_given_depth"]),
        "share_given_depth": share("share_given_depth_p05"),
    }


def genes_to_map(genes: pd.DataFrame, measured: Collection[str] | None = None) -> pd.DataFrame:
    """Choose genes at percentiles of the model's correlation: gene, column, position, pearson.

    Only genes detected in at least `MAP_MIN_DETECTION` of the hidden entries are considered, or
    all genes if none is.

    Parameters
    ----------
    genes
        Table of `gene_table`.
    measured
        Genes measured in the section to map. Default: all.
    """
    own = genes[genes["predictor"] == "model"].reset_index(names="column").dropna(subset="pearson")
    if measured is not None:
        own = own[own["gene"].isin(measured)]
    common = own[own["detection_rate"] >= MAP_MIN_DETECTION]
    ranked = (common if len(common) else own).sort_values("pearson", ignore_index=True)
    places = [round(q / 100 * (len(ranked) - 1)) for q in MAP_PERCENTILES.values()]
    chosen = ranked.iloc[places].assign(position=list(MAP_PERCENTILES))
    return chosen[["gene", "column", "position", "pearson"]].drop_duplicates("gene")
