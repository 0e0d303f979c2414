"""The sections of a cohort that a model may be scored on."""

from collections.abc import Sequence

import pandas as pd

from sagefm.sections import Section
from sagefm.split import scored_samples


def scored_sections(
    sections: Sequence[Section], split: pd.DataFrame, rows: pd.DataFrame, cohort: str
) -> tuple[list[Section], pd.DataFrame]:
    """The sections of `scored_samples`, and their facts.

    Returns
    -------
    sections
        In the order given.
    facts
        Their rows, in that order: sample, dataset, patient, organ, patient_seen, ...
    """
    facts = scored_samples(split, rows, cohort).set_index("sample", drop=False)
    kept = [section for section in sections if section.sample in facts.index]
    return kept, facts.loc[[section.sample for section in kept]].reset_index(drop=True)
