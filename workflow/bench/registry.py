"""The parts of the speed bench: files of the folder `parts`, by name.

A part has a docstring, TARGETS (limits of rows by name, such as `>= 0.8`) and measure(options,
table), which adds its rows to the table. It is imported only when it runs.
"""

import importlib
from argparse import Namespace
from pathlib import Path
from types import ModuleType

from bench.table import Table

FOLDER = Path(__file__).with_name("parts")


def names() -> list[str]:
    """Return the names of all parts, sorted."""
    return sorted(path.stem for path in FOLDER.glob("[!_]*.py"))


def load(name: str) -> ModuleType:
    """Import the module of a part."""
    return importlib.import_module(f"bench.parts.{name}")


def measure(name: str, options: Namespace, table: Table) -> None:
    """Run a part."""
    part = load(name)
    table.targets |= part.TARGETS
    part.measure(options, table)
