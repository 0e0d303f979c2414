"""The error messages listed on the troubleshooting page."""

import re

import pytest

from sagefm.report.messages import SAID, TITLES, Message, messages, messages_table

CODE = """
FIX = "Fix: give numbers."

def f(path, line, rows, error, names):
    if error:
        raise InputError(f"{path}: {error}")
    if names:
        raise InputError(f"no gene `{names[0]}`; {hint(names[0], names)}.")
    if rows:
        raise InputError(f"{path}, line {line}: {len(rows)} of {rows.n_obs} spots, "
            f"{error:.0%} empty. {FIX}")
    return InputError(f"{path}: {count(3, 'gene')} lost | {shown(path)}. {error}")
"""


@pytest.fixture
def found(tmp_path):
    (tmp_path / "cohorts").mkdir()
    (tmp_path / "cohorts/a.py").write_text(CODE)
    return messages(tmp_path)


def test_placeholders_are_words_and_a_repeated_message_is_left_out(found):
    hint = "the message suggests the closest known name, or lists them all."
    assert found == [
        Message("cohorts", "no gene `…`", hint),
        Message("cohorts", "FILE, line N: N of N spots, N% empty", "give numbers."),
        Message("cohorts", "FILE: N genes lost | ADDRESS. …", ""),
    ]


def test_the_library_has_messages_in_every_room_of_the_table_with_remedies():
    every = messages()
    assert len(every) > 200
    assert {one.room for one in every} == set(TITLES)
    without = [one.problem for one in every if not one.fix]
    assert all(problem.endswith("…") for problem in without), "Fix: end each with `Fix: ...`."


def test_a_row_is_no_code_and_has_a_remedy():
    rows = [row for row in messages_table().splitlines() if row.startswith("| ")]
    assert len(rows) > 200
    assert [row for row in rows if re.search(r"[{}]|self\.|\|  \|", row)] == []
    assert any(row.endswith(f"| {SAID} |") for row in rows)
    assert "| FILE: is empty | Fetch or make the file again. |" in rows
