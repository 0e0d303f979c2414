"""Common frame of every rule's script: set up the log, and end with one clear message."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagefm.common.code import LIBRARY, is_installed_from
from sagefm.common.errors import InputError

WATCHED = "SAGEFM_WATCHED"
"""Environment variable that is set if the run's console shows progress, warnings and errors."""


class _Form(logging.Formatter):
    """Formats records with time and rule, and the job's own warnings and errors with level."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.name == "py.warnings" or record.levelno < logging.WARNING:
            return text
        head, between, words = text.partition(": ")
        return f"{head}{between}{record.levelname}: {words}"


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Send a script's log messages to the rule's log file, and warnings to stderr as well.

    Nothing goes to stderr if the run's console reads the logs (`WATCHED`).

    An `InputError` ends the script with its message and exit status 1. Any other error also leaves
    its traceback in the log file.
    traceback in the log file as well.
    """
    log, warned = logging.getLogger("sagefm"), logging.getLogger("py.warnings")
    file = logging.FileHandler(snakemake.log[0], mode="w")
    handlers: list[logging.Handler] = [file]
    if WATCHED not in os.environ:
        console = logging.StreamHandler(sys.stderr)
        console.setLevel(logging.WARNING)  # many jobs may share a terminal
        handlers.append(console)
    form = _Form(f"%(asctime)s {snakemake.rule}: %(message)s", "%H:%M:%S")
    for handler in handlers:
        handler.setFormatter(form)
        log.addHandler(handler)
    log.setLevel(logging.INFO)
    logging.captureWarnings(True)
    warned.addHandler(file)
    try:
        if folder := getattr(snakemake, "scriptdir", None):
            _check_library(Path(folder).parents[1] / "sagefm")
        yield log
    except InputError as error:
        log.error("%s", error)
        sys.exit(1)
    except Exception:
        log.exception("unexpected error")
        raise
    finally:  # the next script of this process uses another log
        logging.captureWarnings(False)
        warned.removeHandler(file)
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()


def _check_library(folder: Path) -> None:
    """Raise an error if the library is not the one next to the script, as in an old image."""
    if not is_installed_from(folder):
        raise InputError(
            f"{LIBRARY}: this environment's `sagefm` is not the library in {folder}. Fix: install "
            "that one (`pip install -e` on its repository), or rebuild the environment or image."
        )
