"""Sections of a cohort on which a model may be scored.

Separate from `seen`, which splits and claims use without reading sections.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.sections.section import Section, sections_of
from sagefm.training.seen import scored_samples


def scored_sections(
    samples: Sequence[str | Path],
    graphs: Sequence[str | Path],
    split: str | Path,
    rows: Sequence[Mapping],
    cohort: str,
) -> tuple[list[Section], pd.DataFrame]:
    """Return the sections of `scored_samples` and their sheet rows.

    Parameters
    ----------
    samples, graphs
        Files of the cohort's samples and of their graphs, in the same order.
    split
        The model's split (TSV).
    rows
        The cohort's sheet.

    Returns
    -------
    sections
        Sections, in the order of the files.
    facts
        Their sheet rows from `mark_seen`, in the same order.

    Raises
    ------
    InputError
        If there are no such sections.
    """
    table = read_table(split, dtype=str).fillna("")
    facts = scored_samples(table, pd.DataFrame(rows), cohort).set_index("sample", drop=False)
    kept = [section for section in sections_of(samples, graphs) if section.sample in facts.index]
    if not kept:
        raise InputError(
            f"cohort `{cohort}`: the model was trained on every sample of it, so that none is left "
            "to be scored. Fix: name another cohort."
        )
    return kept, facts.loc[[section.sample for section in kept]].reset_index(drop=True)
