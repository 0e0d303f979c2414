"""The sections a model may be scored on."""

from pathlib import Path

import pandas as pd

from sagefm.scored import scored_sections
from sagefm.sections import Section


def test_sections_keep_their_order_and_meet_their_facts():
    names = ["c", "a", "b"]
    sections = [Section("breast", name, Path(name), Path(name)) for name in names]
    split = pd.DataFrame(
        {
            "cohort": "breast",
            "sample": ["a", "b", "c"],
            "group": ["set:one", "set:two", "set:three"],
            "part": ["test", "train", "test"],
        }
    )
    rows = pd.DataFrame(
        {
            "cohort": "breast",
            "sample": ["a", "b", "c"],
            "dataset": "set",
            "patient": ["one", "two", "three"],
        }
    )
    kept, facts = scored_sections(sections, split, rows, "breast")
    assert [section.sample for section in kept] == ["c", "a"]  # b was trained on
    assert facts["sample"].tolist() == ["c", "a"] and facts["patient"].tolist() == ["three", "one"]
    assert not facts["patient_seen"].any()
    elsewhere, facts = scored_sections(sections, split, rows.assign(cohort="other"), "other")
    assert elsewhere == sections
    assert facts["patient_seen"].tolist() == [False, False, True]
