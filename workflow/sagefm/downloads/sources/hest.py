"""HEST-1k: counts and coordinates of single sections from a data set of more than 1 TB.

Jaume et al. 2024, doi:10.48550/arXiv.2406.16192; gated, CC BY-NC-SA 4.0.
"""

import re

from sagefm.common.errors import InputError
from sagefm.downloads.sources.base import Remote
from sagefm.downloads.sources.hub import ENDPOINTS
from sagefm.downloads.sources.hub import locate as locate_on_hub

__all__ = ["ENDPOINTS"]

HELP = "the section's id, as in `TENX152`"

REPOSITORY = "MahmoodLab/hest"


def raw_path(address: str) -> str:
    """Return the path `st/ID.h5ad`.

    Raises
    ------
    InputError
        If the address is not an id.
    """
    if not re.fullmatch(r"\w+", address):
        raise InputError(f"`{address}` is not an id of HEST-1k. Fix: give {HELP}.")
    return f"st/{address}.h5ad"


def collection(address: str) -> str:
    """Return the repository: all sections are of one state of the data set."""
    return REPOSITORY


def hub_repository(address: str) -> str:
    """Return the data set, which is only open to users who have requested access."""
    return REPOSITORY


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`."""
    return locate_on_hub(f"{REPOSITORY}/{raw_path(address)}", revision)
