"""Files of gene symbols, held against the panel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError


def read_panel(path: str | Path) -> list[str]:
    """Read gene symbols, one a line, in the model's order.

    Raises
    ------
    InputError
        If the file is missing, empty, has an empty line or a symbol twice.
    """
    try:
        panel = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}). Fix: correct `panel` in the config."
        ) from error
    panel = [symbol.strip() for symbol in panel]
    if not panel or "" in panel:
        line = panel.index("") + 1 if panel else 1
        raise InputError(f"{path}: line {line} is empty. Fix: give one gene symbol a line.")
    if len(set(panel)) < len(panel):
        repeated = pd.Index(panel)[pd.Index(panel).duplicated()][0]
        raise InputError(
            f"{path}: gene `{repeated}` occurs more than once. Fix: keep one line each."
        )
    return panel


def named_columns(path: str | Path, panel: Sequence[str]) -> np.ndarray:
    """Columns of the panel (int64, ascending) of a file of symbols, one a line.

    Raises
    ------
    InputError
        If the file names no gene, or one that the panel lacks.
    """
    symbols = Path(path).read_text(encoding="utf-8-sig").split()
    if not symbols:
        raise InputError(f"{path}: names no gene. Fix: give symbols, one a line.")
    if strange := sorted(set(symbols) - set(panel)):
        raise InputError(
            f"{path}: {', '.join(strange[:5])} not in the panel ({len(strange)} of {len(symbols)} "
            "genes). Fix: correct the symbols, or remove them."
        )
    return np.flatnonzero(np.isin(panel, symbols))
