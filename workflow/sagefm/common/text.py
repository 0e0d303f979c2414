"""Numbers as sentences and titles say them, those among them that are not known."""

import math
from collections.abc import Iterable, Sequence

UNKNOWN_NUMBER = "too few to tell"
"""What a sentence has in place of a number that too few patients, pairs or genes left unknown."""

MINUS = "\N{MINUS SIGN}"


def format_number(value: float, form: str) -> str:
    """A number in a sentence, as `+.2f` formats it; `UNKNOWN_NUMBER` for NaN."""
    return UNKNOWN_NUMBER if math.isnan(value) else format(value, form)


def with_sign(value: float, form: str) -> str:
    """A number as figures print it: a true minus sign, and none before a 0."""
    text = format_number(value, form)
    is_zero = "0" in text and not any(digit in text for digit in "123456789")
    return (text.removeprefix("-") if is_zero else text).replace("-", MINUS)


def capital(sentence: str) -> str:
    """A sentence with its first letter a capital."""
    return sentence[:1].upper() + sentence[1:]


def format_interval(value: float, low: float, high: float, form: str) -> str:
    """A number with its interval; without one where too few values have none."""
    text, ends = format_number(value, form), form.removeprefix("+")
    if math.isnan(value + low + high):
        return text
    return f"{text} [{low:{ends}}, {high:{ends}}]"


def markdown_rows(rows: Iterable[Sequence[str]]) -> str:
    """Rows of a Markdown table, a line each; the second is dashes."""
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def count(number: float, noun: str) -> str:
    """A count with its noun: `1 section`, `3,481 spots`."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"
