"""Folder for programs' caches if the home folder is not writable."""

import os
from pathlib import Path

CACHES = Path("results/.cache")
"""The same folder as in the Makefile, which must choose it before Python starts."""


def keep_caches_here(folder: Path = CACHES) -> None:
    """Make Snakemake, matplotlib and others use caches in the run's folder if home is not writable.

    The environment variables that are set also apply to the jobs.
    """
    if not _is_writable(Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())):
        os.environ["XDG_CACHE_HOME"] = str(folder.absolute())
        os.environ["MPLCONFIGDIR"] = str(folder.absolute() / "matplotlib")


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
