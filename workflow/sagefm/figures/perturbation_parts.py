"""What the figures of perturbed pairs share: kinds of outputs and their colours, unit, title."""

import pandas as pd

from sagefm.figures.style import NEUTRAL, OKABE_ITO
from sagefm.told import count

KIND_NAMES = {
    "matched": "pair's output",
    "unmatched": "other outputs of the table",
    "random": "random genes",
    "expression_matched": "random genes of like expression",
}
KIND_COLOURS = {
    "matched": OKABE_ITO["blue"],
    "unmatched": NEUTRAL,
    "random": OKABE_ITO["purple"],
    "expression_matched": OKABE_ITO["orange"],
}


def scale_of(values: pd.Series) -> tuple[float, str]:
    """What to multiply values with so that their figures are short, and the unit they then have."""
    largest = values.abs().max()
    power = 0 if largest >= 0.05 or not largest else 3 if largest >= 5e-5 else 6
    return 10.0**power, f"10{'⁻³' if power == 3 else '⁻⁶'} log1p" if power else "log1p"


def pairs_title(summary: pd.DataFrame) -> str:
    """Cohort, model and table, and how much is behind the figure."""
    own = summary.iloc[0]
    # A control that no pair has, as of a table with one input, counts none.
    counts = (
        count(summary[column].max(), noun)
        for column, noun in (
            ("n_pairs", "pair"),
            ("n_inputs", "input"),
            ("n_spots", "spot"),
            ("n_patients", "patient"),
        )
    )
    names = f"{own['cohort']}, model {own['model']}, {own['pair_table'].replace('_', ' ')}"
    return f"{names}: {', '.join(counts)}"
