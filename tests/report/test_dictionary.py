"""docs/data-dictionary.md explains the columns of the committed tables."""

import re

import pytest

from sagefm.common.io import read_table


@pytest.fixture(scope="module")
def explained(repo) -> set[str]:
    """Names in the first column of its tables; capitals stand for any name."""
    text = (repo / "docs/data-dictionary.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", text, re.M)
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def known(column: str, explained: set[str]) -> bool:
    """Whether a name is there, by itself or as a pattern."""
    patterns = (re.sub(r"[A-Z]+", ".+", name) for name in explained if re.search("[A-Z]", name))
    ends = ("_low", "_high", "_control", "_p", "_q", "_n")
    return (
        column in explained
        or any(re.fullmatch(pattern, column) for pattern in patterns if pattern != ".+")
        or any(column.endswith(end) and column.removesuffix(end) in explained for end in ends)
    )


def test_a_pattern_explains_a_name_and_no_other(explained):
    assert known("p_invasive cancer", explained) and known("accuracy_low", explained)
    assert not known("nothing_of_the_kind", explained)


def test_every_column_of_the_committed_tables_is_explained(repo, explained):
    tables = sorted((repo / "docs/results").rglob("*.tsv"))
    assert len(tables) > 10
    columns = {column: path.name for path in tables for column in read_table(path)}
    assert {c: name for c, name in columns.items() if not known(c, explained)} == {}
