"""Any file on the web."""

from urllib.parse import unquote, urlsplit

from sagefm.common.errors import InputError
from sagefm.downloads.sources.base import Remote, safe_path

HELP = "`https://HOST/PATH`"

LOOPBACK = ("127.0.0.1", "localhost")
"""Hosts that need no encryption, since they are this machine."""


def raw_path(address: str) -> str:
    """Return the path `HOST/PATH`; a query is part of the file's name.

    Raises
    ------
    InputError
        If the address is not an https URL, or contains a password.
    """
    parts = urlsplit(address)
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or plain):
        raise InputError(f"`{address}` is not an https address. Fix: give one as {HELP}.")
    if parts.username or parts.password:
        raise InputError(
            f"the address on {parts.hostname} contains a name or password. Fix: put them "
            "into ~/.netrc."
        )
    path = unquote(parts.path).strip("/")
    query = f"?{parts.query.replace('/', '_')}" if parts.query else ""
    return safe_path(f"{parts.netloc}/{path}{query}")


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`."""
    return Remote(address, html=address.lower().endswith((".html", ".htm")))
