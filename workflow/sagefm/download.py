"""Files fetched over HTTP: whole and as expected, or not at all."""

import logging
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from sagefm.errors import InputError
from sagefm.io import atomic, sha256

log = logging.getLogger(__name__)


def download(url: str, checksum: str | None, destination: Path) -> None:
    """Fetch a file.

    Parameters
    ----------
    checksum
        SHA-256 (hex) that the file must have; None takes what comes.

    Raises
    ------
    InputError
        If nothing is there, nobody answers, or the checksum is another.
    """
    import pooch
    import requests

    try:
        pooch.retrieve(
            url,
            known_hash=checksum and f"sha256:{checksum}",
            fname=destination.name,
            path=destination.parent,
            progressbar=False,
        )
    except (requests.RequestException, OSError, ValueError) as error:
        raise InputError(
            f"{url}: could not be fetched as given in the config ({error}); check the address and "
            "its sha256, or download it and give its `path`."
        ) from error


def fetch_csv(
    url: str, checksum: str | None, columns: Collection[str], destination: str | Path
) -> None:
    """Fetch a comma-separated table, and write its SHA-256 to `{destination}.sha256` beside it.

    The sum is in the form that `sha256sum -c` reads.

    Raises
    ------
    InputError
        As `download`, or if what came is not a table with these columns.
    """
    destination = Path(destination)
    with atomic(destination) as temporary:
        download(url, checksum, temporary)
        try:
            found = list(pd.read_csv(temporary, nrows=0).columns)
        except ValueError:
            found = []
        if missing := [column for column in columns if column not in found]:
            raise InputError(
                f"{url}: what came is no comma-separated table with the column `{missing[0]}`; "
                "check the address, or download the table and give its `path`."
            )
        obtained = sha256(temporary)
        log.info("%s: fetched, sha256 %s", url, obtained)
        with atomic(f"{destination}.sha256") as beside:
            beside.write_text(f"{obtained}  {destination.name}\n")
