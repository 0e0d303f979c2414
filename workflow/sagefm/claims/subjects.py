"""The models that a claim is judged on, as its rule names them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sagefm.common.claim import Subject
from sagefm.common.io import read_table
from sagefm.common.verdict import Training
from sagefm.stats.patients import patients_seen
from sagefm.training.seen import mark_seen

Marks = Callable[[pd.DataFrame, pd.DataFrame, str], pd.DataFrame]


def read_summaries(trained: Sequence[str], paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The summaries (`training.json`) of the models that were trained here, by name."""
    return {
        model: json.loads(Path(path).read_text())
        for model, path in zip(trained, paths, strict=True)
    }


def read_trainings(
    models: Iterable[str], trained: Sequence[str], paths: Iterable[str]
) -> dict[str, Training]:
    """How far each model was trained; one without a summary is a released checkpoint."""
    summaries = read_summaries(trained, paths)
    return {model: Training.of(summaries.get(model, {})) for model in models}


def subjects(
    judged_on: Mapping[str, Any],
    name: str,
    trainings: Iterable[str],
    splits: Iterable[str] = (),
    marked: Marks = lambda split, rows, cohort: mark_seen(split, rows),
) -> list[Subject]:
    """Each model with the data it is judged on.

    Parameters
    ----------
    judged_on
        Of the rules' `judged_on`: models (each with the cohorts it is trained on), trained (those
        trained here), cohort, title, paper_data, and rows of the cohort's sheet.
    name
        What the tables are filed under: the cohort, or a task.
    trainings
        Paths of the trained models' summaries.
    splits
        Paths of the models' splits, if the claim says whose patients they have seen.
    marked
        Which samples count, of a split, the rows and the cohort: of `seen.mark_seen`.
    """
    models, cohort = judged_on["models"], judged_on["cohort"]
    fitted = read_trainings(models, judged_on["trained"], trainings)
    rows, seen = pd.DataFrame(judged_on["rows"]), {}
    for model, path in zip(models, splits, strict=False):
        split = read_table(path, dtype=str).fillna("")
        seen[model] = patients_seen(marked(split, rows, cohort))
    return [
        Subject(
            model,
            fitted[model],
            name,
            judged_on["title"],
            judged_on["paper_data"],
            seen.get(model, ""),
            maybe_trained_on=model not in judged_on["trained"] and cohort in trained_on,
        )
        for model, trained_on in models.items()
    ]
