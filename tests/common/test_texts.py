"""Text files of users: spreadsheet exports are read, and files that are not text are named."""

import gzip

import pandas as pd
import pytest
from pandas.errors import ParserError

from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.common.texts import read_text

LINES = "sample\tspot\tlabel\ns1\t1x2\t001\ns1\t1x3\t1e5\n"
TABLE = pd.DataFrame(
    {"sample": ["s1", "s1"], "spot": ["1x2", "1x3"], "label": ["001", "1e5"]}, dtype=object
)


WRITTEN = {
    "plain": LINES.encode(),
    "Excel, Unicode text": LINES.replace("\n", "\r\n").encode("utf-16"),
    "UTF-16, big end first": b"\xfe\xff" + LINES.encode("utf-16-be"),
    "byte order mark and line ends of Windows": LINES.replace("\n", "\r\n").encode("utf-8-sig"),
    "line ends of an old Mac": LINES.replace("\n", "\r").encode(),
    "white space in the header": LINES.replace("spot", " spot ", 1).encode(),
    "a quoted header": LINES.replace("spot", '"spot"', 1).encode(),
    "a tab at each end": LINES.replace("\n", "\t\n").encode(),
    "a tab at the end of the first row": LINES.replace("001", "001\t").encode(),
    "two tabs at the end of the last row": LINES.replace("1e5", "1e5\t\t").encode(),
}


@pytest.mark.parametrize("case", WRITTEN)
@pytest.mark.parametrize("packed", [False, True])
def test_a_table_is_the_same_whatever_wrote_it(case, packed, tmp_path):
    path = tmp_path / ("a.tsv.gz" if packed else "a.tsv")
    path.write_bytes(gzip.compress(WRITTEN[case]) if packed else WRITTEN[case])
    pd.testing.assert_frame_equal(read_table(path, dtype=str), TABLE, check_dtype=False)


def test_a_csv_is_one_whatever_the_case_of_its_suffix(tmp_path):
    (tmp_path / "a.CSV").write_text(LINES.replace("\t", ","))
    assert list(read_table(tmp_path / "a.CSV", dtype=str)["label"]) == ["001", "1e5"]


@pytest.mark.parametrize("row", ["001\tx", "001\t\tx"])
def test_a_cell_beyond_the_header_is_never_dropped(row, tmp_path):
    (tmp_path / "a.tsv").write_text(LINES.replace("001", row))
    with pytest.raises(ParserError, match=r"line 2 has . cells, but the header has 3"):
        read_table(tmp_path / "a.tsv", dtype=str)


BYTES = {
    "Latin-1": ("a.tsv", "tum\u00e9ur".encode("latin-1"), "it is not text in UTF-8. Fix: save it"),
    "a workbook": ("a.tsv", b"PK\x03\x04\xd1\xff\xfe", "it is a workbook or an archive. Fix: save"),
    "gzip without saying so": (
        "a.tsv",
        gzip.compress(b"x"),
        "it is compressed by gzip. Fix: unpack",
    ),
    "gzip by its name alone": ("a.tsv.gz", b"sample\n", "it is not a whole gzip file"),
    "half of gzip": (
        "a.tsv.gz",
        gzip.compress(LINES.encode())[:-20],
        "it is not a whole gzip file",
    ),
}


@pytest.mark.parametrize("case", BYTES)
def test_what_is_no_table_is_said_to_be_what_it_is(case, tmp_path):
    name, content, words = BYTES[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} cannot be read as a table: {words}"):
        read_table(tmp_path / name)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_has_no_byte_order_mark(encoding, tmp_path):
    (tmp_path / "a.txt").write_bytes("A\r\nB\r\n".encode(encoding))
    assert read_text(tmp_path / "a.txt").splitlines() == ["A", "B"]


def test_a_text_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"A\n\xe9\n")
    with pytest.raises(InputError, match=r"a.txt cannot be read as text: it is not text in UTF-8"):
        read_text(tmp_path / "a.txt")
