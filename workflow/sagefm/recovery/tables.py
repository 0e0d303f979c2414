"""Tidy tables of a recovery: per gene, per stratum; and which genes to map."""

from itertools import pairwise

import numpy as np
import pandas as pd

from sagefm.recovery.score import MAP_PERCENTILES, PREDICTORS, Recovery
from sagefm.stats.correlation import Moments, benjamini_hochberg, median, p_value

DETECTION_BINS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Edges of the bins of detection rate: the share of a gene's hidden entries above 0."""

MAP_MIN_DETECTION = 0.1
"""Genes rarer than this show nothing on a map."""


def gene_table(recovery: Recovery, genes: list[str]) -> pd.DataFrame:
    """One row a predictor and gene: correlations over all samples, within samples, error."""
    moments = recovery.strata["all", "all"]
    r = moments.pearson()
    p = p_value(r, moments.n)
    rho_p = p_value(recovery.spearman, recovery.spearman_n)
    with np.errstate(invalid="ignore", divide="ignore"):
        detection = recovery.detected / moments.n
        within_r = recovery.within_r / recovery.within_n
        within_share = recovery.within_hits / recovery.within_n
        mse = moments.squared_error() / moments.n
    return pd.concat(
        [
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
                    "mse": mse[i],
                }
            )
            for i, predictor in enumerate(PREDICTORS)
        ],
        ignore_index=True,
    )


def recovery_summary(recovery: Recovery, genes: pd.DataFrame) -> pd.DataFrame:
    """One row a predictor and stratum: all, each organ, patients by `SEEN`, detection bins.

    A gene counts as recovered if its correlation is positive at two-sided p < 0.05, as tested
    if its truth varies over the hidden entries. Where a predictor is constant it recovers nothing;
    `n_genes_constant` counts those genes.
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
            "n_spots": sum(len(m["spots"]) for m in members) // len(PREDICTORS),
        }
        spots = pd.concat([member["spots"] for member in members])
        whole = kind == "all"
        rows += _rows(about, moments, slice(None), recovery, genes if whole else None, spots)
        if whole:
            detection = recovery.detected / np.maximum(everything.n, 1)
            for low, high in pairwise(DETECTION_BINS):
                inside = (detection > low) & (detection <= high)
                label = {"stratum_kind": "detection", "stratum": f"{low:g}-{high:g}"}
                rows += _rows(about | label, everything, inside, recovery, genes, None)
    return pd.DataFrame(rows)


def _rows(
    about: dict,
    moments: Moments,
    chosen: slice | np.ndarray,
    recovery: Recovery,
    genes: pd.DataFrame | None,
    spots: pd.DataFrame | None,
) -> list[dict]:
    """One row a predictor of a stratum; `genes` where its rank and within-sample columns hold."""
    r = moments.pearson()
    p = p_value(r, moments.n)
    tested, squared_error = moments.varies()[chosen], moments.squared_error()
    rows = []
    for i, predictor in enumerate(PREDICTORS):
        r_i, p_i, count = r[i, chosen], p[i, chosen], max(int(tested.sum()), 1)
        mse = squared_error[i, chosen].sum() / max(moments.n[chosen].sum(), 1)
        row = about | {
            "predictor": predictor,
            "n_genes": len(tested),
            "n_genes_tested": int(tested.sum()),
            "n_genes_constant": int((tested & np.isnan(r_i)).sum()),
            "recovered_p05": ((r_i > 0) & (p_i < 0.05)).sum() / count,
            "recovered_bh": ((r_i > 0) & (benjamini_hochberg(p_i) < 0.05)).sum() / count,
            "median_pearson": median(r_i),
            "mse": mse,
            "rmse": np.sqrt(mse),
        }
        if genes is not None:
            own = genes[genes["predictor"] == predictor].iloc[chosen]
            hits = (own["spearman"] > 0) & (own["spearman_p"] < 0.05)
            row |= {
                "recovered_spearman_p05": hits.sum() / count,
                "recovered_within_p05": own["within_share_p05"].fillna(0).sum() / count,
                "median_spearman": median(own["spearman"]),
                "median_within_pearson": median(own["within_pearson"]),
            }
        if spots is not None:
            r2 = spots.loc[spots["predictor"] == predictor, "r2"]
            row |= {"r2_spot_mean": r2.mean(), "r2_spot_median": r2.median()}
        rows.append(row)
    return rows


def genes_to_map(genes: pd.DataFrame) -> pd.DataFrame:
    """Genes at fixed percentiles of the model's correlation: gene, column, position, pearson.

    Among genes detected in at least a tenth of the hidden entries; of all, if none is.
    """
    own = genes[genes["predictor"] == "model"].reset_index(names="column").dropna(subset="pearson")
    common = own[own["detection_rate"] >= MAP_MIN_DETECTION]
    ranked = (common if len(common) else own).sort_values("pearson", ignore_index=True)
    places = [round(q / 100 * (len(ranked) - 1)) for q in MAP_PERCENTILES.values()]
    chosen = ranked.iloc[places].assign(position=list(MAP_PERCENTILES))
    return chosen[["gene", "column", "position", "pearson"]].drop_duplicates("gene")
