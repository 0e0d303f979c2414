"""The table of duplicate sections: names are trimmed, and each line has two names."""

import pytest

from sagefm.common.errors import InputError
from sagefm.config.duplicates import read_duplicates


def test_names_are_trimmed_and_other_columns_are_kept(tmp_path):
    path = tmp_path / "twins.tsv"
    path.write_text("sample \tduplicate_of\tevidence\n s2\ts1 \tequal\n\t\t\n")
    table = read_duplicates(path)
    assert table.to_dict("records") == [{"sample": "s2", "duplicate_of": "s1", "evidence": "equal"}]


@pytest.mark.parametrize("line", ["s1\t", "\ts1", "s1\ts1", "s1\t s1 ", "s1\tNaN"])
def test_a_line_that_names_one_sample_is_refused(line, tmp_path):
    path = tmp_path / "twins.tsv"
    path.write_text(f"sample\tduplicate_of\n{line}\n")
    with pytest.raises(InputError, match=r"twins.tsv has a line that names only `s1`"):
        read_duplicates(path)
