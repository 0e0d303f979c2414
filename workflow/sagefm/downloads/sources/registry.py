"""Sources by name, and the raw files to which the rows of a sheet refer.

A source is one file of this folder, or of `downloads/sources` in a folder of `SAGEFM_PATH`:

- its docstring's first line: what is fetched from it.
- `HELP`: the form of an address, in words, with an example.
- `raw_path(address)`: where the file of an address is stored, below the source's own folder. It
  raises an `InputError` if the address does not belong to the source.
- `locate(address, revision)`: the file as a `base.Remote`, as its service currently answers. A
  source without it has its files on this machine.
- `collection(address)`, if the service names states of its data: the files that share a state.
- `ENDPOINTS`, if mirrors are possible: the default address of each service. The environment
  variable is `{SERVICE}_ENDPOINT`.
- `hub_repository(address)`, for a source on the Hugging Face hub: the data set to which the
  preflight checks access.

`geo.py` is the shortest example that fetches files.
"""

from types import ModuleType

from sagefm.common.registry import Registry
from sagefm.downloads.sources.base import CONTENTS, Remote, split_member

SOURCES = Registry("downloads/sources", "source", ("HELP", "raw_path"))


def names() -> tuple[str, ...]:
    """Return the names of all sources, sorted."""
    return SOURCES.names()


def load_source(name: str) -> ModuleType:
    """Import and return a source's module.

    Raises
    ------
    InputError
        If the source does not exist.
    """
    return SOURCES.load(name)


def is_fetched(source: str) -> bool:
    """Whether a source's files are fetched, rather than already on this machine."""
    return hasattr(load_source(source), "locate")


def raw_file(source: str, address: str, folder: str) -> str:
    """Return the path of the raw file for a sheet's address, without contacting a service.

    Parameters
    ----------
    source
        One of `names`.
    address
        In the form of its `HELP`, followed by `::PATH` if it is an archive.
    folder
        Folder of raw files, shared by all runs.

    Raises
    ------
    InputError
        If the address does not belong to this source.
    """
    if not is_fetched(source):
        return load_source(source).raw_path(address)
    outer, member = split_member(address)
    path = f"{folder}/{source}/{load_source(source).raw_path(outer)}"
    return path if member is None else f"{path}{CONTENTS}/{member}"


def locate(source: str, address: str, revision: str = "") -> Remote:
    """Locate a file as its service currently answers.

    Parameters
    ----------
    address
        Address without a member.
    revision
        State of the service's files to use, if one was recorded.

    Raises
    ------
    InputError
        If the service does not have the file, or not for this user.
    """
    return load_source(source).locate(address, revision)
