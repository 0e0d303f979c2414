"""What the figures of recovery show, in a sentence: their titles."""

import pandas as pd

from sagefm.common.text import count, format_number, with_sign
from sagefm.plotting.style import PREDICTOR_NAMES

JUDGED = "patients_recovered"
"""The share that the claim is judged on: within sections, the mean over patients."""

NOT_VARYING = "the model's predictions do not vary: it recovers no gene"


def share_recovered(group: pd.DataFrame) -> str:
    """The model's share of genes recovered, and that of the best other predictor.

    Parameters
    ----------
    group
        Rows of `tables.recovery_summary`, one a predictor; one without a share does not vary.
    """
    shares = _shares(group)
    if pd.isna(shares.get("model")):
        return NOT_VARYING
    others = shares.drop("model").dropna()
    words = [f"model {shares['model']:.0%}"]
    if len(others):
        words.append(f"{PREDICTOR_NAMES[str(others.idxmax())]} {others.max():.0%}")
    return ", ".join(words)


def shares_recovered(groups: list[pd.DataFrame], reported: float) -> str:
    """Genes recovered by the model, the best other predictor and the paper.

    Of several groups (a cohort and model), in how many the model is above each.

    Parameters
    ----------
    groups
        As `share_recovered` takes them.
    reported
        The paper's share, 0 to 1.
    """
    paper = f"{100 * reported:g}%"
    if len(groups) == 1:
        return f"Genes recovered within sections: {share_recovered(groups[0])}; paper {paper}"
    shares = [_shares(group) for group in groups]
    own = [one.get("model", 0.0) for one in shares]
    others = [one.drop("model", errors="ignore").max() for one in shares]
    above = sum(mine > best for mine, best in zip(own, others, strict=True))
    reached = sum(mine >= reported for mine in own)
    return (
        f"The model recovers more genes than every other predictor in {above} of "
        f"{count(len(groups), 'panel')}, and reaches the paper's {paper} in {reached}"
    )


def _shares(group: pd.DataFrame) -> pd.Series:
    """The share judged of each predictor, by its name."""
    return group.set_index("predictor")[JUDGED]


def frequent_genes(group: pd.DataFrame) -> str:
    """What share of the most frequent genes is recovered, and the best control's share of them.

    Parameters
    ----------
    group
        Rows of `tables.recovery_summary` of one cohort and model.
    """
    bins = group[(group["stratum_kind"] == "detection") & group[JUDGED].notna()]
    own = bins[bins["predictor"] == "model"]
    if own.empty:
        return NOT_VARYING
    last = own.iloc[-1]
    low, high = (100 * float(end) for end in last["stratum"].split("-"))
    title = (
        f"of genes detected in {low:g} to {high:g}% of spots, the model recovers {last[JUDGED]:.0%}"
    )
    controls = bins[bins["role"].eq("control")]
    same = controls[controls["stratum"] == last["stratum"]].set_index("predictor")[JUDGED]
    if same.empty:
        return title
    return f"{title}, {PREDICTOR_NAMES[str(same.idxmax())]} alone {same.max():.0%}"


def share_above(genes: pd.DataFrame, value: str) -> tuple[float, int]:
    """Share of genes that the model correlates with more than the neighbour mean, and of how many.

    Those count that the neighbour mean has a correlation for; a gene that the model holds constant
    is not above anything. NaN of 0 where there are none.

    Parameters
    ----------
    genes
        Of `tables.gene_table`.
    value
        Its column with the correlation.
    """
    both = genes.pivot(index="gene", columns="predictor", values=value)
    if not {"model", "neighbour_mean"} <= set(both):
        return float("nan"), 0
    both = both.dropna(subset="neighbour_mean")
    return float((both["model"] > both["neighbour_mean"]).mean()), len(both)


def correlations(genes: pd.DataFrame) -> str:
    """For what share of genes the model's correlation exceeds the neighbour mean's.

    Parameters
    ----------
    genes
        Of `tables.gene_table`.
    """
    own = genes[genes["predictor"] == "model"]
    if own[["pearson", "within_pearson"]].isna().all(axis=None):
        return "The model's predictions do not vary: no gene has a correlation"
    within, pooled = (share_above(genes, value)[0] for value in ("within_pearson", "pearson"))
    if pd.isna(within) and pd.isna(pooled):
        median = format_number(own["within_pearson"].median(), ".2f")
        return f"Median correlation of the model over genes within sections: {median}"
    return (
        "Model's correlation above the neighbour mean's: "
        f"{format_number(within, '.0%')} of genes within sections, "
        f"{format_number(pooled, '.0%')} pooled"
    )


def correlation_here(gene: pd.DataFrame, predictor: str) -> float:
    """Correlation of a predictor with the truth over the spots drawn; NaN if one is constant.

    Parameters
    ----------
    gene
        Of `score.recovery_maps`, one gene.
    """
    pair = gene[["truth", predictor]]
    return float(pair.corr().iloc[0, 1]) if (pair.nunique() > 1).all() else float("nan")


def genes_here(maps: pd.DataFrame) -> str:
    """Median correlation over the genes drawn, of the model and of the neighbour mean.

    Parameters
    ----------
    maps
        Of `score.recovery_maps`.
    """
    names = ("predicted", "neighbour_mean")
    both = pd.DataFrame(
        [
            {name: correlation_here(gene, name) for name in names}
            for _, gene in maps.groupby("gene", sort=False)
        ]
    ).dropna()
    if both.empty:
        return "No gene of this section varies both in truth and in prediction"
    model, mean = (with_sign(both[name].median(), ".2f") for name in names)
    over = f"these {len(both)} genes" if len(both) > 1 else "the gene that varies"
    median = "Median correlation" if len(both) > 1 else "Correlation"
    return f"{median} over {over} in this section: model {model}, neighbour mean {mean}"
