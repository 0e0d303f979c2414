"""The parts of the speed bench: files of the folder `parts`, by name.

A part has a docstring, TARGETS (limits of rows by name, `>= 0.8`) and
measure(options, table), which adds its rows to the table. It is imported when it is to run.
"""

import importlib
from argparse import Namespace
from pathlib import Path
from types import ModuleType

from bench.table import Table

FOLDER = Path(__file__).with_name("parts")


def names() -> list[str]:
    """All parts, sorted."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def load(name: str) -> ModuleType:
    """A part's module."""
    return importlib.import_module(f"bench.parts.{name}")


def measure(name: str, options: Namespace, table: Table) -> None:
    """Run a part."""
    part = load(name)
    table.targets |= part.TARGETS
    part.measure(options, table)
