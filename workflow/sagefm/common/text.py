"""Format numbers for sentences and titles, including unknown ones."""

import math
from collections.abc import Iterable, Sequence

UNKNOWN_NUMBER = "too few to tell"
"""Text for a number that is unknown because there are too few patients, pairs or genes."""

MINUS = "\N{MINUS SIGN}"


def format_number(value: float, form: str) -> str:
    """Format a number for a sentence, such as `+.2f`; `UNKNOWN_NUMBER` for NaN."""
    return UNKNOWN_NUMBER if math.isnan(value) else format(value, form)


def with_sign(value: float, form: str) -> str:
    """Format a number for figures: with a true minus sign, and without a sign if it is 0.

    `#.2g` keeps significant zeros: 0.040.
    """
    text = format_number(value, form).removesuffix(".")
    is_zero = "0" in text and not any(digit in text for digit in "123456789")
    return (text.removeprefix("-") if is_zero else text).replace("-", MINUS)


def capital(sentence: str) -> str:
    """Capitalise the first letter of a sentence."""
    return sentence[:1].upper() + sentence[1:]


def format_interval(value: float, low: float, high: float, form: str) -> str:
    """Format a number with its interval; without one if it is unknown."""
    text, ends = format_number(value, form), form.removeprefix("+")
    if math.isnan(value + low + high):
        return text
    return f"{text} [{low:{ends}}, {high:{ends}}]"


def markdown_rows(rows: Iterable[Sequence[str]]) -> str:
    """Format rows of a Markdown table, one per line; the second row is dashes."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def count(number: float, noun: str) -> str:
    """Format a count with its noun: `1 section`, `3,481 spots`."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"
