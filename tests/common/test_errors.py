"""Suggestions for a name that does not exist."""

import pytest

from sagefm.common.errors import hint


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (["paper", "strict"], "did you mean `paper`?"),
        (["strict", "other"], "there are strict, other"),
        ([], "there are none"),
    ],
)
def test_a_hint_names_what_there_is(known, words):
    assert hint("papr", known) == words
