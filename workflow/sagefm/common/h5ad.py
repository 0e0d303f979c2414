"""Read and write h5ad files. An incomplete file is never left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from sagefm.common.errors import InputError
from sagefm.common.io import atomic, require_space

if TYPE_CHECKING:  # importing it takes seconds, so only functions that need it do
    from anndata import AnnData

CHUNK_GENES = 1024
"""Number of columns in a compressed block of the layer; the rows are those of a batch."""


def append_layer(
    path: Path, name: str, blocks: Iterator[np.ndarray], shape: tuple[int, int], batch_size: int
) -> None:
    """Write consecutive rows of a layer (float32) into an existing h5ad.

    Raises
    ------
    InputError
        If the disk has no room for the uncompressed layer.
    """
    require_space(path, 4 * shape[0] * shape[1])  # HDF5 must not meet a full disk
    done, chunks = 0, (min(batch_size, shape[0]), min(CHUNK_GENES, shape[1]))
    with h5py.File(path, "r+") as file:
        layers = file["layers"]
        data = layers.create_dataset(name, shape, np.float32, chunks=chunks, **COMPRESSION)
        data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        for block in blocks:
            data[done : done + len(block)] = block
            done += len(block)


COMPRESSION = {"compression": "gzip", "compression_opts": 6, "shuffle": True}


def write_h5ad(adata: "AnnData", path: str | Path) -> None:
    """Write an AnnData as h5ad with byte-shuffled gzip, which compresses small counts best."""
    from anndata.experimental import write_dispatched

    def write(writer, store, key, elem, *, dataset_kwargs, iospec):
        # anndata would pass `shuffle` on to scalar strings, which HDF5 refuses.
        compressible = iospec.encoding_type in ("array", "csr_matrix", "csc_matrix")
        writer(store, key, elem, dataset_kwargs=COMPRESSION if compressible else {})

    with h5_image(path) as file:
        write_dispatched(file, "/", adata, write)


@contextmanager
def h5_image(path: str | Path) -> Iterator[h5py.File]:
    """Yield an HDF5 file to fill, which is written to `path` at the end.

    It is built in memory, because HDF5 crashes the process when it closes a file on a full disk.
    """
    with h5py.File("image", "w", driver="core", backing_store=False) as file:
        yield file
        file.flush()
        image = file.id.get_file_image()
    with atomic(path) as temporary:
        temporary.write_bytes(image)


@contextmanager
def as_h5ad(path: str | Path) -> Iterator[None]:
    """Raise an `InputError` if a file of this workflow cannot be read as h5ad within the context.

    Raises
    ------
    InputError
        If the file is missing, is not readable HDF5, or lacks a part that is read.
    """
    try:
        yield
    except InputError:
        raise  # its message already names the problem
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as h5ad ({error}). Fix: remove it and run again."
        ) from error


def names_in(frame: h5py.Group) -> np.ndarray:
    """Return the row names of a table in an h5ad (`obs`, `var`): str objects (rows,)."""
    return text_in(frame[frame.attrs["_index"]])


def text_in(column: h5py.Dataset | h5py.Group) -> np.ndarray:
    """Return a text column, categorical or not, of an h5ad of this workflow: str objects (rows,).

    anndata gives the same result but takes 2 s to import, as long as many jobs take for their work.
    """
    if column.attrs["encoding-type"] == "categorical":
        return text_in(column["categories"])[column["codes"][:]]
    return column.asstr()[:]


def read_h5ad(path: str | Path) -> "AnnData":
    """Read an h5ad of this workflow.

    Raises
    ------
    InputError
        If the file is missing or is not readable HDF5.
    """
    import anndata

    with as_h5ad(path):
        return anndata.read_h5ad(path)
