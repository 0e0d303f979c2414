"""Where programmes keep their caches, if the home folder cannot be written to."""

import os
from pathlib import Path

CACHES = Path("results/.cache")
"""As in the Makefile, which has to decide before Python starts."""


def keep_caches_here(folder: Path = CACHES) -> None:
    """Let Snakemake, matplotlib and others keep caches in a folder of the run, if not at home.

    By the variables that they read, for the jobs that are started as well.
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
