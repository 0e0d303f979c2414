"""A section in a SpatialData store: a table of its spots, and their shapes."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sagefm.cohorts.formats.anndata_group import read_group
from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.opening import reading
from sagefm.cohorts.positions import dense_coordinates
from sagefm.cohorts.transformations import chosen_transformation
from sagefm.common.errors import InputError, hint
from sagefm.common.keys import trimmed

if TYPE_CHECKING:
    from anndata import AnnData

log = logging.getLogger(__name__)

HELP = (
    "a SpatialData `.zarr`, or an AnnData's: a table of raw counts; of several regions or tables "
    "the one that `library` names"
)

POSITIONS = (
    "`obsm['spatial']` of the table, else the centres of its region's shapes; in the coordinate "
    "system `global`, or the only one"
)

EXAMPLES = {
    "SpatialData": {"path_or_id": "sections/f.zarr"},
    "one of its regions or tables": {"path_or_id": "sections/all.zarr", "library": "f"},
}

CHOICES = ("layer", "library", "library_key")

IMAGES = ()

TABLES = ("tables", "table")
"""Groups that hold tables; the second is used by versions of the format before 0.2."""

ROOT = ("zarr.json", ".zgroup")
"""File at the root of a store, in zarr 3 and 2."""


def fits(path: Path) -> bool:
    """Whether the path is a zarr store, by suffix, or by content with a table."""
    if not path.is_dir():
        return path.name.endswith(".zarr")
    rooted = any((path / name).is_file() for name in ROOT)
    return rooted and (path.name.endswith(".zarr") or _has_table(path))


def _has_table(path: Path) -> bool:
    """Whether a store has tables, or is an AnnData itself."""
    tables = any((path / name).is_dir() for name in TABLES)
    return tables or all((path / name).is_dir() for name in ("obs", "var"))


def files(path: Path) -> dict[str, Path]:
    """Return the store's root, tables and shapes; images are not read.

    Raises
    ------
    InputError
        If the path is not a SpatialData store.
    """
    if not fits(path) or not _has_table(path):
        raise InputError(
            f"{path}: is not a SpatialData store with a table. Fix: give the `.zarr` folder that "
            "spatialdata wrote, or write the section as `.h5ad`."
        )
    (root, *_) = (path / name for name in ROOT if (path / name).is_file())
    parts = (*TABLES, "shapes", "obs", "var", "X", "layers", "raw", "obsm")
    inner = sorted(file for name in parts for file in (path / name).rglob("*") if file.is_file())
    return {"root": root, **{str(file.relative_to(path)): file for file in inner}}


def positions(path: Path) -> Path | None:
    """Return None: the store contains the positions."""
    return None


def read(files: dict[str, Path], choice: Choice) -> "AnnData":
    """Read the chosen region of the table that annotates it.

    Raises
    ------
    InputError
        If there are several and none is chosen, or the chosen one is missing.
    """
    import zarr

    root = files["root"].parent
    with reading(root, "SpatialData"):
        store: Any = zarr.open_group(root, mode="r")
        if "obs" in store:
            return read_group(store, choice, root)
        name, key, region = _section(store, choice, root)
        chosen = Choice(choice.layer, region, key)
        adata = read_group(_tables(store)[name], chosen, f"{root}, table {name}")
        if key:
            _set_coordinates(adata, store, region, root, _link(store, name))
    return adata


def _set_coordinates(
    adata: "AnnData", store: Any, region: str, root: Path, link: dict[str, Any]
) -> None:
    """Set `obsm['spatial']` in full-resolution pixels, if the shapes' units give these."""
    shapes = store.get(f"shapes/{region}")
    described = [] if shapes is None else shapes.attrs.get("coordinateTransformations", [])
    system, way = chosen_transformation(described)
    moves = not np.array_equal(way, np.eye(3)[:2]) and "instance_key" in link
    if "spatial" in adata.obsm and not moves:
        return
    centres = _centres(root, region, adata, link)
    moved = centres @ way[:, :2].T + way[:, 2]
    if "spatial" in adata.obsm:
        near = 0.01 * np.ptp(centres, axis=0).max()
        if not np.allclose(dense_coordinates(adata.obsm["spatial"]), centres, rtol=0, atol=near):
            return  # set by the user, so keep them
    if moves:
        log.info("%s: coordinates of %s are those of the system `%s`", root, region, system)
    adata.obsm["spatial"] = moved


def _section(store: Any, choice: Choice, root: Path) -> tuple[str, str, str]:
    """Return table, region column and region of the chosen section; a table may lack regions."""
    sections = [*_sections(store, choice.library_key)]
    wanted = choice.library
    found = [
        one for one in sections if not wanted or trimmed(wanted) in map(trimmed, (one[0], one[2]))
    ]
    if len(found) == 1:
        return found[0]
    names = [region or table for table, _, region in sections]
    if not found:
        raise InputError(
            f"{root}: has no section `{wanted}`. Fix: correct `library`; {hint(wanted, names)}."
        )
    raise InputError(
        f"{root}: holds {len(found)} sections ({', '.join(names[:8])}), whose spots are not "
        "neighbours. Fix: name one of them as `library`."
    )


def _sections(store: Any, library_key: str) -> Iterator[tuple[str, str, str]]:
    """Yield table, region column and region of each section of a store."""
    from anndata.io import read_elem

    for name in _tables(store):
        key = library_key or _link(store, name).get("region_key", "")
        if not key:
            yield name, "", ""
            continue
        for region in dict.fromkeys(map(str, read_elem(_tables(store)[name]["obs"][key]))):
            yield name, key, region


def _tables(store: Any) -> Any:
    (folder,) = (name for name in TABLES if name in store)
    return store[folder]


def _link(store: Any, name: str) -> dict[str, Any]:
    """Return `region_key` and `instance_key` of a table: how its rows name their shapes."""
    from anndata.io import read_elem

    table = _tables(store)[name]
    if "uns/spatialdata_attrs" not in table:
        return {}
    return {
        key: str(np.squeeze(value))
        for key, value in read_elem(table["uns/spatialdata_attrs"]).items()
        if key.endswith("_key")
    }


def _centres(root: Path, region: str, adata: "AnnData", link: dict[str, Any]) -> np.ndarray:
    """Return the centres of a region's shapes, x and y in its own units: float64 (spots, 2)."""
    from geopandas import read_parquet

    path = root / "shapes" / region / "shapes.parquet"
    if not path.is_file():
        raise InputError(
            f"{root}: the table has no obsm['spatial'], and `{region}` has no shapes. Fix: put the "
            "spots' x and y in obsm['spatial'] of the table."
        )
    centres = read_parquet(path).geometry.centroid
    rows = centres.index.astype(str).get_indexer(adata.obs[link["instance_key"]].astype(str))
    if (rows < 0).any():
        raise InputError(
            f"{path}: lacks {(rows < 0).sum()} of the table's {adata.n_obs} spots. Fix: write the "
            "store again with spatialdata."
        )
    return np.stack([centres.x, centres.y], axis=1)[rows]
