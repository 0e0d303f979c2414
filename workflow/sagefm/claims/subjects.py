"""Models on which a claim is judged, as named by its rule."""

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
    """Read the summaries (`training.json`) of models trained in this run, by name."""
    return {
        model: json.loads(Path(path).read_text())
        for model, path in zip(trained, paths, strict=True)
    }


def read_trainings(
    models: Iterable[str], trained: Sequence[str], paths: Iterable[str]
) -> dict[str, Training]:
    """Read how far each model was trained; models without a summary are released checkpoints."""
    summaries = read_summaries(trained, paths)
    return {model: Training.of(summaries.get(model, {})) for model in models}


def subjects(
    judged_on: Mapping[str, Any],
    name: str,
    trainings: Iterable[str],
    splits: Iterable[str] = (),
    marked: Marks = lambda split, rows, cohort: mark_seen(split, rows),
) -> list[Subject]:
    """Return each model with the data on which it is judged.

    Parameters
    ----------
    judged_on
        Dictionary from the rules' `judged_on`: models (with their training cohorts), trained (those
        trained here), cohort, title, paper_data, and rows of the cohort's sheet.
    name
        Name in the paths of the tables: the cohort or a task.
    trainings
        Paths of the trained models' summaries.
    splits
        Paths of the models' splits, if the claim reports which patients they have seen.
    marked
        Function of a split, sheet rows and a cohort's name that returns the samples that count, as
        marked by `seen.mark_seen`.
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
