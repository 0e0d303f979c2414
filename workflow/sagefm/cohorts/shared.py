"""Harmonised samples that several runs share, as long as all that made them agrees.

A sample is kept under a key that its content follows from; a run has a link to it.
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
    """Name under which a harmonised sample is shared: equal if, and only if, all of it is.

    Parameters
    ----------
    row
        Columns of the sheet that decide how a section is read.
    files
        The section's own files, and those the settings name: what counts is their content.
    settings
        All other arguments of ingestion.
    code
        Checksum of what the code of ingestion does.

    Returns
    -------
    str
        SHA-256 (hex).
    """
    facts = {
        "row": {name: "" if pd.isna(value) else str(value) for name, value in row.items()},
        "files": [sha256(path) for path in files],
        "settings": settings,
        "code": code,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def link_shared(shared: Path, destination: str | Path) -> None:
    """Make `destination` a link to a shared file, relative, so that both may move together."""
    folder = Path(destination).parent
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(destination) as temporary:
        temporary.symlink_to(os.path.relpath(shared.resolve(), folder.resolve()))
