"""Supplementary files of the Gene Expression Omnibus, from NCBI's https mirror of its ftp host.

Layout: https://www.ncbi.nlm.nih.gov/geo/info/download.html, "FTP site directory structure".
"""

import re

from sagefm.common.errors import InputError
from sagefm.downloads.sources.base import Remote, endpoint, quoted, safe_path

HELP = "`ACCESSION/FILE`, as in `GSM6339631/GSM6339631_s1_filtered_feature_bc_matrix.h5`"

ENDPOINTS = {"GEO": "https://ftp.ncbi.nlm.nih.gov/geo"}

KINDS = {"GSM": "samples", "GSE": "series", "GPL": "platforms"}


def raw_path(address: str) -> str:
    """Return the path `ACCESSION/FILE`.

    Raises
    ------
    InputError
        If the address does not begin with an accession, or names no file.
    """
    accession, _, file = address.partition("/")
    if not re.fullmatch(r"(GSM|GSE|GPL)\d+", accession) or not file:
        raise InputError(f"`{address}` is not a supplementary file of GEO. Fix: give {HELP}.")
    return f"{accession}/{safe_path(file)}"


def locate(address: str, revision: str) -> Remote:
    """See `registry.locate`; GEO publishes no checksums."""
    accession, _, file = raw_path(address).partition("/")
    kind, number = accession[:3], accession[3:]
    base = endpoint("GEO", ENDPOINTS)
    folder = f"{base}/{KINDS[kind]}/{kind}{number[:-3]}nnn/{accession}/suppl"
    return Remote(f"{folder}/{quoted(file)}")
