"""Sheets: valid ones pass, and invalid ones give a one-line error."""

from pathlib import Path

import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema
from sagefm.config.sheets import read_label_files, read_samples
from support.configs import assert_sentence, check, good_config, good_rows, write_sheet

pytestmark = pytest.mark.usefixtures("good_files")


@pytest.fixture
def config() -> dict:
    return good_config()


WHERE = "sheet atlas.tsv (cohort `atlas`)"


def row_with(**changes) -> list[dict]:
    first, second, _ = good_rows()
    return [first, second | changes]


BAD_SHEETS = {
    "only a header": ([], ["has no rows. Fix: list at least one sample"]),
    "an id twice": (row_with(sample="s1"), ["sample `s1` occurs twice"]),
    "id with a slash": (row_with(sample="a/b"), ["line 3", "sample `a/b`", "at sample"]),
    "id with a space": (row_with(sample="a b"), ["line 3", "sample `a b`", "at sample"]),
    "id with a leading dot": (row_with(sample=".."), ["sample `..`", "at sample"]),
    "no id": (row_with(sample=""), ["line 3", "at sample: nothing is given, but a name"]),
    "a lost file": (
        row_with(path_or_id="lost.h5ad"),
        ["sample `s2`", "path_or_id lost.h5ad does not exist", "correct the sheet"],
    ),
    "an address as local": (
        row_with(path_or_id="https://x.org/a.h5ad"),
        ["line 3, sample `s2`", "does not exist", "Fix: set `source` to the one that fetches it"],
    ),
    "a home folder": (row_with(path_or_id="~/a.h5ad"), ["does not exist", "write the path out"]),
    "a sign of no width in a path": (
        row_with(path_or_id="one.h5ad\u200b"),
        ["does not exist", "holds a sign that is not shown"],
    ),
    "an id of 101 letters": (row_with(sample="a" * 101), ["it has 101 letters, but 100 at most"]),
    "no file": (row_with(path_or_id=""), ["sample `s2`", "at path_or_id"]),
    "lost positions": (
        [row | {"positions": "lost.csv"} for row in good_rows()],
        ["sample `s1`", "positions lost.csv does not exist"],
    ),
    "unknown source": (row_with(source="ftp"), ["sample `s2`", "at source", "`ftp` is not one of"]),
    "no organ": (row_with(organ=""), ["sample `s2`", "at organ"]),
    "unknown format": (
        [row | {"format": "loom"} for row in good_rows()],
        ["sample `s1`", "at format", "`loom` is not one of", "'spaceranger'"],
    ),
    "spots in words": (
        [row | {"expected_spots": "many"} for row in good_rows()],
        ["sample `s1`", "at expected_spots", "`many` is given, but a whole number"],
    ),
    "typo in a column": (
        [row | {"technolgy": "x"} for row in good_rows()],
        ["unknown column `technolgy`", "did you mean `technology`"],
    ),
    "a column by another name": (
        [{"tissue" if k == "organ" else k: v for k, v in row.items()} for row in good_rows()],
        ["unknown column `tissue`, and `organ` is missing"],
    ),
    "a column missing": (
        [{k: v for k, v in row.items() if k != "patient"} for row in good_rows()],
        ["column `patient` is missing. Fix: add it"],
    ),
}


@pytest.mark.parametrize("case", BAD_SHEETS)
def test_bad_sheet_ends_in_one_sentence(config, case):
    rows, words = BAD_SHEETS[case]
    write_sheet(rows)
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, [WHERE, *words])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty. Fix: list at least one sample."),
        (b"\n\n", "is empty. Fix: list at least one sample."),
        (b"sample\torgan\ns1\tHe\0art\n", "holds bytes of 0"),
        (b'sample\torgan\ns1\t"Heart\n', "has a quotation mark that is not closed in its row"),
        (b'sample\torgan\ns1\t"Heart\ns2\t"Heart\n', "sample `s1`, has a quotation mark that is"),
        (b"sample\tSample\ns1\ts2\n", "has two columns `sample`. Fix: keep one."),
        (b"\tsample\n1\ts1\n", "column 1 has no name. Fix: name it, or take it out."),
        (b"\xff\xfe\x00s", "is not a table of tab-separated columns"),
        (b"sample,source\ns1,local\n", "(its first line is one: `sample,source`). Fix: put tabs"),
        (b"sample\tsource\ns1\tlocal\textra\tcells\nx\n", "atlas.tsv"),
    ],
)
def test_what_is_no_sheet_ends_in_one_sentence(config, content, words):
    Path("atlas.tsv").write_bytes(content)
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, [WHERE, words])


def test_a_sheet_has_all_columns_and_its_cohort(config):
    sheet = read_samples("atlas.tsv", "atlas")
    assert list(sheet["sample"]) == ["s1", "s2", "s3"]
    assert set(sheet.columns) == set(load_schema("samples")["properties"]) | {"cohort"}
    assert set(sheet["cohort"]) == {"atlas"}
    assert list(sheet["positions"]) == ["", "", ""]
    assert list(sheet["patient"]) == ["P1", "", "P3"]


@pytest.mark.parametrize("value", ["007", "1e5", "P 1"])
def test_cells_stay_as_they_are_written(config, value):
    write_sheet(row_with(patient=value))
    assert list(read_samples("atlas.tsv", "atlas")["patient"]) == ["P1", value]


@pytest.mark.parametrize("name", ["#UKF242_T_ST.h5ad", "with space.h5ad", "a'b.h5ad"])
def test_odd_paths_are_kept(config, name):
    Path(name).touch()
    write_sheet(row_with(path_or_id=name))
    assert list(read_samples("atlas.tsv", "atlas")["path_or_id"]) == ["one.h5ad", name]


def test_label_files_name_samples_of_their_cohort():
    samples = pd.DataFrame(good_rows())
    rows = [{"sample": "s1", "source": "local", "path_or_id": "labels.tsv"}]
    path = write_sheet(rows, "label_files.tsv")
    assert [*read_label_files(path, "breast", samples)["sample"]] == ["s1"]
    write_sheet([rows[0] | {"sample": "s11"}], path)
    with pytest.raises(InputError, match=r"label_files.tsv .* no sample `s11`; did you mean `s1`"):
        read_label_files(path, "breast", samples)
    write_sheet([rows[0] | {"path_or_id": "none.Robj"}], path)
    with pytest.raises(InputError, match=r"sample `s1`: path_or_id none.Robj does not exist"):
        read_label_files(path, "breast", samples)
    with pytest.raises(InputError, match=r"correct cohorts.breast.raw_labels.files in the config"):
        read_label_files("none.tsv", "breast", samples)


WORDS = ["nan", "NaN", "None", "NA", " ", "\ufeff", "-", "?", "unknown", "Unknown", "#REF!"]


@pytest.mark.parametrize("value", WORDS)
def test_words_for_nothing_are_no_patient(value):
    write_sheet(row_with(patient=value))
    assert list(read_samples("atlas.tsv", "atlas")["patient"]) == ["P1", ""]


@pytest.mark.parametrize("value", [" P1", "P1 ", "P1\u00a0", "P1\u200b"])
def test_one_patient_stays_one_whatever_the_white_space(value):
    write_sheet(row_with(patient=value, sample="s2 "))
    sheet = read_samples("atlas.tsv", "atlas")
    assert list(sheet["patient"]) == ["P1", "P1"] and list(sheet["sample"]) == ["s1", "s2"]


def test_the_bytes_of_excel_and_windows_are_read():
    plain = Path(write_sheet(good_rows())).read_text()
    expected = read_samples("atlas.tsv", "atlas")
    lines = plain.splitlines()
    rows_alone = "\n".join([lines[0], *(f"{line}\t" for line in lines[1:])])
    titled = lines[0].replace("_", " ").title() + plain[len(lines[0]) :]
    for text in (titled, f"# sections of\n\n{plain}"):
        Path("atlas.tsv").write_text(text)
        pd.testing.assert_frame_equal(read_samples("atlas.tsv", "atlas"), expected)
    Path("atlas.tsv").write_bytes(plain.encode("utf-16-le"))
    pd.testing.assert_frame_equal(read_samples("atlas.tsv", "atlas"), expected)
    for text in ("\ufeff" + plain, "\r\n".join(lines), "\t\n".join(lines) + "\t", rows_alone):
        Path("atlas.tsv").write_bytes(text.encode())
        pd.testing.assert_frame_equal(read_samples("atlas.tsv", "atlas"), expected)
