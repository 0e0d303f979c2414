"""HEST-1k: of a data set of more than 1 TB, a section's counts and coordinates alone.

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
    """`st/ID.h5ad`.

    Raises
    ------
    InputError
        If it is not an id.
    """
    if not re.fullmatch(r"\w+", address):
        raise InputError(f"`{address}` is not an id of HEST-1k. Fix: give {HELP}.")
    return f"st/{address}.h5ad"


def collection(address: str) -> str:
    """All sections are of one state of the data set."""
    return REPOSITORY


def hub_repository(address: str) -> str:
    """The data set, whose gate is closed to those who have not asked."""
    return REPOSITORY


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`."""
    return locate_on_hub(f"{REPOSITORY}/{raw_path(address)}", revision)
