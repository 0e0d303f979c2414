"""Sources by name, and which raw files the rows of a sheet are made of."""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sagefm.common.errors import InputError, hint
from sagefm.downloads.sources.base import CONTENTS, Remote, split_member

NOT_SOURCES = ("__init__", "base", "registry")

REMOTE = tuple(
    sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_SOURCES)
)

SOURCES = ("local", *REMOTE)


@cache
def load_source(name: str) -> ModuleType:
    """A source's module.

    Raises
    ------
    InputError
        If there is no such source.
    """
    if name not in REMOTE:
        raise InputError(f"no source `{name}` is there; {hint(name, SOURCES)}.")
    return import_module(f"sagefm.downloads.sources.{name}")


def raw_file(source: str, address: str, folder: str) -> str:
    """Path of the raw file that an address of a sheet stands for; nobody is asked.

    Parameters
    ----------
    source
        One of `SOURCES`; of `local`, the address is the path.
    folder
        Where raw files are kept, shared by all runs.

    Raises
    ------
    InputError
        If the address is not one of this source.
    """
    if source == "local":
        return address
    outer, member = split_member(address)
    path = f"{folder}/{source}/{load_source(source).raw_path(outer)}"
    return path if member is None else f"{path}{CONTENTS}/{member}"


def locate(source: str, address: str, revision: str = "") -> Remote:
    """Where a file is to be had, as its service says now.

    Parameters
    ----------
    address
        Without a member.
    revision
        The state of the service's files to take, where one was recorded.

    Raises
    ------
    InputError
        If the service does not have it, or not for this user.
    """
    return load_source(source).locate(address, revision)
