"""Which patients a model has seen, and which sections it may be scored on."""

import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.common.io import write_table
from sagefm.config.sheets import read_samples
from sagefm.stats.patients import patient_keys, patients_seen
from sagefm.training.scored_sections import scored_sections
from sagefm.training.seen import mark_seen, scored_samples, with_scored
from sagefm.training.split import split_samples

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


def split_of(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    """Of (sample, dataset, patient, part)."""
    split = pd.DataFrame(rows, columns=["sample", "dataset", "patient", "part"])
    split["cohort"] = "c"
    return split.assign(group=patient_keys(split))


def sheet_of(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Of (sample, dataset, patient)."""
    return pd.DataFrame(rows, columns=["sample", "dataset", "patient"]).assign(cohort="other")


SPLIT = split_of(
    ("t1", "d", "A", "train"), ("t2", "d", "B", "validation"), ("t3", "d", "C", "test"),
    ("t4", "unnamed", "", "train"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "patient", "patient_seen", "dataset_seen"),
    [
        ("d", "A", True, True),
        ("d", "B", True, True),
        ("d", "C", False, True),  # of the test part
        ("d", "X", False, True),
        ("e", "A", False, False),  # another person of the same name
        ("d", " A ", True, True),
        ("d", "", None, True),
        ("e", "", None, False),
        ("unnamed", "X", None, True),  # may be the person of t4
        ("unnamed", "", None, True),
    ],
)
def test_a_patient_is_seen_unseen_or_unknown(dataset, patient, patient_seen, dataset_seen):
    row = mark_seen(SPLIT, sheet_of(("s", dataset, patient))).iloc[0]
    assert (None if pd.isna(row["patient_seen"]) else bool(row["patient_seen"])) is patient_seen
    assert row["dataset_seen"] == dataset_seen


def test_an_unnamed_sample_that_was_trained_on_is_seen():
    rows = SPLIT.drop(columns="part")
    assert mark_seen(SPLIT, rows)["patient_seen"].tolist() == [True, True, False, True]


def test_a_patient_joined_to_another_by_a_duplicate_is_still_seen():
    """The group of the split then has another patient's name."""
    table = pd.DataFrame(
        {"cohort": "c", "sample": [f"s{i}" for i in range(12)], "dataset": "d",
         "patient": [f"P{i:02d}" for i in range(12)]}
    )  # fmt: skip
    twins = pd.DataFrame({"sample": ["s7"], "duplicate_of": ["s3"]})
    split = split_samples(table, duplicates=twins)
    learnt = set(split.loc[split["part"] != "test", "patient"])
    assert {"P03", "P07"} <= learnt
    rows = sheet_of(("x", "d", "P03"), ("y", "d", "P07"))
    assert mark_seen(split, rows)["patient_seen"].tolist() == [True, True]


COPIES = pd.DataFrame({"sample": ["other/x"], "duplicate_of": ["c/t1"]})


def test_a_copy_of_a_training_section_under_another_patient_of_another_cohort_is_seen():
    rows = sheet_of(("x", "e", "P"), ("y", "e", "P"), ("z", "e", "Q"), ("t1", "e", "R"))
    assert mark_seen(SPLIT, rows)["patient_seen"].tolist() == [False] * 4
    table = with_scored(SPLIT, rows, COPIES)
    marked = mark_seen(table, rows)
    assert marked["patient_seen"].tolist() == [True, True, False, False]
    assert marked["patient"].tolist() == ["P", "P", "Q", "R"]
    assert scored_samples(table, rows, "other")["sample"].tolist() == ["x", "y", "z", "t1"]
    of_test = COPIES.assign(duplicate_of="c/t3")
    assert not mark_seen(with_scored(SPLIT, rows, of_test), rows)["patient_seen"].any()


def test_a_copy_without_a_patients_name_is_seen():
    rows = sheet_of(("x", "e", ""), ("y", "e", ""))
    marked = mark_seen(with_scored(SPLIT, rows, COPIES), rows)
    assert marked["patient_seen"].tolist() == [True, pd.NA]


def test_two_patients_who_share_a_section_count_as_one():
    rows = sheet_of(("x", "e", "Q"), ("y", "e", "P"), ("z", "e", "R"))
    twins = pd.DataFrame({"sample": ["y"], "duplicate_of": ["x"]})
    assert mark_seen(with_scored(SPLIT, rows, twins), rows)["patient"].tolist() == ["P", "P", "R"]


def test_of_its_own_cohort_only_the_test_part_is_scored():
    assert scored_samples(SPLIT, SPLIT.drop(columns="part"), "c")["sample"].tolist() == ["t3"]


def test_patients_seen_are_counted_by_patient_in_words():
    rows = sheet_of(
        ("a1", "d", "A"), ("a2", "d", "A"), ("b1", "d", "B"), ("c1", "d", "C"), ("a3", "e", "A")
    )
    assert patients_seen(mark_seen(SPLIT, rows)) == "2 of 4 patients seen in pretraining"
    rows = pd.concat([rows, sheet_of(("x1", "d", ""), ("x2", "d", ""))])
    assert patients_seen(mark_seen(SPLIT, rows)) == (
        "2 of 6 patients seen in pretraining, 2 unknown"
    )


def test_the_papers_test_samples_of_known_and_of_unknown_patients(repo):
    """416 samples: 297 name no patient, and 22 names recur in several data sets."""
    sheet = read_samples(repo / "config/samples/hest.tsv", "hest")
    twins = pd.read_csv(repo / "config/samples/hest_duplicates.tsv", sep="\t", dtype=str)
    split = split_samples(sheet, duplicates=twins)
    marked = mark_seen(split, split)
    tested = marked[marked["part"] == "test"]
    named = tested["sample"].isin(sheet.loc[sheet["patient"] != "", "sample"])
    assert marked.loc[marked["part"] != "test", "patient_seen"].all()
    assert tested["patient_seen"].isna().tolist() == (~named).tolist()
    assert not tested.loc[named, "patient_seen"].any()  # a split shares no patient
    assert 0 < named.sum() < len(tested) == 42
    # Names alone would count too few: each of the recurring ones is several people.
    people = marked["patient"][marked["sample"].isin(sheet.loc[sheet["patient"] != "", "sample"])]
    plain = sheet.loc[sheet["patient"] != "", "patient"]
    assert people.nunique() - plain.nunique() >= 22
