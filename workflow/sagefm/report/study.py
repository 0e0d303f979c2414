"""Claims against training, as one table: a row for each model of `config/study.yaml`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from sagefm.common.io import atomic, read_table
from sagefm.config.continued import complete_models

TABLE = "claims_against_training.tsv"

DIGITS = 5
"""Significant digits of the numbers in committed tables."""

UNTRAINED = "no training"
"""Series of what needs no training."""

PREDICTORS = ("neighbour_mean", "visible_depth")
"""What needs no training and recovers most genes: a baseline, and a control that sees no gene."""

BOUNDS = ("", "_low", "_high")
"""Suffixes of a score and of its interval."""

_TASK: dict[str, Any] = {
    "protocol": "held_out_patients",
    "classifier": "logistic",
    "centred": False,
}

_SOURCES: dict[str, tuple[str, dict[str, Any], str]] = {
    "recovered": ("recovery", {"predictor": "model"}, "patients_recovered"),
    "given_depth": ("recovery", {"predictor": "model"}, "share_given_depth"),
    "ari": ("clustering", {"centred": False}, "mean"),
    "pathology": ("tasks", {"task": "pathology", **_TASK}, "patient_balanced_accuracy"),
    "tumour": ("tasks", {"task": "tumour", **_TASK}, "patient_balanced_accuracy"),
}
"""Of each score: the table, the rows, the column; its interval is beside it where there is one."""


def trainings(models: Path) -> pd.DataFrame:
    """The `training.json` of each model of a run, one row a model; what it cost is left out."""
    rows = []
    for path in sorted(models.glob("*/training.json")):
        facts = json.loads(path.read_text())
        known = ("parameters", "train_samples", "train_spots", "epochs", "best_epoch", "converged")
        found = {key: facts[key] for key in (*known, "best_validation_loss")}
        rows.append({"model": path.parent.name, **found})
    return pd.DataFrame(rows)


def claims_against_training(
    models: dict[str, dict[str, Any]], tables: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """What each model and each untrained alternative scores, beside how long it was trained.

    Parameters
    ----------
    models
        Of the config, as written.
    tables
        Kept tables of the run: trainings, recovery, clustering, tasks.

    Returns
    -------
    DataFrame
        Columns model; series (the model's title); epochs (at most, by the config), trained_epochs,
        best_epoch, converged; sections and spots (of the training part); validation_loss; and each
        score of `_SOURCES`, shares from 0 to 1, with `_low` and `_high` (95% over patients) where
        the table has them. Untrained alternatives have the series `UNTRAINED`, and missing values
        where nothing was trained.
    """
    complete_models(models)
    trained = tables["trainings"].set_index("model")
    rows: list[dict[str, Any]] = []
    for model, entry in models.items():
        facts = trained.loc[model]
        rows.append(
            {
                "model": model,
                "series": entry["title"],
                "epochs": entry["training"]["epochs"],
                "trained_epochs": facts["epochs"],
                "best_epoch": facts["best_epoch"],
                "converged": facts["converged"],
                "sections": facts["train_samples"],
                "spots": facts["train_spots"],
                "validation_loss": facts["best_validation_loss"],
                **_scores(tables, model, f"sagefm-{model}"),
            }
        )
    known = {f"sagefm-{model}" for model in models}
    others = [n for n in pd.unique(tables["clustering"]["representation"]) if n not in known]
    for name in dict.fromkeys([*others, *PREDICTORS]):
        scores = _scores(tables, None, name) if name in others else {}
        if name in PREDICTORS:
            scores |= _scores(tables, next(iter(models)), None, predictor=name)
        rows.append({"model": name, "series": UNTRAINED, **scores})
    return pd.DataFrame(rows).astype({"epochs": "Int64", "trained_epochs": "Int64"})


def _scores(
    tables: Mapping[str, pd.DataFrame],
    model: str | None,
    representation: str | None,
    predictor: str = "model",
) -> dict[str, float]:
    """Scores of a model's predictions and of a representation, of those that are given."""
    found = {}
    for score, (name, conditions, column) in _SOURCES.items():
        own: dict[str, Any] = {"representation": representation}
        if name == "recovery":
            own = {"model": model, "predictor": predictor}
        if None in own.values():
            continue
        table = tables[name]
        for key, value in {**conditions, **own}.items():
            table = table[table[key] == value]
        for bound in BOUNDS:
            place = bound[1:] if column == "mean" and bound else f"{column}{bound}"
            if place in table:
                found[f"{score}{bound}"] = table[place].item()
    return found


def tabulate_study(config: Path, folder: Path) -> None:
    """Write `TABLE` beside the kept tables of a run that it is made of."""
    models = yaml.safe_load(config.read_text())["models"]
    names = ("trainings", "recovery", "clustering", "tasks")
    tables = {name: read_table(folder / f"{name}.tsv") for name in names}
    with atomic(folder / TABLE) as temporary:
        table = claims_against_training(models, tables)
        table.to_csv(temporary, sep="\t", index=False, float_format=f"%.{DIGITS}g")
