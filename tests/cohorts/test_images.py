"""The tissue image, from every place that sources keep it: its size, scale and position."""

import gzip
import io
import json

import anndata
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from sagefm.cohorts.formats.registry import find_section, load_format
from sagefm.cohorts.images import HIRES_PIXELS, as_rgb, image_files, read_image
from sagefm.cohorts.ingest import ingest
from support import helpers, small

ROWS, COLUMNS = 120, 200
FACTORS = {"tissue_hires_scalef": 0.5, "tissue_lowres_scalef": 0.1, "spot_diameter_fullres": 33.0}


def picture(rows: int = ROWS, columns: int = COLUMNS) -> np.ndarray:
    """A ramp of three colours: a swap of axes or channels shows."""
    red, green = np.mgrid[0:rows, 0:columns] * 255 // max(rows, columns)
    return np.stack([red, green, np.full_like(red, 7)], axis=2).astype(np.uint8)


def png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def image_of(path, pixels=HIRES_PIXELS, positions=None):
    """What `read_image` gives of a section, wherever its format has images."""
    fmt, files = find_section(path, positions=positions)
    return read_image(load_format(fmt).IMAGES, files, pixels)


def outs(folder, *, gz="", prefix="", kinds=("hires", "lowres")):
    """A Space Ranger folder with images; with a prefix, as GEO has them, its position file."""
    helpers.write_spaceranger(small.patch(), folder, header=True)
    spatial = folder / "spatial"
    for kind in kinds:
        own = picture() if kind == "hires" else picture(24, 40)
        helpers.write_bytes(spatial / f"{prefix}tissue_{kind}_image.png{gz}", png(own))
    helpers.write_bytes(
        spatial / f"{prefix}scalefactors_json.json{gz}", json.dumps(FACTORS).encode()
    )
    return folder


def test_space_rangers_image(tmp_path):
    found = image_of(outs(tmp_path / "outs"))
    np.testing.assert_array_equal(found["images"]["hires"], picture())
    assert found["images"]["hires"].dtype == np.uint8
    assert found["scalefactors"] == {"tissue_hires_scalef": 0.5, "spot_diameter_fullres": 33.0}


def test_the_smaller_image_serves_where_there_is_no_other(tmp_path):
    found = image_of(outs(tmp_path / "outs", kinds=("lowres",)))
    np.testing.assert_array_equal(found["images"]["hires"], picture(24, 40))
    assert found["scalefactors"]["tissue_hires_scalef"] == 0.1


def test_gzipped_files_with_a_prefix_as_geo_has_them(tmp_path):
    folder = outs(tmp_path / "outs", gz=".gz", prefix="GSM1_s1_")
    positions = folder / "spatial/tissue_positions.csv"
    named = positions.rename(positions.with_name("GSM1_s1_tissue_positions.csv"))
    files = image_files({"positions": named})
    assert [path.name.split("_")[3] for path in files] == ["json.json.gz", "hires", "lowres"]
    found = image_of(folder / "filtered_feature_bc_matrix.h5", positions=named)
    np.testing.assert_array_equal(found["images"]["hires"], picture())


@pytest.mark.parametrize("name", ["hires", "downscaled_fullres"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_anndata_files_image_by_any_name(tmp_path, name, dtype):
    """HEST calls it downscaled_fullres; scanpy reads png as shares of one."""
    section = small.patch()
    image = picture() if dtype == np.uint8 else (picture() / 255).astype(np.float32)
    factors = {f"tissue_{name}_scalef": 0.25, "spot_diameter_fullres": 33.0}
    images = {name: image, "thumbnail": image[:5, :5]}  # whose scale no one knows
    section.uns["spatial"] = {"ST": {"images": images, "scalefactors": factors}}
    section.write_h5ad(tmp_path / "s.h5ad")
    found = image_of(tmp_path / "s.h5ad")
    np.testing.assert_array_equal(found["images"]["hires"], picture())
    assert found["scalefactors"] == {"tissue_hires_scalef": 0.25, "spot_diameter_fullres": 33.0}


@pytest.mark.parametrize("pixels", [50, 199])
def test_a_large_image_is_shrunk_and_its_scale_with_it(tmp_path, pixels):
    found = image_of(outs(tmp_path / "outs"), pixels)
    image, factor = found["images"]["hires"], found["scalefactors"]["tissue_hires_scalef"]
    assert image.shape == (round(ROWS * pixels / COLUMNS), pixels, 3)
    assert factor == pytest.approx(0.5 * pixels / COLUMNS)
    # The middle of the tissue has the colour it had.
    x, y = 150, 100  # full-resolution pixels
    before, after = picture()[y // 2, x // 2], image[round(y * factor), round(x * factor)]
    assert np.abs(before.astype(int) - after).max() < 8


@pytest.mark.parametrize("name", ["SPA154", "SPA141"])
def test_the_bundled_images_lie_under_their_spots(name):
    """Glass is nearly white; turned over or moved by two spots, many spots would lie on it."""
    found = image_of(helpers.REPO / f"resources/demo/st/{name}.h5ad")
    image, scale = found["images"]["hires"], found["scalefactors"]["tissue_hires_scalef"]
    spots = np.round(helpers.demo_section(name).obsm["spatial"] * scale).astype(int)
    size = np.array(image.shape[1::-1])
    shade = image.mean(axis=2)

    def on_tissue(at):
        windows = [shade[max(y - 8, 0) : y + 9, max(x - 8, 0) : x + 9] for x, y in at]
        return np.mean([window.mean() < 235 for window in windows])

    assert image.dtype == np.uint8 and image.shape[2] == 3
    assert on_tissue(spots) == 1
    assert on_tissue((size - spots) * [1, 0] + spots * [0, 1]) < 0.85
    assert on_tissue((size - spots) * [0, 1] + spots * [1, 0]) < 0.85
    assert on_tissue(spots + 40) < 0.9


def test_no_image_is_no_error(tmp_path):
    assert image_of(helpers.REPO / "resources/demo/st/heart-1.h5ad") is None
    bare = helpers.write_spaceranger(small.patch(), tmp_path / "outs", header=True)
    assert image_of(bare) is None
    (bare / "spatial/tissue_hires_image.png").write_bytes(png(picture()))
    assert image_of(bare) is None  # of no known scale


@pytest.mark.parametrize("name", ["tissue_hires_image.png", "scalefactors_json.json"])
def test_a_damaged_image_is_left_out_with_a_warning(tmp_path, name):
    folder = outs(tmp_path / "outs", kinds=("hires",))
    path = folder / "spatial" / name
    path.write_bytes(path.read_bytes()[:20])
    with pytest.warns(UserWarning, match=rf"{name}.*: the image of the tissue cannot be read and"):
        assert image_of(folder) is None


def test_the_smaller_image_serves_where_the_larger_is_damaged(tmp_path):
    folder = outs(tmp_path / "outs")
    (folder / "spatial/tissue_hires_image.png").write_bytes(png(picture())[:200])
    found = image_of(folder)
    np.testing.assert_array_equal(found["images"]["hires"], picture(24, 40))
    assert found["scalefactors"]["tissue_hires_scalef"] == 0.1


def test_a_damaged_gzip_too(tmp_path):
    folder = outs(tmp_path / "outs", gz=".gz", kinds=("hires",))
    path = folder / "spatial/tissue_hires_image.png.gz"
    path.write_bytes(gzip.compress(b"no picture")[:-9])
    with pytest.warns(UserWarning, match="cannot be read"):
        assert image_of(folder) is None


COLOURS = picture()
GREY = COLOURS[:, :, :1]
OPAQUE = np.concatenate([COLOURS, np.full_like(GREY, 255)], axis=2)
MAKES = {
    "grey": (GREY[:, :, 0], GREY.repeat(3, axis=2)),
    "grey, one channel": (GREY, GREY.repeat(3, axis=2)),
    "channels first": (np.moveaxis(COLOURS, 2, 0), COLOURS),
    "opaque": (OPAQUE, COLOURS),
    "transparent": (OPAQUE * np.uint8([1, 1, 1, 0]), np.full_like(COLOURS, 255)),
    "real, to 1": ((COLOURS / 255).astype(np.float32), COLOURS),
    "real, to 255": (COLOURS.astype(np.float64), COLOURS),
    "16 bit": (COLOURS.astype(np.uint16) * 257, COLOURS),
    "12 bit": (COLOURS.astype(np.uint16) * 16, np.round(COLOURS * (16 / 4095 * 255))),
    "a stack of one": (COLOURS[np.newaxis], COLOURS),
    "real, to 255, opacity to 1": (OPAQUE / [1, 1, 1, 255], COLOURS),
    "32 bit, to 255": (COLOURS.astype(np.int32), COLOURS),
}


@pytest.mark.parametrize("make", MAKES)
def test_an_image_of_any_make_is_shown_right(make):
    given, shown = MAKES[make]
    np.testing.assert_array_equal(as_rgb(given), shown)


def test_colours_of_a_palette(tmp_path):
    folder = outs(tmp_path / "outs")
    palette = Image.fromarray(picture()).quantize(200)
    palette.save(folder / "spatial/tissue_hires_image.png")
    shown = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(image_of(folder)["images"]["hires"], shown)


def test_an_image_as_jpeg(tmp_path):
    folder = outs(tmp_path / "outs", kinds=("lowres",))
    Image.fromarray(picture()).save(folder / "spatial/tissue_hires_image.jpg", quality=100)
    found = image_of(folder)
    assert np.abs(found["images"]["hires"].astype(int) - picture()).max() < 9
    assert found["scalefactors"]["tissue_hires_scalef"] == 0.5


@pytest.mark.parametrize("how", ["no library", "a list as scale", "damaged hires"])
def test_an_anndata_files_image_in_other_ways(how, tmp_path):
    section = small.patch()
    images = {"images": {"hires": picture()}, "scalefactors": {"tissue_hires_scalef": 0.5}}
    if how == "a list as scale":
        images["scalefactors"]["tissue_hires_scalef"] = np.array([0.5])
    if how == "damaged hires":
        images["images"] = {"hires": np.zeros((400, 400, 7)), "lowres": picture()}
        images["scalefactors"]["tissue_lowres_scalef"] = 0.5
    section.uns["spatial"] = images if how == "no library" else {"s1": images}
    section.write_h5ad(tmp_path / "s.h5ad")
    found = image_of(tmp_path / "s.h5ad")
    np.testing.assert_array_equal(found["images"]["hires"], picture())
    assert found["scalefactors"]["tissue_hires_scalef"] == 0.5


def test_an_image_is_that_of_the_sections_own_library(tmp_path):
    section = small.patch()
    section.obs["slide"] = ["a"] * 20 + ["b"] * 20
    section.uns["spatial"] = {
        name: {
            "images": {"hires": np.full((9, 9, 3), shade, dtype=np.uint8)},
            "scalefactors": {"tissue_hires_scalef": 0.1},
        }
        for name, shade in (("a", 10), ("b", 20))
    }
    section.write_h5ad(tmp_path / "s.h5ad")
    row = {"sample": "s1", "path_or_id": "s.h5ad", "library": "b"}
    genes = list(section.var_names)
    sample = ingest(tmp_path / "s.h5ad", row, genes, helpers.QC, helpers.HARMONISE, image_pixels=9)
    assert sample.n_obs == 20
    assert (sample.uns["spatial"]["s1"]["images"]["hires"] == 20).all()


def test_a_sample_keeps_it_and_it_lies_under_its_spots(tmp_path):
    """Drawn by scanpy with nothing said of the image: the axes are the image's."""
    import scanpy

    row = {"cohort": "mine", "sample": "s1", "path_or_id": "outs"}
    panel = list(small.patch().var_names)
    sample = ingest(
        outs(tmp_path / "outs"), row, panel, helpers.QC, helpers.HARMONISE, image_pixels=100
    )
    assert set(sample.uns["spatial"]) == {"s1"}
    sample.write_h5ad(tmp_path / "s1.h5ad")
    sample = anndata.read_h5ad(tmp_path / "s1.h5ad")
    axes = scanpy.pl.spatial(sample, color="n_counts", show=False)
    (shown,) = axes[0].get_images()
    np.testing.assert_array_equal(shown.get_array(), sample.uns["spatial"]["s1"]["images"]["hires"])
    plt.close("all")
    without = ingest(outs(tmp_path / "o2"), row, panel, helpers.QC, helpers.HARMONISE)
    assert set(without.uns) == {"provenance", "spot_checksums"}
