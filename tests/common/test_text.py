"""Numbers in sentences."""

import math

import pytest

from sagefm.common.text import TOO_FEW, told, told_between


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.126, "+.2f", "+0.13"),
        (-0.5, ".0%", "-50%"),
        (math.nan, "+.2f", TOO_FEW),
        (math.inf, ".1f", "inf"),
    ],
)
def test_a_number_is_written_by_its_format_unless_it_is_not_known(value, form, text):
    assert told(value, form) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.5, 0.25, 0.75), "+0.50 [0.25, 0.75]"),
        ((-0.5, -0.75, 0.25), "-0.50 [-0.75, 0.25]"),
        ((0.5, math.nan, math.nan), "+0.50"),
        ((math.nan, math.nan, math.nan), TOO_FEW),
    ],
)
def test_an_interval_is_left_out_where_there_is_none(values, text):
    assert told_between(*values, "+.2f") == text
