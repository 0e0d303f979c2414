"""A released checkpoint, from a file or an address, checked before it takes its place."""

import shutil
from pathlib import Path

from sagefm.checkpoint import load_network
from sagefm.download import download
from sagefm.errors import InputError
from sagefm.io import atomic


def fetch_checkpoint(released: dict, network: str, n_genes: int, destination: str | Path) -> None:
    """Bring a released checkpoint to `destination`, if it loads into the network of the panel.

    Parameters
    ----------
    released
        `path`, or `url` with `sha256`.

    Raises
    ------
    InputError
        If it cannot be fetched, has another checksum, or is no checkpoint of this network.
    """
    with atomic(destination) as temporary:
        if "path" in released:
            shutil.copyfile(released["path"], temporary)
        else:
            download(released["url"], released["sha256"], temporary)
        try:
            load_network(temporary, network, n_genes)
        except InputError as error:
            source = str(released.get("path") or released["url"])
            raise InputError(str(error).replace(str(temporary), source)) from error
