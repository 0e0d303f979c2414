"""Files of gene symbols, held against the panel."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sagefm.errors import InputError


def named_columns(path: str | Path, panel: Sequence[str]) -> np.ndarray:
    """Columns of the panel (int64, ascending) of a file of symbols, one a line.

    Raises
    ------
    InputError
        If the file names no gene, or one that the panel lacks.
    """
    symbols = Path(path).read_text().split()
    if not symbols:
        raise InputError(f"{path}: names no gene; give symbols, one a line.")
    if strange := sorted(set(symbols) - set(panel)):
        raise InputError(
            f"{path}: {', '.join(strange[:5])} not in the panel ({len(strange)} of {len(symbols)} "
            "genes); correct the symbols, or remove them."
        )
    return np.flatnonzero(np.isin(panel, symbols))
