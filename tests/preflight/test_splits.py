"""A model's test patients, known from the sheets: a single one is reported, none is refused."""

import copy
from pathlib import Path

import pytest

from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.config.sheets import read_samples
from sagefm.preflight.splits import small_tests
from support.configs import assert_sentence, good_config, good_rows, write_sheet

pytestmark = pytest.mark.usefixtures("good_files")


def said(
    *scored: tuple[str, str], rows: list[dict] | None = None, split: dict | None = None, **changes
) -> list[str]:
    """Of the good config with changes of model `paper`, on other rows of cohort `atlas`."""
    config = copy.deepcopy(good_config()) | {"split": split or {}}
    config["models"]["paper"] |= changes
    set_defaults(config, load_schema("config"))
    if rows:
        write_sheet(rows)
    sheets = {
        name: read_samples(cohort["samples"], name) for name, cohort in config["cohorts"].items()
    }
    return [*small_tests(config, sheets, scored)]


def many_rows(sections: int = 1) -> list[dict]:
    """Ten patients of some sections each."""
    first = good_rows()[0]
    return [
        first | {"sample": f"s{patient}{section}", "patient": f"P{patient}"}
        for patient in range(10)
        for section in range(sections)
    ]


def test_a_test_part_of_one_section_is_said_with_the_remedies():
    (sentence,) = said(("paper", "atlas"), ("paper", "atlas"))
    words = ["model `paper` is scored on one patient of cohort `atlas` (`s", "` alone)"]
    words += ["raise `split.test`", "`models.paper.held_out_patients`", "cross-validation"]
    assert_sentence(InputError(sentence), words)


def test_several_sections_of_one_patient_are_one_patient():
    (sentence,) = said(("paper", "atlas"), rows=many_rows(3))
    assert "cohort `atlas` (3 samples)" in sentence


def test_copies_of_a_section_under_two_names_are_one_patient():
    Path("twins.tsv").write_text("sample\tduplicate_of\ns10 \ts20\n")
    rows, held_out = many_rows(), ["P1", "P2"]
    assert not said(("paper", "atlas"), rows=rows, held_out_patients=held_out)
    split = {"duplicates": "twins.tsv"}
    (sentence,) = said(("paper", "atlas"), rows=rows, split=split, held_out_patients=held_out)
    assert "one patient of cohort `atlas` (2 samples)" in sentence


def test_two_patients_held_out_or_another_cohort_are_enough():
    rows = many_rows()
    assert said(("paper", "atlas"), rows=rows)
    assert not said(("paper", "atlas"), rows=rows, held_out_patients=["P1", "P2"])
    assert not said(("paper", "breast"), rows=rows)


def test_a_cohort_of_which_no_sample_is_in_the_test_part_is_refused():
    both = {"pretrain_on": ["atlas", "breast"], "held_out_patients": ["P6", "P7"]}
    with pytest.raises(InputError) as error:
        said(("paper", "breast"), rows=many_rows(2), **both)
    words = ["model `paper`: its test part has no sample of cohort `breast`", "raise `split.test`"]
    assert_sentence(error.value, words)
