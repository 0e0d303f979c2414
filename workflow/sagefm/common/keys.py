"""Names in tables, made alike wherever they are read: patients, data sets, classes, spots.

White space at the ends and repeated inside does not count; some words are no name.
"""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagefm.common.errors import InputError

if TYPE_CHECKING:  # seconds to import
    import pandas as pd

MISSING = frozenset(
    ("", "na", "n/a", "nan", "-nan", "<na>", "none", "null", "#n/a", "#na", "#n/a n/a")
)
"""What R, pandas and spreadsheets write where there is nothing, in lower case."""

NAMES = (
    *("cohort", "sample", "patient", "dataset", "organ", "disease_state", "technology"),
    *("model", "task", "representation", "label", "class", "name", "group", "stratum", "over"),
    *("spot", "fold", "section", "context", "factor"),
)
"""Columns of tables that hold names, which may be 1, 001 or 1e5."""

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
"""Marks of no width: the byte order mark, and those that copied text brings."""


def trimmed(text: str) -> str:
    """A name without white space around it, with single spaces inside, each letter one sign.

    An accent may be written as part of its letter or as a sign behind it, which look the same.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def named(text: str) -> str:
    """A name as `trimmed`, empty if it is one of the `MISSING`."""
    name = trimmed(text)
    return "" if name.lower() in MISSING else name


def named_values(values: "pd.Series") -> "pd.Series":
    """`named` of each value as text; missing where that is empty."""
    texts = values.map(lambda value: named(str(value)), na_action="ignore").astype(object)
    return texts.where(texts.notna() & (texts != ""), None)


def check_case(names: Iterable[str], what: str) -> None:
    """Check that no two names differ in nothing but capitals.

    Parameters
    ----------
    names
        As `trimmed`.
    what
        What they are, for the sentence: `patients`.

    Raises
    ------
    InputError
        If two do.
    """
    met: dict[str, str] = {}
    for name in names:
        other = met.setdefault(name.casefold(), name)
        if other != name:
            raise InputError(
                f"{what} `{other}` and `{name}` differ only in capitals. Fix: write both the "
                "same, or give one another name."
            )
