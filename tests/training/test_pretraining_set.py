"""The paper's 416 samples, counted: organs, patients, parts, and duplicates."""

import pandas as pd
import pytest

from sagefm.common.io import read_table
from sagefm.training.claims import pretraining_claims
from sagefm.training.figures import draw_pretraining_set
from sagefm.training.pretraining_set import known_duplicates, organs_table
from sagefm.training.seen import mark_seen
from sagefm.training.split import split_samples
from support.drawn import assert_readable, visible_texts


@pytest.fixture(scope="module")
def listed(repo) -> pd.DataFrame:
    return read_table(repo / "config/samples/hest_duplicates.tsv", dtype=str)


@pytest.fixture(scope="module")
def sheet(repo) -> pd.DataFrame:
    path = repo / "config/samples/hest.tsv"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).assign(cohort="hest")


@pytest.fixture(scope="module")
def split(sheet, listed) -> pd.DataFrame:
    return split_samples(sheet, duplicates=listed)


@pytest.fixture(scope="module")
def organs(sheet, split, listed) -> pd.DataFrame:
    return organs_table(sheet, split, known_duplicates(sheet, listed))


def test_the_416_by_organ(organs):
    assert len(organs) == organs["organ"].nunique() == 16
    assert organs["n_samples"].sum() == 416
    assert organs["n_samples"].is_monotonic_decreasing
    assert organs["expected_spots"].sum() == 981_074
    assert organs["n_without_patient"].sum() == 297
    assert organs["n_duplicates"].sum() == 8
    first = organs.iloc[0]
    assert (first["organ"], first["n_samples"]) == ("Bowel", 72)
    assert (organs[["train", "validation", "test"]].sum(axis=1) == organs["n_samples"]).all()


def test_groups_are_patients_of_a_data_set_else_samples_and_twins_are_one(sheet, split, listed):
    named = sheet[sheet["patient"] != ""]
    patients = len(named[["dataset", "patient"]].drop_duplicates())
    assert (named["patient"] == "Patient 1").sum() > 1
    alone = split_samples(sheet)["group"].nunique()
    assert alone == patients + 297 == 378
    assert split["group"].nunique() == alone - len(listed) == 370
    of_part = split.groupby("group")["part"].nunique()
    assert (of_part == 1).all()


def test_sections_deposited_twice_are_those_among_the_samples(sheet, listed):
    found = known_duplicates(sheet, listed)
    assert [*found["sample"]] == [*listed["sample"]]
    assert found["organ"].notna().all()
    few = known_duplicates(sheet[sheet["sample"] != "MEND41"], listed)
    assert [*few["sample"]] == [*listed["sample"][1:]]
    assert known_duplicates(sheet, None).empty


def test_spots_are_missing_where_a_row_has_none(sheet, split, listed):
    known = sheet["expected_spots"].where(sheet["organ"] != "Eye", "")
    counted = organs_table(
        sheet.assign(expected_spots=known), split, known_duplicates(sheet, listed)
    )
    spots = counted.set_index("organ")["expected_spots"]
    assert spots.index[spots.isna()].tolist() == ["Eye"]


def test_the_claim_names_organs_twins_and_groups(sheet, split, listed, organs):
    duplicates = known_duplicates(sheet, listed)
    marked = mark_seen(split, split)
    found = pretraining_claims("paper", organs, duplicates, marked, {}, True, (416, 15))[0]
    assert found.verdict == "inconclusive"
    assert found.obtained == "416 sections, 16 organs"
    for words in (
        "16 organ names (Bladder, Bowel, Brain,",
        "the paper counts 15",
        "370 groups",
        "297 sections name none; of 42 test sections 13 of patients known to be unseen, 29 of",
        "29 of unknown patients, 42 of data sets that are also in training",
        "MEND41 is NCBI535",
        "408 differ",
    ):
        assert words in found.reason


def test_the_figure(organs):
    figure = draw_pretraining_set(organs)
    assert_readable(figure)
    words = {text.get_text() for text in visible_texts(figure)}
    assert {*organs["organ"], "train", "validation", "test", "sections"} <= words
    assert any("416 sections of 16 organs, 981,074 spots" in text for text in words)
    assert_readable(draw_pretraining_set(organs[:1]))
