"""The image of the tissue under a section's spots, small enough to ride along with its counts."""

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
"""Longest side of Space Ranger's `hires` image: HIRES_MAX_DIM of its stage standardize_images."""


@dataclass(frozen=True)
class Picture:
    """How an image is read, the factor from full-resolution pixels to its own, and all factors."""

    image: Callable[[], np.ndarray]
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
        Images of a known scale, the largest first.
    """

    files: Callable[[Mapping[str, Path]], list[Path]]
    read: Callable[[Mapping[str, Path], str], Iterator[Picture]]


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
    """What `read_image` returns of a picture."""
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
    """Space Ranger's scale factors and its images beside a section's position file.

    They have its prefix: `scalefactors_json.json`, then `tissue_hires_image.png` and
    `tissue_lowres_image.png`, plain or `.gz`, or as `.jpg` or `.tif`. Empty unless there are the
    factors and an image.
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
    """Images of the section's library in an AnnData file; of its only one if unnamed."""
    import h5py
    from anndata.io import read_elem

    with open_h5(files["counts"], "h5ad") as file:
        libraries = file.get("uns/spatial", {})
        if not isinstance(libraries, Mapping | h5py.Group):
            return
        if {"images", "scalefactors"} <= {*libraries}:  # without the library's name
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
    """Images of `image_files`."""
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
    """The image of a file; colours of a palette, or for print, as red, green and blue."""
    from PIL import Image

    image = Image.open(io.BytesIO(_content(path)))
    whole = image.mode in ("1", "L", "LA", "RGB", "RGBA") or image.mode.startswith(("I", "F"))
    return np.asarray(image if whole else image.convert("RGB"))


def _shrink(image: np.ndarray, pixels: int) -> tuple[np.ndarray, float]:
    """An image as uint8 RGB, no side longer than `pixels`, and by how much it was shrunk."""
    from PIL import Image

    picture = Image.fromarray(as_rgb(image))
    width = picture.width
    picture.thumbnail((pixels, pixels))
    return np.asarray(picture), picture.width / width


RANGES = (1, 255, 4095, 65535)
"""Largest values of an image: of real numbers, of 8, 12 and 16 bits."""


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
        for part in (values[..., :colours], values[..., colours:]):  # opacity has its own range
            top = part.max(initial=0)
            whole = next((one for one in RANGES if top <= one and (real or one > 1)), top)
            part[:] = np.round(np.clip(part, 0, whole) * (255 / whole))
        image = values.astype(np.uint8)
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
