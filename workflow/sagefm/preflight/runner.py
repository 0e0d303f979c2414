"""Run all checks that need no GPU, and collect them in one table."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError
from sagefm.downloads.plan import Origin
from sagefm.preflight.checks import FIX, as_text, checks_table
from sagefm.preflight.disk import Need, disk_checks
from sagefm.preflight.packages import package_checks
from sagefm.preflight.services import access_checks


def look_first(
    origins: Iterable[Origin], needs: Sequence[Need], environments: str | Path
) -> pd.DataFrame:
    """Check services, packages and disk, and print the table to stderr.

    Parameters
    ----------
    origins
        Origins of the files to fetch.
    needs
        Needs from `disk.stage_needs`.
    environments
        Folder with the lock of packages.

    Raises
    ------
    InputError
        If anything must be fixed first.
    """
    checks = [
        *access_checks(origins),
        *package_checks(Path(environments)),
        *disk_checks(needs),
    ]
    return conclude(checks_table(checks))


def conclude(table: pd.DataFrame) -> pd.DataFrame:
    """Print a table of checks and return it if nothing would fail later.

    Raises
    ------
    InputError
        If anything must be fixed first.
    """
    print(as_text(table), file=sys.stderr, flush=True)
    bad = table.loc[table["verdict"] == FIX, "check"]
    if len(bad):
        raise InputError(
            f"{len(bad)} of {len(table)} checks found a problem ({', '.join(bad)}). Fix: correct "
            "each as the table above says, and start again."
        )
    return table
