"""A figure's title: what was found, broken into lines that fit, and below it what it is about."""

from textwrap import wrap
from typing import cast

from matplotlib.figure import Figure, FigureBase, SubFigure

from sagefm.plotting.style import head

CHARACTERS_AN_INCH = 14
"""Of a title's text, so that no line is cut off."""

LETTER = "." * 5
"""Room on the first line for the letter of a part, in place of which wrapping sees this."""


def headline(figure: FigureBase, finding: str, about: str = "") -> None:
    """Give a figure, or a part of one, its title, broken into lines of its width.

    Parameters
    ----------
    figure
        Or a part; a part that is not yet laid out has its share of the figure's width.
    finding
        What was found, in a sentence.
    about
        What the figure is of and how much is behind it, on lines of their own.
    """
    part = cast("Figure | SubFigure", figure)  # there are no others
    width = int(part.bbox.width / part.dpi * CHARACTERS_AN_INCH)
    lines = balanced(LETTER + finding, width) + balanced(about, width)
    head(figure, "\n".join(lines).removeprefix(LETTER))


def balanced(text: str, width: int) -> list[str]:
    """Lines of a text, of about equal length: the narrowest that are no more than have to be.

    Parameters
    ----------
    width
        Most characters of a line.
    """
    lines = wrap(text, width, break_on_hyphens=False)
    for narrower in range(width - 1, 0, -1):
        found = wrap(text, narrower, break_on_hyphens=False, break_long_words=False)
        if len(found) > len(lines) or any(len(line) > narrower for line in found):
            break
        lines = found
    return lines
