"""The definition of a patient is the same everywhere."""

import numpy as np
import pandas as pd

from sagefm.stats.patients import (
    count_seen,
    is_named,
    join_copies,
    name_patients,
    patient_keys,
    seen_stratum,
)

TABLE = pd.DataFrame(
    {
        "cohort": "c",
        "sample": ["s1", "s2", "s3", "s4", "s5", "s6"],
        "dataset": ["one", "one", "two", "two", "one", "one"],
        "patient": ["P1", " P1", "P1", "", " ", "P2"],
    }
)


def test_a_name_counts_within_its_data_set():
    assert list(name_patients(TABLE)) == ["one:P1", "one:P1", "two:P1", "s4", "s5", "P2"]


def test_a_sample_named_as_a_patient_is_another():
    table = TABLE.assign(sample=["s1", "s2", "s3", "P2", "s5", "s6"])
    assert list(name_patients(table)) == ["one:P1", "one:P1", "two:P1", "P2 (sample)", "s5", "P2"]


def test_keys_are_those_of_any_other_table():
    expected = ["one:P1", "one:P1", "two:P1", "c/s4", "c/s5", "one:P2"]
    assert list(patient_keys(TABLE)) == expected
    for row in range(len(TABLE)):
        assert list(patient_keys(TABLE.iloc[[row]])) == [expected[row]]
    assert is_named(TABLE).tolist() == [True, True, True, False, False, True]


def test_a_missing_name_is_an_empty_one():
    missing = TABLE.assign(patient=TABLE["patient"].where(TABLE["patient"].str.strip() != ""))
    assert list(name_patients(missing)) == list(name_patients(TABLE))
    assert list(patient_keys(missing)) == list(patient_keys(TABLE))


def test_a_patient_is_seen_if_one_of_the_samples_is_and_unknown_if_one_is():
    samples = pd.DataFrame(
        {"patient": list("aabbccd"), "patient_seen": [True, None, None, False, False, False, None]}
    )
    assert count_seen(samples) == {"n_patients_seen": 1, "n_patients_unknown": 2}


def test_counts_are_those_of_the_written_table(tmp_path):
    samples = pd.DataFrame({"patient": list("abc"), "patient_seen": [True, False, pd.NA]})
    samples.to_csv(tmp_path / "samples.tsv", sep="\t", index=False, na_rep="NA")
    read = pd.read_csv(tmp_path / "samples.tsv", sep="\t")
    assert count_seen(read) == {"n_patients_seen": 1, "n_patients_unknown": 1}


def test_patients_that_share_a_section_are_one():
    patients = pd.Series(["P2", "P1", "P3", "P4", "P2"])
    samples = pd.DataFrame({"cohort": list("xxxyx"), "sample": ["a", "b", "c", "d", "e"]})
    copies = pd.DataFrame({"sample": ["b", "c"], "duplicate_of": ["a", "e"]})
    assert join_copies(patients, samples, copies).tolist() == ["P1", "P1", "P1", "P4", "P1"]
    named = copies.replace({"c": "x/c", "e": "x/e"})
    assert join_copies(patients, samples, named).tolist() == ["P1", "P1", "P1", "P4", "P1"]
    elsewhere = copies.replace({"c": "y/c"})
    assert join_copies(patients, samples, elsewhere).tolist() == ["P1", "P1", "P3", "P4", "P1"]
    assert join_copies(patients, samples, copies[:0]).equals(patients)
    assert join_copies(patients, samples, None).equals(patients)


def test_a_patient_whom_nobody_can_tell_is_unknown_whatever_is_missing():
    """Records of a table have None where its column had NA."""
    seen = pd.array([True, False, None], dtype="boolean")
    records = pd.DataFrame({"patient_seen": seen}).to_dict("records")
    for values in (list(seen), [row["patient_seen"] for row in records], [True, False, np.nan]):
        assert [seen_stratum(value) for value in values] == ["seen", "unseen", "unknown"]
