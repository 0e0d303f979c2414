"""Harmonised samples that runs share if everything that determines them is equal.

A sample is stored under a key derived from what determines its content; a run has a link to it.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sagefm.common.io import atomic, sha256


def content_key(
    row: Mapping,
    files: Sequence[str | Path],
    settings: Mapping,
    code: str,
) -> str:
    """Return the name of a shared harmonised sample, equal only if all its inputs are equal.

    Parameters
    ----------
    row
        Columns of the sheet that affect how a section is read.
    files
        The section's files and those that the settings name; only their content matters.
    settings
        All other arguments of ingestion.
    code
        Checksum of what the code of ingestion does.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    facts = {
        "row": {name: "" if pd.isna(value) else str(value) for name, value in row.items()},
        "files": [sha256(path) for path in files],
        "settings": settings,
        "code": code,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def link_shared(shared: Path, destination: str | Path) -> None:
    """Make `destination` a relative link to a shared file, so that both may move together."""
    folder = Path(destination).parent
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(destination) as temporary:
        temporary.symlink_to(os.path.relpath(shared.resolve(), folder.resolve()))
