"""Normalise names in tables (patients, data sets, classes, spots) in the same way everywhere.

White space at the ends and repeated inside is ignored; some words count as missing.
"""

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sagefm.common.errors import InputError

if TYPE_CHECKING:  # takes seconds to import
    import pandas as pd

MISSING = frozenset(
    ("", "na", "n/a", "nan", "-nan", "<na>", "none", "null", "#n/a", "#na", "#n/a n/a")
)
"""Values that R, pandas and spreadsheets write for missing data, in lower case."""

NAMES = (
    *("cohort", "sample", "patient", "dataset", "organ", "disease_state", "technology"),
    *("model", "task", "representation", "label", "class", "name", "group", "stratum", "over"),
    *("spot", "fold", "section", "context", "factor"),
)
"""Columns of tables that hold names, which may look like numbers: 1, 001 or 1e5."""

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060"))
"""Zero-width characters: the byte order mark, and those that copied text may contain."""


def trimmed(text: str) -> str:
    """Return a name without white space around it, with single spaces inside, in Unicode form NFC.

    An accent may be part of its letter or a separate character after it; both look the same.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def named(text: str) -> str:
    """Return a name as by `trimmed`, or an empty string if it is one of the `MISSING`."""
    name = trimmed(text)
    return "" if name.lower() in MISSING else name


def named_values(values: "pd.Series") -> "pd.Series":
    """Apply `named` to each value as text; empty results become missing."""
    texts = values.map(lambda value: named(str(value)), na_action="ignore").astype(object)
    return texts.where(texts.notna() & (texts != ""), None)


def check_case(names: Iterable[str], what: str) -> None:
    """Check that no two names differ only in capitalisation.

    Parameters
    ----------
    names
        Names as returned by `trimmed`.
    what
        What the names are, for the message: `patients`.

    Raises
    ------
    InputError
        If two names do.
    """
    met: dict[str, str] = {}
    for name in names:
        other = met.setdefault(name.casefold(), name)
        if other != name:
            raise InputError(
                f"{what} `{other}` and `{name}` differ only in capitals. Fix: write both the "
                "same, or give one another name."
            )
