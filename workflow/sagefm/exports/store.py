"""Export a cohort as a SpatialData store: spots as circles on tissue images, in micrometres."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from anndata import AnnData

from sagefm.common.io import full_disk, temporary_of
from sagefm.plotting.histology import PITCH, micrometres_a_pixel

if TYPE_CHECKING:  # takes seconds to import, so functions import it when they need it
    from spatialdata import SpatialData

ROOT = "zarr.json"
"""Root file of a store. It is written last and represents the store in the workflow."""

REGION, INSTANCE = "region", "instance_id"
"""Columns of the table that name each row's section and its circle in that section."""


def spatialdata_of(adata: AnnData, technologies: Mapping[str, str]) -> "SpatialData":
    """Convert the AnnData of `explore_cohort` to SpatialData, for napari and spatialdata-plot.

    Parameters
    ----------
    adata
        The AnnData of `explore.explore_cohort`.
    technologies
        Technology of each section, from its sheet.

    Returns
    -------
    SpatialData
        `tables["spots"]`: `adata` without the images. For each section, `shapes[sample]`: circles
        of the spots' size, in full-resolution pixels; and, if it has an image,
        `images[f"{sample}_image"]`, in image pixels. Both have a transformation to the coordinate
        system `sample`: micrometres from the corner of the image if the technology's pitch is
        known, otherwise full-resolution pixels.
    """
    from spatialdata import SpatialData
    from spatialdata.models import Image2DModel, ShapesModel, TableModel
    from spatialdata.transformations import Scale

    table = adata.copy()
    libraries = table.uns.pop("spatial")
    samples = table.obs["sample"].astype(str)
    table.obs[REGION] = samples.astype("category")
    table.obs[INSTANCE] = samples.groupby(samples).cumcount().to_numpy()
    images, shapes = {}, {}
    for name in samples.unique():
        at = np.asarray(adata.obsm["spatial"], dtype=float)[(samples == name).to_numpy()]
        unit = micrometres_a_pixel(at, PITCH.get(technologies.get(name, ""), 0.0)) or 1.0
        factors = libraries[name]["scalefactors"]
        shapes[name] = ShapesModel.parse(
            at,
            geometry=0,
            radius=float(factors["spot_diameter_fullres"]) / 2,
            index=np.arange(len(at)),
            transformations={name: Scale([unit, unit], axes=("x", "y"))},
        )
        image = np.asarray(libraries[name]["images"]["hires"])
        if image.min() < image.max():  # blank if the section has no image
            step = unit / float(factors["tissue_hires_scalef"])
            images[f"{name}_image"] = Image2DModel.parse(
                np.moveaxis(image, 2, 0),
                dims=("c", "y", "x"),
                c_coords=["r", "g", "b"],
                transformations={name: Scale([step, step], axes=("x", "y"))},
            )
    spots = TableModel.parse(table, region=[*shapes], region_key=REGION, instance_key=INSTANCE)
    return SpatialData(images=images, shapes=shapes, tables={"spots": spots})


def write_store(data: "SpatialData", path: Path) -> None:
    """Write a SpatialData store atomically, replacing any existing one.

    Raises
    ------
    InputError
        If the disk is full.
    """
    temporary = temporary_of(path)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        data.write(temporary)
        shutil.rmtree(path, ignore_errors=True)
        temporary.replace(path)
    except Exception as error:
        if sentence := full_disk(path, error):
            raise sentence from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
