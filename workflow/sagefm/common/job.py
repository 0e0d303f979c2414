"""What every script of a rule does around its work: log, and fail with one clear sentence."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sagefm.common.code import LIBRARY, is_installed_from
from sagefm.common.errors import InputError


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Send log messages to the rule's log file while a script works, warnings to stderr as well.

    An `InputError` ends the script with its sentence and exit status 1; anything else leaves its
    traceback in the log file as well.
    """
    log, warned = logging.getLogger("sagefm"), logging.getLogger("py.warnings")
    file = logging.FileHandler(snakemake.log[0], mode="w")
    console = logging.StreamHandler(sys.stderr)
    console.setLevel(logging.WARNING)  # where many jobs share a terminal
    handlers: list[logging.Handler] = [file, console]
    form = logging.Formatter(f"%(asctime)s {snakemake.rule}: %(message)s", "%H:%M:%S")
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
        log.error("ERROR: %s", error)
        sys.exit(1)
    except Exception:
        log.exception("unexpected error")
        raise
    finally:  # the next script of this process has a log of its own
        logging.captureWarnings(False)
        warned.removeHandler(file)
        for handler in handlers:
            log.removeHandler(handler)
            handler.close()


def _check_library(folder: Path) -> None:
    """Refuse a library that is not the one beside the script, as an old image may have."""
    if not is_installed_from(folder):
        raise InputError(
            f"{LIBRARY}: this environment's `sagefm` is not the library in {folder}. Fix: install "
            "that one (`pip install -e` on its repository), or rebuild the environment or image."
        )
