"""The tissue image under a section's spots, small enough to be stored with its counts."""

import gzip
import io
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sagefm.cohorts.opening import open_h5

KINDS = ("hires", "lowres")

ENDINGS = ("png", "jpg", "jpeg", "tif", "tiff")

HIRES_PIXELS = 2000
"""Longest side of Space Ranger's `hires` image: HIRES_MAX_DIM in its stage standardize_images."""


@dataclass(frozen=True)
class Picture:
    """An image's reader, its scale relative to full-resolution pixels, and all scale factors."""

    image: Callable[[], np.ndarray]
    scale: float
    factors: Mapping[str, Any]


@dataclass(frozen=True)
class ImagePlace:
    """A place where a section's source may have an image of the tissue.

    Both functions take the section's files by role (`formats.registry.find_section`). `read` also
    takes the section's name, which is empty if its file holds one section.

    Parameters
    ----------
    files
        Image files in addition to the section's own; empty if there are none.
    read
        Images of known scale, the largest first.
    """

    files: Callable[[Mapping[str, Path]], list[Path]]
    read: Callable[[Mapping[str, Path], str], Iterator[Picture]]


def read_image(
    places: Sequence[ImagePlace],
    files: Mapping[str, Path],
    pixels: int = HIRES_PIXELS,
    library: str = "",
) -> dict[str, dict] | None:
    """Read the image of a section's source, in the layout of `uns` used by scanpy and squidpy.

    An image that cannot be read is skipped with a warning, since nothing else needs it.

    Parameters
    ----------
    places
        `IMAGES` of the section's format. The first place that has an image is used.
    files
        The section's files by role.
    pixels
        Longest side of the result; a larger image is reduced.
    library
        Name of the section, if its file holds several.

    Returns
    -------
    dict or None
        `images`: `hires`, uint8 (rows, columns, 3), always under this name, since viewers look
        there first. `scalefactors`: `tissue_hires_scalef`, which converts full-resolution pixels to
        the image's, and `spot_diameter_fullres` if the source has it. None if there is no readable
        image of known scale.
    """
    for place in places:
        reason = ""
        try:
            for found in place.read(files, library):
                try:
                    return _kept(found, pixels)
                except MemoryError:
                    raise
                except Exception as error:
                    reason = _why(error)
        except MemoryError:
            raise
        except Exception as error:
            reason = _why(error)
        if reason:
            where = ", ".join(map(str, place.files(files))) or str(files["counts"])
            warnings.warn(
                f"{where}: the image of the tissue cannot be read and is left out ({reason}).",
                stacklevel=2,
            )
    return None


def _kept(found: Picture, pixels: int) -> dict[str, dict]:
    """Convert a picture to the result of `read_image`."""
    image, shrunk = _shrink(found.image(), pixels)
    kept = {"tissue_hires_scalef": _number(found.scale) * shrunk}
    if "spot_diameter_fullres" in found.factors:
        kept["spot_diameter_fullres"] = _number(found.factors["spot_diameter_fullres"])
    return {"images": {"hires": image}, "scalefactors": kept}


def _number(value: Any) -> float:
    return float(np.squeeze(value))


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def blank_image(spatial: np.ndarray, spacing: float, pixels: int = 60) -> dict[str, dict]:
    """Make a white image for a section without one, in the layout of `read_image`.

    scanpy and squidpy need an image even if they do not draw it. Spots are as large as their
    spacing: touching discs.

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
    """Return Space Ranger's scale factors and images next to a section's position file.

    They have its prefix: `scalefactors_json.json`, then `tissue_hires_image.png` and
    `tissue_lowres_image.png`, plain or `.gz`, or as `.jpg` or `.tif`. The list is empty without
    scale factors or without an image.
    """
    if "positions" not in files:
        return []
    folder, name = files["positions"].parent, files["positions"].name
    prefix = name.split("tissue_positions")[0]
    names = [f"tissue_{kind}_image.{end}" for kind in KINDS for end in ENDINGS]
    found = [
        path
        for one in ("scalefactors_json.json", *names)
        for path in (folder / f"{prefix}{one}", folder / f"{prefix}{one}.gz")
        if path.is_file()
    ]
    return found if len(found) > 1 and "scalefactors" in found[0].name else []


def _in_anndata(files: Mapping[str, Path], library: str) -> Iterator[Picture]:
    """Yield images of the section's library in an AnnData file; of its only library if unnamed."""
    import h5py
    from anndata.io import read_elem

    with open_h5(files["counts"], "h5ad") as file:
        libraries = file.get("uns/spatial", {})
        if not isinstance(libraries, Mapping | h5py.Group):
            return
        if {"images", "scalefactors"} <= {*libraries}:  # the library's name is missing
            libraries = {library: libraries}
        names = [library] if library in libraries or len(libraries) > 1 else [*libraries]
        for name in names:
            found = libraries.get(name)
            if isinstance(found, h5py.Group) and {"images", "scalefactors"} <= {*found}:
                factors, images = read_elem(found["scalefactors"]), found["images"]
                shapes = {kind: getattr(images[kind], "shape", ()) for kind in images}
                for kind in sorted(images, key=lambda kind: max(shapes[kind], default=0))[::-1]:
                    if f"tissue_{kind}_scalef" in factors and len(shapes[kind]) >= 2:
                        read = partial(read_elem, images[kind])
                        yield Picture(read, factors[f"tissue_{kind}_scalef"], factors)


def _beside(files: Mapping[str, Path], library: str) -> Iterator[Picture]:
    """Yield the images found by `image_files`."""
    beside = image_files(files)
    if not beside:
        return
    scales, *pictures = beside
    factors = dict(json.loads(_content(scales)))
    for picture in pictures:
        (kind,) = (kind for kind in KINDS if f"tissue_{kind}_image" in picture.name)
        if f"tissue_{kind}_scalef" in factors:
            yield Picture(partial(_opened, picture), factors[f"tissue_{kind}_scalef"], factors)


def _opened(path: Path) -> np.ndarray:
    """Read an image file; palette and print colours are converted to RGB."""
    from PIL import Image

    image = Image.open(io.BytesIO(_content(path)))
    whole = image.mode in ("1", "L", "LA", "RGB", "RGBA") or image.mode.startswith(("I", "F"))
    return np.asarray(image if whole else image.convert("RGB"))


def _shrink(image: np.ndarray, pixels: int) -> tuple[np.ndarray, float]:
    """Convert an image to uint8 RGB with no side above `pixels`; return it and the scale factor."""
    from PIL import Image

    picture = Image.fromarray(as_rgb(image))
    width = picture.width
    picture.thumbnail((pixels, pixels))
    return np.asarray(picture), picture.width / width


RANGES = (1, 255, 4095, 65535)
"""Possible maxima of an image: real numbers, and integers of 8, 12 and 16 bits."""


def as_rgb(image: np.ndarray) -> np.ndarray:
    """Convert any image to uint8 (rows, columns, 3).

    Parameters
    ----------
    image
        Grey (rows, columns) or (rows, columns, 1), or colours with or without opacity, channels
        last or first. Integers of 8 or 16 bits, or real numbers from 0 to 1, 255 or 65,535: the
        smallest range that contains all values is assumed. Negative values become 0.

    Raises
    ------
    ValueError
        If it has another shape.
    """
    image = np.asarray(image)
    while image.ndim > 3 and image.shape[0] == 1:
        image = image[0]
    if image.ndim == 2:
        image = image[:, :, np.newaxis]
    if image.ndim == 3 and image.shape[2] > 4 and image.shape[0] <= 4:
        image = np.moveaxis(image, 0, 2)
    if image.ndim != 3 or image.shape[2] > 4:
        raise ValueError(f"an image of shape {image.shape}")
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    if image.dtype != np.uint8:
        real, values = image.dtype.kind == "f", np.nan_to_num(image.astype(np.float32))
        colours = values.shape[2] - (values.shape[2] in (2, 4))
        for part in (values[..., :colours], values[..., colours:]):  # opacity has a separate range
            top = part.max(initial=0)
            whole = next((one for one in RANGES if top <= one and (real or one > 1)), top)
            part[:] = np.round(np.clip(part, 0, whole) * (255 / whole))
        image = values.astype(np.uint8)
    if image.shape[2] in (2, 4):  # on white, as viewers show it
        opacity = image[:, :, -1:] / 255
        image = np.round(image[:, :, :-1] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image


def _content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


IN_ANNDATA = ImagePlace(lambda files: [], _in_anndata)
"""`uns['spatial'][library]['images']` of the file under `counts`."""

BESIDE_POSITIONS = ImagePlace(image_files, _beside)
"""Space Ranger's files in the folder of the position file."""
