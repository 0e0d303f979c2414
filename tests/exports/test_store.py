"""A cohort as a SpatialData store: read back, in micrometres, drawn, and read as a section."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import spatialdata

from sagefm.cohorts.formats import spatialdata as store_format
from sagefm.cohorts.formats.base import Choice
from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.io import temporary_of
from sagefm.exports.explore import explore_cohort
from sagefm.exports.store import ROOT, spatialdata_of, write_store
from sagefm.plotting.histology import PITCH, micrometres_a_pixel, neighbour_distance
from support import cohorts

IMAGE = np.arange(30 * 20 * 3).reshape(30, 20, 3).astype(np.uint8)
ST = "Spatial Transcriptomics"
TECHNOLOGIES = {"heart-2": ST, "SPA147": "Visium", "heart-1": "Xenium"}


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """Three sections, the second with an image."""
    folder = tmp_path_factory.mktemp("cohort")
    cohort = cohorts.write_cohort(folder)
    for path in cohort.samples:
        adata = read_h5ad(path)
        adata.var["in_source"] = True
        if path.stem == "SPA147":
            scale = 30 / (adata.obsm["spatial"].max() + 1)
            factors = {"tissue_hires_scalef": scale, "spot_diameter_fullres": 80.0}
            adata.uns["spatial"] = {
                path.stem: {"images": {"hires": IMAGE}, "scalefactors": factors}
            }
        write_h5ad(adata, path)
    labels = cohorts.write_labels(cohort, folder / "labels.tsv")
    return explore_cohort(cohort, cohorts.rows_of(cohort), labels, [], {}, {}, {})


@pytest.fixture(scope="module")
def path(explored, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "breast.zarr"
    write_store(spatialdata_of(explored, TECHNOLOGIES), path)
    return path


@pytest.fixture(scope="module")
def read(path):
    return spatialdata.read_zarr(path)


def test_the_table_is_the_cohort_without_images(read, explored):
    table = read.tables["spots"]
    assert (table.X != explored.X).nnz == 0
    assert table.obs_names.equals(explored.obs_names)
    assert {*explored.obs} <= {*table.obs} and "spatial" not in table.uns
    assert "spatial" in explored.uns  # what was given is as it was


def test_each_section_has_its_spots_and_the_image_it_has(read, explored):
    assert {*read.shapes} == {*cohorts.SAMPLES} == {*read.coordinate_systems}
    assert {*read.images} == {"SPA147_image"}
    image = read.images["SPA147_image"].to_numpy()
    np.testing.assert_array_equal(np.moveaxis(image, 0, 2), IMAGE)
    for name in cohorts.SAMPLES:
        own = explored[(explored.obs["sample"] == name).to_numpy()]
        circles = read.shapes[name].geometry
        np.testing.assert_allclose(np.stack([circles.x, circles.y], axis=1), own.obsm["spatial"])
        element, rows = spatialdata.join_spatialelement_table(
            sdata=read, spatial_element_names=name, table_name="spots"
        )
        assert rows.obs_names.equals(own.obs_names) and len(element[name]) == len(own)


@pytest.mark.parametrize(("name", "pitch"), [("heart-2", 200), ("SPA147", 100), ("heart-1", None)])
def test_sections_are_in_micrometres_where_the_pitch_is_known(read, name, pitch):
    placed = spatialdata.transform(read.shapes[name], to_coordinate_system=name)
    own, there = (np.stack([s.geometry.x, s.geometry.y], 1) for s in (read.shapes[name], placed))
    apart = np.linalg.norm(there[:, None] - there[None], axis=2)
    nearest = np.median(np.where(apart > 0, apart, np.inf).min(axis=1))
    if pitch:
        assert nearest == pytest.approx(pitch, rel=0.1)
    else:
        np.testing.assert_allclose(there, own)


def test_the_image_lies_under_the_spots(read, explored):
    image, spots = (
        spatialdata.get_extent(read[name], coordinate_system="SPA147")
        for name in ("SPA147_image", "SPA147")
    )
    at = explored.obsm["spatial"][(explored.obs["sample"] == "SPA147").to_numpy()]
    unit = PITCH["Visium"] / neighbour_distance(at)
    # The fixture's image is 30 pixels high, as far as the last spot.
    np.testing.assert_allclose(image["y"], (0, (at.max() + 1) * unit))
    ends = at[:, 1].min() - 40, at[:, 1].max() + 40  # with the radius of a spot
    np.testing.assert_allclose(spots["y"], np.array(ends) * unit)


def test_spatialdata_plot_draws_a_section(read):
    import spatialdata_plot  # noqa: F401  (registers `.pl`)

    ax = plt.figure().subplots()
    shown = read.pl.render_images("SPA147_image").pl.render_shapes("SPA147", color="label")
    shown.pl.show(coordinate_systems="SPA147", ax=ax)
    assert len(ax.get_images()) == 1 and ax.collections
    plt.close("all")


def test_a_section_of_the_store_can_be_read_as_input(path, explored):
    files = store_format.files(path)
    own = explored[(explored.obs["sample"] == "heart-2").to_numpy()]
    found = store_format.read(files, Choice(library="heart-2"))
    assert found.shape == own.shape
    assert found.X.sum() == own.X.sum()
    micrometres = own.obsm["spatial"] * micrometres_a_pixel(own.obsm["spatial"], PITCH[ST])
    np.testing.assert_allclose(found.obsm["spatial"], micrometres, rtol=1e-6)


def test_a_store_is_replaced_whole_or_not_at_all(explored, tmp_path):
    path = tmp_path / "x.zarr"
    path.mkdir()
    (path / "left over").write_text("")
    data = spatialdata_of(explored, TECHNOLOGIES)

    class Full:
        def write(self, folder):
            data.write(folder)
            raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="no space left on the disk"):
        write_store(Full(), path)
    assert [*tmp_path.iterdir()] == [path] and [*path.iterdir()] == [path / "left over"]
    write_store(data, path)
    assert (path / ROOT).is_file() and not (path / "left over").exists()
    assert not temporary_of(path).exists()
