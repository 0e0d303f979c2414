"""Check which samples each model is tested on, using the sheets only, before any job starts."""

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.keys import check_case
from sagefm.common.text import count
from sagefm.config.duplicates import PAIR, read_duplicates
from sagefm.training.seen import scored_samples
from sagefm.training.split import split_samples

SCORING = ("recovery", "imputation", "perturb", "screen")
"""Rules that score a model on the samples of a cohort that `seen.scored_samples` returns."""


def check_splits(config: Mapping, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Check that each model's samples can be split into three parts.

    Raises
    ------
    InputError
        If the table of duplicates cannot be read, or at the first model with too few patients.
    """
    duplicates = _duplicates(config)
    if duplicates is not None:
        names = {*duplicates[PAIR].stack()}.union(*(sheet["sample"] for sheet in sheets.values()))
        check_case(sorted(names), f"config, at split.duplicates: {_listed(config)}: samples")
    for model in config["models"]:
        _planned_split(config, sheets, model, duplicates)


def _listed(config: Mapping) -> str | None:
    return config["split"]["duplicates"]


def _duplicates(config: Mapping) -> pd.DataFrame | None:
    path = _listed(config)
    try:
        return read_duplicates(path) if path else None
    except InputError as error:
        raise InputError(f"config, at split.duplicates: {error}") from error


def _planned_split(
    config: Mapping,
    sheets: Mapping[str, pd.DataFrame],
    model: str,
    duplicates: pd.DataFrame | None,
) -> pd.DataFrame:
    """Split a model's samples by the sheets, unaware of duplicates that only counts reveal."""
    split, entry = config["split"], config["models"][model]
    try:
        return split_samples(
            pd.concat([sheets[cohort] for cohort in entry["pretrain_on"]], ignore_index=True),
            validation=split["validation"],
            test=split["test"],
            seed=split["seed"],
            held_out_patients=entry["held_out_patients"],
            duplicates=duplicates,
        )
    except InputError as error:
        raise InputError(f"config, at models.{model}.pretrain_on: {error}") from error


def small_tests(
    config: Mapping, sheets: Mapping[str, pd.DataFrame], scored: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """Yield a warning for each model that would be scored on one patient of a cohort it trains on.

    Parameters
    ----------
    config, sheets
        Config and sheets, both checked.
    scored
        Model and cohort of each score to be computed.

    Raises
    ------
    InputError
        At the first model without a sample of a cohort to be scored on.
    """
    learnt = [
        (model, cohort)
        for model, cohort in dict.fromkeys(scored)
        if cohort in config["models"][model]["pretrain_on"]
    ]
    duplicates = _duplicates(config) if learnt else None
    for model, cohort in learnt:
        rows = sheets[cohort].reset_index(drop=True)
        split = _planned_split(config, sheets, model, duplicates)
        names = [*scored_samples(split, rows, cohort)["sample"]]
        tested = split[(split["cohort"] == cohort) & split["sample"].isin(names)]
        fix = (
            f"Fix: raise `split.test`, name two patients of the cohort or more as "
            f"`models.{model}.held_out_patients`, or score the model on another cohort."
        )
        if not names:
            raise InputError(
                f"model `{model}`: its test part has no sample of cohort `{cohort}`, on which it "
                f"is to be scored. {fix}"
            )
        if tested["group"].nunique() == 1:  # copies under two patients' names count as one
            few = f"`{names[0]}` alone" if len(names) == 1 else count(len(names), "sample")
            yield (
                f"model `{model}` is scored on one patient of cohort `{cohort}` ({few}), so that "
                f"no score there has an interval. {fix} For cross-validation over patients, define "
                "a model for each of them with that patient held out."
            )
