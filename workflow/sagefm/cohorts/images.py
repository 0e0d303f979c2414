"""The image of the tissue under a section's spots, small enough to ride along with its counts."""

import gzip
import io
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sagefm.cohorts.opening import open_h5

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

    Both functions take the section's files by role (`formats.registry.find_section`), `read` also
    the section's name, empty where its file holds one section.

    Parameters
    ----------
    files
        Files of the image beside the section's own; empty if there are none.
    read
        The largest image of a known scale, or None.
    """

    files: Callable[[Mapping[str, Path]], list[Path]]
    read: Callable[[Mapping[str, Path], str], Picture | None]


def read_image(
    places: Sequence[ImagePlace],
    files: Mapping[str, Path],
    pixels: int = HIRES_PIXELS,
    library: str = "",
) -> dict[str, dict] | None:
    """The image that a section's source has, as scanpy and squidpy look for it in `uns`.

    An image that cannot be read is left out, with a warning: nothing else needs it.

    Parameters
    ----------
    places
        `IMAGES` of the section's format; the first that has an image gives it.
    files
        The section's files by role.
    pixels
        Longest side of what is returned; a larger image is shrunk.
    library
        The section's name, where its file holds several.

    Returns
    -------
    dict or None
        `images`: `hires`, uint8 (rows, columns, 3), whatever the source calls it, since viewers
        look there first. `scalefactors`: `tissue_hires_scalef`, by which full-resolution pixels
        become the image's, and `spot_diameter_fullres` where the source has it. None where it has
        no readable image of a known scale.
    """
    for place in places:
        try:
            found = place.read(files, library)
            if found is None:
                continue
            image, shrunk = _shrink(found.image, pixels)
            kept = {"tissue_hires_scalef": float(found.scale) * shrunk}
            if "spot_diameter_fullres" in found.factors:
                kept["spot_diameter_fullres"] = float(found.factors["spot_diameter_fullres"])
        except MemoryError:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            where = ", ".join(map(str, place.files(files))) or str(files["counts"])
            warnings.warn(
                f"{where}: the image of the tissue cannot be read and is left out ({reason}).",
                stacklevel=2,
            )
            continue
        return {"images": {"hires": image}, "scalefactors": kept}
    return None


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


def _in_anndata(files: Mapping[str, Path], library: str) -> Picture | None:
    """The largest image of the section's library in an AnnData file; of its only one if unnamed."""
    import h5py
    from anndata.io import read_elem

    with open_h5(files["counts"], "h5ad") as file:
        libraries = file.get("uns/spatial", {})
        names = [library] if library in libraries or len(libraries) > 1 else [*libraries]
        for name in names:
            found = libraries.get(name)
            if isinstance(found, h5py.Group) and {"images", "scalefactors"} <= set(found):
                return _largest(*map(read_elem, (found["images"], found["scalefactors"])))
    return None


def _beside(files: Mapping[str, Path], library: str) -> Picture | None:
    """The image of `image_files`."""
    from PIL import Image

    beside = image_files(files)
    if not beside:
        return None
    scales, picture = beside
    factors = dict(json.loads(_content(scales)))
    image = np.asarray(Image.open(io.BytesIO(_content(picture))))
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

    picture = Image.fromarray(as_rgb(image))
    width = picture.width
    picture.thumbnail((pixels, pixels))
    return np.asarray(picture), picture.width / width


def as_rgb(image: np.ndarray) -> np.ndarray:
    """Any image as uint8 (rows, columns, 3).

    Parameters
    ----------
    image
        Grey (rows, columns) or (rows, columns, 1), colours with or without opacity, channels last
        or first. Whole numbers of 8 or 16 bits, or real ones from 0 to 1, 255 or 65,535: the least
        of these ranges that holds its values, negative ones taken as 0.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[:, :, np.newaxis]
    if image.ndim == 3 and image.shape[2] > 4 and image.shape[0] <= 4:
        image = np.moveaxis(image, 0, 2)
    if image.ndim != 3 or image.shape[2] > 4:
        raise ValueError(f"an image of shape {image.shape}")
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    if image.dtype != np.uint8:
        values = np.nan_to_num(image.astype(np.float32))
        top = values.max(initial=0)
        whole = 1 if image.dtype.kind == "f" and top <= 1 else 255 if top <= 255 else 65535
        image = np.round(np.clip(values, 0, whole) * (255 / whole)).astype(np.uint8)
    if image.shape[2] in (2, 4):  # on white, as a viewer shows it
        opacity = image[:, :, -1:] / 255
        image = np.round(image[:, :, :-1] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


IN_ANNDATA = ImagePlace(lambda files: [], _in_anndata)
"""`uns['spatial'][library]['images']` of the file under `counts`."""

BESIDE_POSITIONS = ImagePlace(image_files, _beside)
"""Space Ranger's files in the folder of the position file."""
