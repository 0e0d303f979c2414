"""Titles of figures: lines that fit, and are of about equal length."""

from textwrap import wrap

import pytest
from matplotlib.figure import Figure

from sagefm.plotting.headline import CHARACTERS_AN_INCH, balanced, headline

FINDING = "Matched clusters agree with the labels at 38% (MOFA) to 52% (BANKSY) of the spots drawn"


@pytest.mark.parametrize("width", [30, 45, 80, 86])
def test_no_word_is_alone_on_the_last_line(width):
    lines = balanced(FINDING, width)
    assert " ".join(lines) == FINDING
    assert max(map(len, lines)) <= width
    assert len(lines) == len(wrap(FINDING, width))  # no more than there have to be
    assert len(lines[-1].split()) > 1
    assert max(map(len, lines)) - min(map(len, lines)) < 15


def test_a_line_that_fits_stays_one_and_nothing_is_none():
    assert balanced(FINDING, 100) == [FINDING]
    assert balanced("", 100) == []


def test_a_word_too_long_for_a_line_is_broken():
    lines = balanced("a" * 25 + " b", 10)
    assert max(map(len, lines)) <= 10 and "".join(lines).replace(" ", "") == "a" * 25 + "b"


def test_finding_and_what_it_is_about_are_balanced_each_by_itself():
    figure = Figure(figsize=(5, 2))
    headline(figure, FINDING, "a cohort: 3 sections")
    first, second, about = figure.get_suptitle().split("\n")
    assert about == "a cohort: 3 sections"
    assert f"{first} {second}" == FINDING
    assert len(first) < 5 * CHARACTERS_AN_INCH - 15  # where it would reach without balancing
