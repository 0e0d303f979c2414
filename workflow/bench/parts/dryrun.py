"""Planning the paper's run of 416 samples."""

from argparse import Namespace

from bench.dry_run import measure_dry_run
from bench.table import Table

TARGETS = {"dryrun_416_s": "<= 10"}


def measure(options: Namespace, table: Table) -> None:
    """Add the row."""
    measure_dry_run(table)
