"""Numbers as sentences and titles say them, those among them that are not known."""

import math

TOO_FEW = "too few to tell"
"""What stands in a sentence for a number that too few patients, pairs or genes left unknown."""


def told(value: float, form: str) -> str:
    """A number in a sentence, written by a format as `+.2f`; `TOO_FEW` where it is not known."""
    return TOO_FEW if math.isnan(value) else format(value, form)


def told_between(value: float, low: float, high: float, form: str) -> str:
    """A number with its interval; without one where too few values have none."""
    text, ends = told(value, form), form.removeprefix("+")
    if math.isnan(value + low + high):
        return text
    return f"{text} [{low:{ends}}, {high:{ends}}]"


def count(number: float, noun: str) -> str:
    """A count with its noun: `1 section`, `3,481 spots`."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"
