"""Read files of gene symbols and check them against the panel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.texts import read_text


def read_panel(path: str | Path) -> list[str]:
    """Read gene symbols in the model's order, one per line.

    Raises
    ------
    InputError
        If the file is missing, not text or empty, or has an empty line, a line of several words or
        a repeated symbol.
    """
    try:
        panel = read_text(path).splitlines()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error}). Fix: correct `panel` in the config."
        ) from error
    panel = [symbol.strip() for symbol in panel]
    if not panel or "" in panel:
        line = panel.index("") + 1 if panel else 1
        raise InputError(f"{path}: line {line} is empty. Fix: give one gene symbol a line.")
    if strange := [symbol for symbol in panel if len(symbol.split()) > 1]:
        raise InputError(
            f"{path}: `{strange[0]}` is more than a gene symbol. Fix: give one gene symbol a line, "
            "and nothing else."
        )
    if len(set(panel)) < len(panel):
        repeated = pd.Index(panel)[pd.Index(panel).duplicated()][0]
        raise InputError(
            f"{path}: gene `{repeated}` occurs more than once. Fix: keep one line each."
        )
    return panel


def named_columns(path: str | Path, panel: Sequence[str]) -> np.ndarray:
    """Return columns of the panel (int64, ascending) for a file of symbols, one per line.

    Raises
    ------
    InputError
        If the file names no gene, or one that the panel lacks.
    """
    symbols = read_text(path).split()
    if not symbols:
        raise InputError(f"{path}: names no gene. Fix: give symbols, one a line.")
    if strange := sorted(set(symbols) - set(panel)):
        raise InputError(
            f"{path}: {', '.join(strange[:5])} not in the panel ({len(strange)} of {len(symbols)} "
            "genes). Fix: correct the symbols, or remove them."
        )
    return np.flatnonzero(np.isin(panel, symbols))
