"""The image of the tissue under a section's spots, small enough to ride along with its counts."""

import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sagefm.common.errors import InputError

KINDS = ("hires", "lowres")

HIRES_PIXELS = 2000
"""Longest side of Space Ranger's `hires` image: HIRES_MAX_DIM of its stage standardize_images."""


@dataclass(frozen=True)
class Picture:
    """An image, the factor from full-resolution pixels to its own, and all factors it came with."""

    image: np.ndarray
    scale: float
    factors: Mapping[str, Any]


@dataclass(frozen=True)
class ImagePlace:
    """Where a section's source may have an image of the tissue.

    Both functions take the section's files by role (`formats.registry.find_section`).

    Parameters
    ----------
    files
        Files of the image beside the section's own; empty if there are none.
    read
        The largest image of a known scale, or None.
    """

    files: Callable[[Mapping[str, Path]], list[Path]]
    read: Callable[[Mapping[str, Path]], Picture | None]


def read_image(
    places: Sequence[ImagePlace], files: Mapping[str, Path], pixels: int = HIRES_PIXELS
) -> dict[str, dict] | None:
    """The image that a section's source has, as scanpy and squidpy look for it in `uns`.

    Parameters
    ----------
    places
        `IMAGES` of the section's format; the first that has an image gives it.
    files
        The section's files by role.
    pixels
        Longest side of what is returned; a larger image is shrunk.

    Returns
    -------
    dict or None
        `images`: `hires`, uint8 (rows, columns, 3), whatever the source calls it, since viewers
        look there first. `scalefactors`: `tissue_hires_scalef`, by which full-resolution pixels
        become the image's, and `spot_diameter_fullres` where the source has it. None where it has
        no image of a known scale.

    Raises
    ------
    InputError
        If there is one that cannot be read.
    """
    found = next((picture for place in places if (picture := place.read(files))), None)
    if found is None:
        return None
    image, shrunk = _shrink(found.image, pixels)
    kept = {"tissue_hires_scalef": float(found.scale) * shrunk}
    if "spot_diameter_fullres" in found.factors:
        kept["spot_diameter_fullres"] = float(found.factors["spot_diameter_fullres"])
    return {"images": {"hires": image}, "scalefactors": kept}


def blank_image(spatial: np.ndarray, spacing: float, pixels: int = 60) -> dict[str, dict]:
    """A white image under the spots of a section that has none, as `read_image` gives one.

    scanpy and squidpy need one even where they are to draw none. Spots are as large as their
    spacing: discs that touch.

    Parameters
    ----------
    spatial
        (spots, 2), full-resolution pixels (x, y).
    spacing
        Distance of neighbouring spots, in the same pixels.
    pixels
        Longest side of the image.
    """
    width, height = np.maximum(spatial.max(axis=0) + spacing, 1)
    factor = pixels / max(width, height)
    shape = (int(np.ceil(height * factor)), int(np.ceil(width * factor)), 3)
    return {
        "images": {"hires": np.full(shape, 255, dtype=np.uint8)},
        "scalefactors": {"tissue_hires_scalef": factor, "spot_diameter_fullres": spacing},
    }


def image_files(files: Mapping[str, Path]) -> list[Path]:
    """Space Ranger's scale factors and its larger image beside a section's position file.

    They have its prefix: `scalefactors_json.json`, and `tissue_hires_image.png` or, without that,
    `tissue_lowres_image.png`, plain or `.gz`. Empty unless both are there.
    """
    if "positions" not in files:
        return []
    folder, name = files["positions"].parent, files["positions"].name
    prefix = name.split("tissue_positions")[0]
    wanted = ("scalefactors_json.json",), [f"tissue_{kind}_image.png" for kind in KINDS]
    found = [
        path
        for names in wanted
        for path in [folder / f"{prefix}{name}{suffix}" for name in names for suffix in ("", ".gz")]
        if path.is_file()
    ]
    return found[:2] if len(found) > 1 and "scalefactors" in found[0].name else []


def _in_anndata(files: Mapping[str, Path]) -> Picture | None:
    """The largest image of an AnnData file's first library that has any, whatever its name."""
    import h5py
    from anndata.io import read_elem

    path = files["counts"]
    with _reading(path), h5py.File(path) as file:
        for library in file["uns/spatial"].values() if "uns/spatial" in file else ():
            if isinstance(library, h5py.Group) and {"images", "scalefactors"} <= set(library):
                return _largest(*map(read_elem, (library["images"], library["scalefactors"])))
    return None


def _beside(files: Mapping[str, Path]) -> Picture | None:
    """The image of `image_files`."""
    from PIL import Image

    beside = image_files(files)
    if not beside:
        return None
    scales, picture = beside
    with _reading(scales):
        factors = dict(json.loads(_content(scales)))
    with _reading(picture):
        image = np.asarray(Image.open(io.BytesIO(_content(picture))).convert("RGB"))
    (kind,) = (kind for kind in KINDS if f"tissue_{kind}_image" in picture.name)
    return _largest({kind: image}, factors)


def _largest(images: dict[str, Any], factors: dict) -> Picture | None:
    """The largest of some images whose scale is known."""
    known = [
        Picture(np.asarray(image), factors[f"tissue_{name}_scalef"], factors)
        for name, image in images.items()
        if f"tissue_{name}_scalef" in factors and np.ndim(image) in (2, 3)
    ]
    return max(known, key=lambda found: max(found.image.shape[:2]), default=None)


def _shrink(image: np.ndarray, pixels: int) -> tuple[np.ndarray, float]:
    """An image as uint8 RGB, no side longer than `pixels`, and by how much it was shrunk."""
    from PIL import Image

    if image.dtype.kind == "f":  # from 0 to 1, as matplotlib reads them
        image = np.round(np.clip(image, 0, 1) * 255)
    picture = Image.fromarray(image.astype(np.uint8)).convert("RGB")
    width = picture.width
    picture.thumbnail((pixels, pixels))
    return np.asarray(picture), picture.width / width


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever a library raises on a damaged image into one sentence."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(
            f"{path}: the image of the tissue cannot be read ({type(error).__name__}); fetch it "
            "again, or take it away: nothing else needs it."
        ) from error


IN_ANNDATA = ImagePlace(lambda files: [], _in_anndata)
"""`uns['spatial'][library]['images']` of the file under `counts`."""

BESIDE_POSITIONS = ImagePlace(image_files, _beside)
"""Space Ranger's files in the folder of the position file."""
