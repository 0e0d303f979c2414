"""Types and functions shared by all sources: remote files, service addresses, address parts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote

from sagefm.common.errors import InputError

MEMBER = "::"
"""Separates an archive's address from the path of a member in it."""

CONTENTS = ".contents"
"""Suffix of the folder with an archive's extracted members, next to the archive."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True)
class Remote:
    """A remote file: its URL and what is known about it beforehand.

    `headers` are sent to the host of `url` only and are never logged. `revision` is the service's
    name for this state of its files, empty if it has none. A web page is refused unless `html` is
    set.
    """

    url: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    revision: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    html: bool = False


def endpoint(service: str, endpoints: Mapping[str, str]) -> str:
    """Return the address of a service, without a trailing slash.

    Parameters
    ----------
    service
        Name of a service in a source's `ENDPOINTS`. `{SERVICE}_ENDPOINT` in the environment names a
        mirror, such as `HF_ENDPOINT` for the hub.
    endpoints
        The source's `ENDPOINTS`.
    """
    return os.environ.get(f"{service}_ENDPOINT", endpoints[service]).rstrip("/")


def split_member(address: str) -> tuple[str, str | None]:
    """Split an address into a file's address and, for an archive, the member's path (else None).

    Raises
    ------
    InputError
        If a member is given for a file that is not an archive, or an archive has no member.
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
    """Return a relative path after checking that it stays within its folder.

    Raises
    ------
    InputError
        If the path is absolute or empty, or leaves the folder.
    """
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise InputError(
            f"`{path}` is not a path inside an archive or a repository. Fix: correct it."
        )
    return str(pure)


def quoted(path: str) -> str:
    """Escape a path for a URL: spaces, `#` and similar characters, but not slashes."""
    return quote(path, safe="/")
