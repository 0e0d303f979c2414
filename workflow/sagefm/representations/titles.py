"""What figures of scores of representations show, in a sentence: their titles."""

import pandas as pd

from sagefm.common.text import with_sign
from sagefm.representations.catalogue import Catalogue, is_model


def methods_of(means: pd.Series, catalogue: Catalogue) -> pd.Series:
    """The means, by representation, of methods: of all that do not bound a score."""
    return means[[not catalogue.is_bound(str(name)) for name in means.index]]


def controls_of(means: pd.Series, catalogue: Catalogue) -> pd.Series:
    """The means, by representation, of controls."""
    return means[[catalogue[str(name)].role == "control" for name in means.index]]


def best_and_rest(means: pd.Series, measure: str, catalogue: Catalogue) -> str:
    """Which method has the highest mean; beside it the best model, or other, and control.

    Parameters
    ----------
    means
        By representation, at least one of them a method.
    measure
        What the means are of.
    catalogue
        Names and roles of the representations.
    """
    methods = methods_of(means, catalogue)
    best = str(methods.idxmax())
    kind = [is_model(str(name)) != is_model(best) for name in methods.index]
    rest = {
        "other methods" if is_model(best) else "models": methods[kind],
        "controls": controls_of(means, catalogue),
    }
    words = [f"Highest {measure}: {catalogue.title(best)} {with_sign(methods.max(), '.2f')}"]
    words += [
        f"of the {name}, {catalogue.title(str(own.idxmax()))} {with_sign(own.max(), '.2f')}"
        for name, own in rest.items()
        if len(own)
    ]
    return "; ".join(words)


def most_coherent(table: pd.DataFrame, catalogue: Catalogue) -> str:
    """Which method is the most coherent, by the means that are drawn, beside a model and a control.

    Parameters
    ----------
    table
        Of `coherence.moran_table`.
    catalogue
        Names and roles of the representations.
    """
    means = table.groupby("representation")["mean_moran_i"].mean().dropna()
    if methods_of(means, catalogue).empty:
        return "No method has a spatial coherence that could be measured"
    return best_and_rest(means, "mean Moran's I", catalogue)
