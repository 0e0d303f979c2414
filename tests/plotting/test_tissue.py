"""Maps on tissue: the image is under the spots, and the scale bar is correct."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from sagefm.plotting.histology import Tissue, neighbour_distance, read_tissues, write_tissues
from sagefm.plotting.tissue import SPOT_SHARE, STRENGTH, draw_scale_bar, draw_spots, spot_pitch
from sagefm.report.overview import with_image
from support.drawn import IMAGE, write_image


def hexagonal(pitch: float = 50.0) -> np.ndarray:
    """12 x 10 spots of a hexagonal array, its first at (100, 100)."""
    row, column = (axis.ravel() for axis in np.mgrid[:10, :12])
    return 100 + pitch * np.stack([column + row % 2 / 2, row * np.sqrt(3) / 2], axis=1)


def test_the_image_lies_under_the_spots_faintly(tmp_path):
    at, ax = hexagonal(), Figure().subplots()
    tissue = Tissue.of_sample(write_image(tmp_path / "s.h5ad", IMAGE), 100)
    discs = draw_spots(ax, at, 50, tissue, facecolors="red")
    (drawn,) = ax.images
    assert drawn.zorder < discs.zorder
    # Of the image, what the frame shows: from (50, 50) to (725, 539.7) in full-resolution pixels.
    assert drawn.get_extent() == [50, 730, 540, 50]
    np.testing.assert_allclose(
        drawn.get_array(), 255 - STRENGTH * (255 - IMAGE[5:54, 5:73].astype(float)), atol=0.5
    )
    assert ax.get_xlim() == (50, 725) and ax.yaxis_inverted()
    np.testing.assert_allclose(discs.get_widths(), SPOT_SHARE * 50)


def test_an_image_that_ends_before_the_frame_is_drawn_as_far_as_it_goes(tmp_path):
    at, ax = hexagonal(), Figure().subplots()
    short = Tissue.of_sample(write_image(tmp_path / "s.h5ad", IMAGE[:20, :30]))
    draw_spots(ax, at, 50, short, facecolors="red")
    assert ax.images[0].get_extent() == [50, 300, 200, 50]
    elsewhere = Figure().subplots()
    draw_spots(elsewhere, at + 5000, 50, short, facecolors="red")
    assert not elsewhere.images


@pytest.mark.parametrize("known", [False, True])
def test_without_an_image_the_discs_touch(tmp_path, known):
    tissue = Tissue.of_sample(write_image(tmp_path / "s.h5ad", None)) if known else None
    at, ax = hexagonal(), Figure().subplots()
    discs = draw_spots(ax, at, spot_pitch(at), tissue, facecolors="red")
    assert not ax.images
    np.testing.assert_allclose(discs.get_widths(), 50)


@pytest.mark.parametrize(
    ("micrometres", "words", "length"),
    [(100, "200 µm", 100), (200, "500 µm", 125), (1000, "2 mm", 100)],
)
def test_the_bar_is_as_long_as_it_says(tmp_path, micrometres, words, length):
    at, ax = hexagonal(), Figure().subplots()
    tissue = Tissue.of_sample(write_image(tmp_path / "s.h5ad", None), micrometres)
    draw_spots(ax, at, 50, tissue, facecolors="red")
    draw_scale_bar(ax, at, tissue)
    (bar,), (text,) = ax.lines, ax.texts
    assert text.get_text().strip() == words
    assert np.ptp(bar.get_xdata()) == pytest.approx(length)


def test_there_is_no_bar_where_the_pitch_is_not_known(tmp_path):
    path, at = write_image(tmp_path / "s.h5ad", None), hexagonal()
    for tissue, spots in (
        (None, at),
        (Tissue.of_sample(path), at),
        (Tissue.of_sample(path, 100), at[:1]),
    ):
        ax = Figure().subplots()
        draw_spots(ax, spots, 50, tissue, facecolors="red")
        draw_scale_bar(ax, spots, tissue)
        assert not ax.lines and not ax.texts


def test_uneven_printing_does_not_shorten_the_distance_of_neighbours():
    at = hexagonal() + np.random.default_rng(0).normal(0, 2.5, (120, 2))
    assert spot_pitch(at) < 46
    assert neighbour_distance(at) == pytest.approx(50, rel=0.02)


def test_sections_have_their_technologys_pitch_and_the_first_image_is_found(tmp_path):
    paths = [write_image(tmp_path / f"{n}.h5ad", IMAGE if n == "v" else None) for n in "xsvw"]
    rows = [
        {"sample": "x", "technology": "Xenium"},
        {"sample": "s", "technology": "Spatial Transcriptomics"},
        {"sample": "v", "technology": "Visium"},
    ]
    write_tissues(tmp_path / "tissues.h5", paths, rows)
    found = read_tissues(tmp_path / "tissues.h5")
    pitches = {"x": 0, "s": 200, "v": 100, "w": 0}
    assert {name: tissue.pitch for name, tissue in found.items()} == pitches
    images = {name: tissue.image for name, tissue in found.items()}
    assert images.pop("v")[1] == 0.1 and not any(images.values())
    assert with_image(paths) == 2
    assert with_image(paths[:2]) == 0
