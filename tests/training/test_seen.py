"""The sections a model may be scored on."""

import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.common.io import write_table
from sagefm.training.seen import scored_sections

ROWS = [
    {"cohort": "breast", "sample": name, "dataset": "set", "patient": patient}
    for name, patient in [("a", "one"), ("b", "two"), ("c", "three")]
]


def files(*names: str) -> tuple[list[str], list[str]]:
    return [f"breast/{name}.h5ad" for name in names], [f"breast/{name}.npz" for name in names]


def write_split(folder, parts: list[str]):
    table = pd.DataFrame(ROWS).assign(group=[f"set:{row['patient']}" for row in ROWS], part=parts)
    write_table(table, folder / "split.tsv")
    return folder / "split.tsv"


def test_sections_keep_their_order_and_meet_their_facts(tmp_path):
    split = write_split(tmp_path, ["test", "train", "test"])
    kept, facts = scored_sections(*files("c", "a", "b"), split, ROWS, "breast")
    assert [section.sample for section in kept] == ["c", "a"]  # b was trained on
    assert facts["sample"].tolist() == ["c", "a"] and facts["patient"].tolist() == ["three", "one"]
    assert not facts["patient_seen"].any()


def test_a_cohort_that_was_not_trained_on_is_scored_whole(tmp_path):
    split = write_split(tmp_path, ["test", "train", "test"])
    rows = [row | {"cohort": "other"} for row in ROWS]
    kept, facts = scored_sections(*files("a", "b", "c"), split, rows, "other")
    assert len(kept) == 3
    assert facts["patient_seen"].tolist() == [False, True, False]


def test_a_cohort_of_training_samples_alone_is_refused(tmp_path):
    split = write_split(tmp_path, ["train", "train", "validation"])
    with pytest.raises(InputError, match="`breast`: the model was trained on every sample"):
        scored_sections(*files("a", "b", "c"), split, ROWS, "breast")
