"""Sources by name, and which raw files the rows of a sheet are made of.

A source is one file of this folder, or of `downloads/sources` in a folder of `SAGEFM_PATH`:

- its docstring's first line: what is fetched from it.
- `HELP`: the form of an address, in words, with an example.
- `raw_path(address)`: where the file of an address is kept, below the source's own folder; an
  `InputError` if it is not an address of the source.
- `locate(address, revision)`: the file as a `base.Remote`, as its service answers now; a source
  without it has its files on this machine.
- `collection(address)`, where the service names states of its data: what shares one.
- `ENDPOINTS`, where a mirror can be named: the default address of each service; the environment
  variable is `{SERVICE}_ENDPOINT`.
- `hub_repository(address)`, of a source on the Hugging Face hub: the data set whose gate the
  preflight asks.

`geo.py` is the shortest that fetches.
"""

from types import ModuleType

from sagefm.common.registry import Registry
from sagefm.downloads.sources.base import CONTENTS, Remote, split_member

SOURCES = Registry("downloads/sources", "source", ("HELP", "raw_path"))


def names() -> tuple[str, ...]:
    """Names of all sources, sorted."""
    return SOURCES.names()


def load_source(name: str) -> ModuleType:
    """A source's module.

    Raises
    ------
    InputError
        If there is no such source.
    """
    return SOURCES.load(name)


def is_fetched(source: str) -> bool:
    """Whether a source's files are fetched, rather than on this machine."""
    return hasattr(load_source(source), "locate")


def raw_file(source: str, address: str, folder: str) -> str:
    """Path of the raw file of an address of a sheet; no service is asked.

    Parameters
    ----------
    source
        One of `names`.
    address
        As its `HELP` says, with `::PATH` behind it if it is an archive.
    folder
        Where raw files are kept, shared by all runs.

    Raises
    ------
    InputError
        If the address is not one of this source.
    """
    if not is_fetched(source):
        return load_source(source).raw_path(address)
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
