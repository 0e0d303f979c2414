"""Numbers in sentences."""

import math

import pytest

from sagefm.common.text import UNKNOWN_NUMBER, format_interval, format_number, with_sign


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.126, "+.2f", "+0.13"),
        (-0.5, ".0%", "-50%"),
        (math.nan, "+.2f", UNKNOWN_NUMBER),
        (math.inf, ".1f", "inf"),
    ],
)
def test_a_number_is_written_by_its_format_unless_it_is_not_known(value, form, text):
    assert format_number(value, form) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.5, 0.25, 0.75), "+0.50 [0.25, 0.75]"),
        ((-0.5, -0.75, 0.25), "-0.50 [-0.75, 0.25]"),
        ((0.5, math.nan, math.nan), "+0.50"),
        ((math.nan, math.nan, math.nan), UNKNOWN_NUMBER),
    ],
)
def test_an_interval_is_left_out_where_there_is_none(values, text):
    assert format_interval(*values, "+.2f") == text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (-0.5, ".1f", "−0.5"),
        (-0.001, ".1f", "0.0"),
        (0.04, "#.2g", "0.040"),
        (-12.0, "#.2g", "−12"),
        (math.nan, ".1f", UNKNOWN_NUMBER),
    ],
)
def test_a_figures_number_has_a_true_minus_and_its_significant_zeros(value, form, text):
    assert with_sign(value, form) == text
