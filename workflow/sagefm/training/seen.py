"""The sections of a cohort that a model may be scored on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.sections.section import Section, sections_of
from sagefm.training.split import sample_groups


def mark_seen(split: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Samples with a column `patient_seen`: whether the patient is one the model has learnt from.

    A patient is seen if one of the patient's samples is in the training or validation part.

    Parameters
    ----------
    rows
        A cohort's sheet: columns cohort, sample, dataset, patient, and others that are kept.
    """
    held_in = split[split["part"] != "test"]
    return rows.assign(patient_seen=sample_groups(rows, None).isin(held_in["group"]))


def scored_samples(split: pd.DataFrame, rows: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """A cohort's samples a model may be scored on, marked by `mark_seen`.

    Of a cohort the model was trained on, only the test part; else all.
    """
    table = mark_seen(split, rows)
    if cohort in set(split["cohort"]):
        tested = split[(split["part"] == "test") & (split["cohort"] == cohort)]
        table = table[table["sample"].isin(tested["sample"])]
    return table


def patients_seen(scored: pd.DataFrame) -> str:
    """How many patients of `mark_seen` pretraining has seen, in words; unnamed ones count."""
    patient = scored["patient"].where(scored["patient"].str.strip() != "", scored["sample"])
    seen = scored["patient_seen"].groupby(scored["dataset"] + ":" + patient).any()
    return f"{seen.sum()} of {len(seen)} patients seen in pretraining"


def scored_sections(
    samples: Sequence[str | Path],
    graphs: Sequence[str | Path],
    split: str | Path,
    rows: Sequence[Mapping],
    cohort: str,
) -> tuple[list[Section], pd.DataFrame]:
    """Sections of `split.scored_samples`, and their facts.

    Parameters
    ----------
    samples, graphs
        The cohort's files, each sample with its graph.
    split
        The model's split (TSV).
    rows
        The cohort's sheet.

    Returns
    -------
    sections
        In the order of the files.
    facts
        Their rows of the sheet, in that order, with `patient_seen`.

    Raises
    ------
    InputError
        If there are none.
    """
    table = read_table(split, dtype=str).fillna("")
    facts = scored_samples(table, pd.DataFrame(rows), cohort).set_index("sample", drop=False)
    kept = [section for section in sections_of(samples, graphs) if section.sample in facts.index]
    if not kept:
        raise InputError(
            f"cohort `{cohort}`: the model was trained on every sample of it, so that none is left "
            "to be scored; name another cohort."
        )
    return kept, facts.loc[[section.sample for section in kept]].reset_index(drop=True)
