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
    labels: pd.DataFrame | None,
    code: Sequence[str | Path],
) -> str:
    """Name under which a harmonised sample is shared: equal if, and only if, all of it is.

    Parameters
    ----------
    row
        The sheet's row, with the cohort's name as `cohort`.
    files
        The section's own files, and those the settings name: what counts is their content.
    settings
        All else that ingestion is told.
    labels
        The cohort's label table; its rows of this sample count.
    code
        Files of the library that ingestion uses.

    Returns
    -------
    str
        SHA-256 (hex).
    """
    if labels is not None and "sample" in labels:
        labels = labels[labels["sample"].astype(str) == str(row["sample"])]
    facts = {
        "row": {name: "" if pd.isna(value) else str(value) for name, value in row.items()},
        "files": [sha256(path) for path in files],
        "settings": settings,
        "labels": labels if labels is None else labels.to_csv(index=False),
        # By name: where the repository lies does not matter.
        "code": {Path(path).name: sha256(path) for path in code},
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def link_shared(shared: Path, destination: str | Path) -> None:
    """Make `destination` a link to a shared file, relative, so that both may move together."""
    folder = Path(destination).parent
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(destination) as temporary:
        temporary.symlink_to(os.path.relpath(shared.resolve(), folder.resolve()))
