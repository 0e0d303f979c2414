"""Share of genes recovered (claim 2), and the size of their correlation."""

import re

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from sagefm.errors import InputError
from sagefm.figures.recovery_parts import groups_of, predictor_dots, predictor_handles
from sagefm.figures.style import (
    DOUBLE,
    NEUTRAL,
    group_title,
    percent_axis,
    present,
    styled,
)
from sagefm.told import count

# A share of genes, and the median correlation without which it is not defined.
SHARES = {
    "recovered_p05": ("Pearson, p < 0.05", "median_pearson"),
    "recovered_bh": ("Pearson, FDR < 0.05", "median_pearson"),
    "recovered_spearman_p05": ("Spearman, p < 0.05", "median_spearman"),
    "recovered_within_p05": ("within samples, p < 0.05", "median_within_pearson"),
}
EFFECTS = {
    "median_pearson": "Pearson",
    "median_spearman": "Spearman",
    "median_within_pearson": "within samples",
}


def reported_share(reported: pd.DataFrame) -> float:
    """The paper's share of genes recovered, 0 to 1, from the table of what it reports.

    Raises
    ------
    InputError
        If the table's row `recovery` does not begin with a percentage.
    """
    text = " ".join(reported.loc[reported["id"] == "recovery", "reported"])
    found = re.match(r"(\d+(?:\.\d+)?) ?%", text)
    if not found:
        raise InputError(
            f"reported figures, row `recovery`: `{text}` does not begin with a percentage; "
            "write it as `91 % of ...`."
        )
    return float(found[1]) / 100


@styled
def draw_recovered(summary: pd.DataFrame, reported: float) -> Figure:
    """Share of genes recovered, by four criteria, and the size of the correlation beside it.

    One row of panels a cohort and model. Predictors that do not vary over spots have no
    correlation and no dot.

    Parameters
    ----------
    summary
        Of `recovery_tables.summary_table`, with columns model and cohort.
    reported
        The paper's share at p < 0.05, 0 to 1.
    """
    groups = groups_of(summary[summary["stratum_kind"] == "all"])
    figure = Figure(figsize=(DOUBLE, 1.3 * len(groups) + 1.0))
    fill_recovered(figure, summary, reported)
    return figure


def fill_recovered(figure: FigureBase, summary: pd.DataFrame, reported: float) -> None:
    """Fill a figure, or a part of one, with `draw_recovered`."""
    whole = summary[summary["stratum_kind"] == "all"]
    groups = groups_of(whole)
    panels = figure.subplots(len(groups), 2, squeeze=False, sharex="col", width_ratios=[1.6, 1])
    for (share, effect), (names, group) in zip(panels, groups, strict=True):
        columns = {
            key: group[key].where(group[median].notna()) for key, (_, median) in SHARES.items()
        }
        labels = {key: label for key, (label, _) in SHARES.items()}
        predictor_dots(share, group.assign(**columns), labels)
        predictor_dots(effect, group, EFFECTS)
        share.axvline(reported, color=NEUTRAL, ls="--", lw=0.9)
        effect.axvline(0, color=NEUTRAL, lw=0.6)
        first = group[group["predictor"] == "model"].iloc[0]
        share.set_title(
            f"{group_title(names)}\n{count(first['n_genes_tested'], 'gene')} tested "
            f"({first['n_genes_constant']:,.0f} held constant by the model), "
            f"{count(first['n_spots'], 'spot')}, {count(first['n_samples'], 'sample')}, "
            f"{count(first['n_patients'], 'patient')}"
        )
    bottom_share, bottom_effect = panels[-1]
    percent_axis(bottom_share)
    bottom_share.set_xlabel("genes recovered (% of those tested)")
    # Room beside the outermost dots.
    left, right = bottom_effect.get_xlim()
    bottom_effect.set_xlim(left, right + 0.04 * (right - left))
    bottom_effect.set_xlabel("median correlation over genes\n(those held constant left out)")
    varying = whole.loc[whole["median_pearson"].notna(), "predictor"]
    handles = predictor_handles(present(varying))
    label = f"paper, p < 0.05: {100 * reported:g} %"
    handles.append(*bottom_share.plot([], [], color=NEUTRAL, ls="--", lw=0.9, label=label))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
