"""What a task's figures show, in a sentence: their titles; and how they name representations."""

import pandas as pd

from sagefm.annotation.terms import (
    HEADLINE,
    KEYS,
    MAJORITY,
    headline_protocol,
    of_first_classifier,
)
from sagefm.common.text import format_number
from sagefm.representations.catalogue import REGISTERED, Catalogue, is_model

SIGN = "†"
"""Marks representations fitted on the very spots they are scored on."""


def row_name(
    representation: str,
    centred: bool,
    transductive: bool | None = None,
    catalogue: Catalogue = REGISTERED,
) -> str:
    """How a representation is named in figures: its name, its sign, and whether it is centred."""
    sign = f" {SIGN}" if transductive is True else ""
    return f"{catalogue.title(representation)}{', centred' if centred else ''}{sign}"


def _named(row: pd.Series, catalogue: Catalogue) -> str:
    return row_name(row["representation"], bool(row["centred"]), catalogue=catalogue)


def highest_mean(scores: pd.DataFrame, protocol: str, catalogue: Catalogue) -> str:
    """Which method leads by the headline, the best model, and what the majority class has.

    Parameters
    ----------
    scores
        Of `tables.with_costs`; the first classifier's count, which figures draw.
    protocol
        What the headline's protocol is called.
    catalogue
        Names and roles of the representations; what bounds a score leads nothing.
    """
    whole = of_first_classifier(scores)
    own = whole[whole["protocol"] == headline_protocol(whole)]
    bounds = own["representation"].map(catalogue.is_bound).astype(bool)
    methods = own[~bounds & (own["representation"] != MAJORITY) & own[HEADLINE].notna()]
    if methods.empty:
        return "No method could be scored"
    best = methods.loc[methods[HEADLINE].idxmax()]
    majority = own.loc[own["representation"] == MAJORITY, HEADLINE].max()
    models = methods[methods["representation"].map(is_model)]
    words = f"Highest balanced accuracy, {protocol}: {_named(best, catalogue)} {best[HEADLINE]:.0%}"
    if len(models) and not is_model(best["representation"]):
        model = models.loc[models[HEADLINE].idxmax()]
        words += f"; of the models, {_named(model, catalogue)} {model[HEADLINE]:.0%}"
    return f"{words}; majority class {format_number(majority, '.0%')}"


def recall_range(confusion: pd.DataFrame, shown: pd.DataFrame, catalogue: Catalogue) -> str:
    """Which class the first representation shown finds best, and which worst.

    Parameters
    ----------
    confusion
        Of `tables.confusion_table`.
    shown
        Whose; the first row is the headline's.
    catalogue
        Names of the representations.
    """
    own = shown.head(1).merge(confusion, on=KEYS)
    spots = own.groupby("truth", sort=False)["n_spots"].sum()
    found = own[own["truth"] == own["predicted"]].set_index("truth")["n_spots"]
    recall = found.reindex(spots.index).fillna(0) / spots
    best, worst = (f"{name} ({recall[name]:.0%})" for name in (recall.idxmax(), recall.idxmin()))
    name = _named(shown.iloc[0], catalogue)
    if recall.nunique() == 1:
        return f"Recall of {name}: {recall.iloc[0]:.0%} in every class"
    return f"Recall of {name}: highest for {best}, lowest for {worst}"


def classes_led(classes: pd.DataFrame, shown: pd.DataFrame, catalogue: Catalogue) -> str:
    """In how many classes each of those shown has the highest recall; a tie counts for nobody.

    Parameters
    ----------
    classes
        Of `tables.class_table`.
    shown
        Whose.
    catalogue
        Names of the representations.
    """
    recall = shown.merge(classes, on=KEYS).pivot(index="class", columns="role", values="recall")
    alone = recall.rank(axis=1, ascending=False, method="max") == 1
    words = [
        f"{_named(row, catalogue)} in {alone[row['role']].sum()}" for _, row in shown.iterrows()
    ]
    return f"Highest recall, of {len(recall)} classes: {', '.join(words)}"


def accuracies(maps: pd.DataFrame, shown: pd.DataFrame, catalogue: Catalogue) -> str:
    """At what share of the labelled spots drawn each prediction is right.

    Parameters
    ----------
    maps
        Of `tables.map_table`; spots that a representation does not classify do not count for it.
    shown
        Whose the predictions are; of roles that are no column of `maps`, nothing is said.
    catalogue
        Names of the representations.
    """
    words = []
    for _, row in shown[shown["role"].isin(maps.columns)].iterrows():
        known = maps.dropna(subset=["label", row["role"]])
        right = (known["label"] == known[row["role"]]).mean()
        words.append(f"{_named(row, catalogue)} {format_number(float(right), '.0%')}")
    return f"Accuracy in these sections: {', '.join(words)}"
