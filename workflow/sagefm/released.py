"""A released checkpoint, checked before it takes its place."""

import shutil
from pathlib import Path

from sagefm.checkpoint import load_network
from sagefm.errors import InputError
from sagefm.io import atomic


def take_checkpoint(path: str | Path, network: str, n_genes: int, destination: str | Path) -> None:
    """Copy a released checkpoint to `destination`, if it loads into the network of the panel.

    Raises
    ------
    InputError
        If it is no checkpoint of this network.
    """
    with atomic(destination) as temporary:
        shutil.copyfile(path, temporary)
        try:
            load_network(temporary, network, n_genes)
        except InputError as error:
            raise InputError(str(error).replace(str(temporary), str(path))) from error
