"""A cohort as a SpatialData store: spots as circles on the tissue's images, in micrometres."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from anndata import AnnData

from sagefm.common.io import full_disk, temporary_of
from sagefm.plotting.histology import PITCH, micrometres_a_pixel

if TYPE_CHECKING:  # seconds to import; only the functions that need it pay
    from spatialdata import SpatialData

ROOT = "zarr.json"
"""The file of a store's root: it is written last, and stands for the store in the workflow."""

REGION, INSTANCE = "region", "instance_id"
"""Columns of the table that say which circle, of which section, a row is of."""


def spatialdata_of(adata: AnnData, technologies: Mapping[str, str]) -> "SpatialData":
    """Everything of `explore_cohort` in the places where napari and spatialdata-plot look for it.

    Parameters
    ----------
    adata
        Of `explore.explore_cohort`.
    technologies
        Of each section, as its sheet has it.

    Returns
    -------
    SpatialData
        `tables["spots"]`: as `adata`, without the images. Of each section, its `shapes[sample]`,
        circles as large as spots, and `images[f"{sample}_image"]` if it has one: in full-resolution
        and image pixels, and in the coordinate system `sample`. That is in micrometres from the
        corner of the image where the pitch of the technology is known, else in full-resolution
        pixels.
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
        if image.min() < image.max():  # a blank one stands for none
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
    """Write a SpatialData store, whole or not at all; one that is there is replaced.

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
