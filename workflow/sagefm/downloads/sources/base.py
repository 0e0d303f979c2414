"""What every source answers with, and how an address is taken apart."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote

from sagefm.common.errors import InputError

MEMBER = "::"
"""Between an archive's address and the path of a member in it."""

CONTENTS = ".contents"
"""Ends the name of the folder that holds an archive's members, beside the archive."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Remote:
    """A file to be had: its URL, and what is known of it beforehand.

    `headers` go to the host of `url` alone, and into no log; `revision` is what the service calls
    this state of its files, empty where it has no name for it. An `html` page is refused unless it
    is what is wanted.
    """

    url: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    revision: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    html: bool = False


def endpoint(service: str, endpoints: Mapping[str, str]) -> str:
    """Address of a service, without a slash at its end.

    Parameters
    ----------
    service
        As in a source's `ENDPOINTS`; `{SERVICE}_ENDPOINT` in the environment names a mirror, as
        `HF_ENDPOINT` does of the hub.
    endpoints
        The source's `ENDPOINTS`.
    """
    return os.environ.get(f"{service}_ENDPOINT", endpoints[service]).rstrip("/")


def split_member(address: str) -> tuple[str, str | None]:
    """Address of a file, and the path of the member if the file is an archive, else None.

    Raises
    ------
    InputError
        If a member is named of what is not an archive, or an archive without a member.
    """
    outer, found, member = address.partition(MEMBER)
    archive = outer.lower().endswith(ARCHIVES)
    if found and not archive:
        raise InputError(
            f"{outer} is not an archive ({', '.join(ARCHIVES)}). Fix: remove `::{member}`."
        )
    if archive and not member:
        raise InputError(f"{outer} is an archive. Fix: name a file in it, `{outer}::PATH`.")
    return (outer, safe_path(member)) if found else (outer, None)


def safe_path(path: str) -> str:
    """A relative path that stays below where it starts.

    Raises
    ------
    InputError
        If it is absolute, empty, or climbs.
    """
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise InputError(
            f"`{path}` is not a path inside an archive or a repository. Fix: correct it."
        )
    return str(pure)


def quoted(path: str) -> str:
    """A path as in a URL: spaces, `#` and the like escaped, slashes kept."""
    return quote(path, safe="/")
