"""A released checkpoint, from a file or an address, checked before it takes its place."""

import shutil
from pathlib import Path

from sagefm.checkpoint import load_network
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
            _download(released["url"], released["sha256"], temporary)
        try:
            load_network(temporary, network, n_genes)
        except InputError as error:
            source = str(released.get("path") or released["url"])
            raise InputError(str(error).replace(str(temporary), source)) from error


def _download(url: str, checksum: str, destination: Path) -> None:
    import pooch
    import requests

    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{checksum}",
            fname=destination.name,
            path=destination.parent,
            progressbar=False,
        )
    except (requests.RequestException, OSError, ValueError) as error:
        raise InputError(
            f"{url}: could not be fetched as given in the config ({error}); check the address and "
            "its sha256, or download it and give its `path`."
        ) from error
