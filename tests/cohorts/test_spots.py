"""Several sections in one file, scattered spots and wrong coordinates are detected."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.spatial import cKDTree

from sagefm.cohorts.arrangement import array_pitch, check_arrangement
from sagefm.cohorts.belonging import check_belongs
from sagefm.cohorts.readers import read_source
from sagefm.cohorts.several import check_names, check_places
from sagefm.common.errors import InputError
from support import helpers

HIPPOCAMPUS, TNBC = "hippocampus_V11L05-335_C1.h5ad", "tnbc_396A/outs"
SECTIONS = [path.stem for path in sorted((helpers.REPO / "resources/demo/st").glob("*.h5ad"))]


def of(sample="SPA154"):
    """Coordinates and array positions of a bundled section."""
    adata = helpers.demo_section(sample)
    return np.asarray(adata.obsm["spatial"], float), adata.obs[["array_row", "array_col"]]


def visium(name):
    """Coordinates of a bundled Visium section."""
    return read_source(helpers.REPO / "resources/demo/visium" / name).obsm["spatial"]


def hexagonal(rows=40, columns=40):
    """Coordinates and array positions of a hexagonal array, 100 pixels between neighbours."""
    array = np.array([(r, 2 * c + r % 2) for r in range(rows) for c in range(columns)])
    return array[:, ::-1] * [50.0, 50 * np.sqrt(3)], array


def overlaid(spatial, number, pitch, seed=0):
    """Slices over each other as aligned ones are: turned a little, somewhere within the pitch."""
    rng, parts = np.random.default_rng(seed), [spatial]
    for _ in range(number - 1):
        angle = rng.uniform(0, 0.3)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        centred = (spatial - spatial.mean(axis=0)) @ turn
        parts.append(centred + spatial.mean(axis=0) + rng.uniform(-3, 3, 2) * pitch)
    return np.concatenate(parts)


@pytest.mark.parametrize("sample", SECTIONS)
def test_bundled_sections_pass(sample):
    spatial, array = of(sample)
    check_names(helpers.demo_section(sample).obs)
    check_places(array, spatial)
    assert check_arrangement(spatial, array.to_numpy()) == ""
    assert check_arrangement(spatial) == ""
    nearest = np.median(cKDTree(spatial).query(spatial, k=2)[0][:, 1])
    assert array_pitch(spatial) == pytest.approx(nearest, rel=0.1)


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("sample", ["SPA154", "heart-9", "hexagonal"])
def test_slices_over_each_other_are_refused(sample, number):
    spatial = hexagonal()[0] if sample == "hexagonal" else of(sample)[0]
    pitch = array_pitch(spatial)
    with pytest.raises(InputError, match=r"several slices lie over each other\. Fix: .*`library`"):
        check_arrangement(overlaid(spatial, number, pitch))


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("sample", [*SECTIONS, "hexagonal"])
def test_copies_of_a_slice_at_one_offset_are_refused(sample, number):
    spatial = hexagonal()[0] if sample == "hexagonal" else of(sample)[0]
    offset = np.array([0.26, 0.1]) * array_pitch(spatial)
    copies = np.concatenate([spatial + n * offset for n in range(number)])
    with pytest.raises(InputError, match=r"several slices lie over each other\. Fix: .*`library`"):
        check_arrangement(copies)


def test_rows_with_gaps_between_them_are_no_copies():
    spatial, array = hexagonal()
    check_arrangement(spatial[array[:, 0] % 4 == 0])
    columns = np.array([(x * 3.0, y) for x in range(20) for y in range(20)]) * 100.5
    check_arrangement(columns)


def test_the_pitch_stays_that_of_a_slice():
    spatial = hexagonal()[0]
    assert array_pitch(spatial) == pytest.approx(100, rel=0.02)
    assert array_pitch(overlaid(spatial, 4, 100)) == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_spots_on_no_array_are_told_but_taken(seed):
    spatial = np.random.default_rng(seed).random((1000, 2)) * 1000
    assert array_pitch(spatial) == 0
    assert "do not lie evenly" in check_arrangement(spatial)


def test_scattered_spots():
    spatial, array = hexagonal(70, 70)
    some = np.random.default_rng(0).choice(len(array), 90, replace=False)
    with pytest.raises(InputError, match=r"of 90 spots have no neighbour on the array.*all spots"):
        check_arrangement(spatial[some], array[some])
    most = np.random.default_rng(0).random(len(array)) < 0.6
    assert check_arrangement(spatial[most], array[most]) == ""


def part_of(spatial, number, seed=0):
    return spatial[np.random.default_rng(seed).choice(len(spatial), number, replace=False)]


@pytest.mark.parametrize(
    ("section", "number"), [("whole slide", 90), (HIPPOCAMPUS, 90), (TNBC, 55)]
)
def test_scattered_spots_without_array_positions(section, number):
    spatial = hexagonal(70, 70)[0] if section == "whole slide" else visium(section)
    nearest = cKDTree(spatial).query(spatial, k=2)[0][:, 1]
    pitch = f"{np.median(nearest):.2g}"[0]
    with pytest.raises(
        InputError, match=rf"of {number} spots have no .* pitch of {pitch}.*: they are scattered"
    ):
        check_arrangement(part_of(spatial, number))
    check_arrangement(part_of(spatial, int(0.4 * len(spatial))))


@pytest.mark.parametrize("seed", range(3))
def test_spots_that_are_no_random_part_of_an_array_are_not_called_scattered(seed):
    spatial = np.random.default_rng(seed).random((300, 2)) * 3000
    check_arrangement(np.round(spatial))  # beads at whole pixels
    whole = hexagonal()[0]
    check_arrangement(whole[(whole % 300 < 1).all(axis=1)])  # sparse and regular
    noise = np.random.default_rng(seed).normal(size=(90, 2)) * 30
    assert "do not lie evenly" in check_arrangement(part_of(hexagonal(70, 70)[0], 90) + noise)


@pytest.mark.parametrize("known", [True, False], ids=["array known", "array unknown"])
@pytest.mark.parametrize("factor", [1, 10])
@pytest.mark.parametrize("swapped", [False, True])
def test_array_positions_given_as_pixels_are_refused_with_the_factor(known, factor, swapped):
    _, array = hexagonal()
    pixels = factor * (array if swapped else array[:, ::-1]).astype(float)
    axis = "x" if swapped and known else "y"  # unknown, it is as most write it
    with pytest.raises(InputError, match=f"multiply {axis} by 1.732, or give full-resolution"):
        check_arrangement(pixels, array if known else None)
    if known:
        pixels[:, "xy".index(axis)] *= np.sqrt(3)
        assert check_arrangement(pixels, array) == ""


def test_two_small_pieces_of_tissue_far_apart_are_no_slices_over_each_other():
    spatial, _ = hexagonal(6, 6)
    pieces = np.concatenate([spatial, spatial + 1e3 * np.ptp(spatial)])
    assert check_arrangement(pieces) == ""
    assert array_pitch(pieces) == pytest.approx(array_pitch(spatial), rel=0.05)


def test_a_hexagonal_array_that_is_turned_by_90_degrees_is_no_array_in_steps():
    spatial, _ = hexagonal()
    assert check_arrangement(spatial[:, ::-1]) == check_arrangement(spatial) == ""


def test_rows_and_columns_that_are_exchanged():
    spatial, array = hexagonal()
    with pytest.raises(InputError, match="array_row and array_col are exchanged"):
        check_arrangement(spatial, array[:, ::-1])


@pytest.mark.parametrize("number", [0.5, 0.1])
def test_array_positions_as_pixels_off_whole_numbers(number):
    _, array = hexagonal()
    with pytest.raises(InputError, match=r"multiply y by 1\.732"):
        check_arrangement(array[:, ::-1] + number)


@pytest.mark.parametrize("sample", SECTIONS)
def test_array_positions_of_other_spots(sample):
    spatial, array = of(sample)
    other = array.to_numpy()[np.random.default_rng(0).permutation(len(array))]
    with pytest.raises(InputError, match=r"not of the same spots\. Fix: give both from"):
        check_arrangement(spatial, other)


def test_spots_that_are_all_in_one_place():
    _, array = of()
    with pytest.raises(InputError, match="all its spots have the same coordinates"):
        check_places(array, np.zeros((len(array), 2)))


MERGED = {
    "aggr": lambda name, number: f"{name.removesuffix('-1')}-{number}",
    "concat": lambda name, number: f"{name}-{number}",
    "prefix": lambda name, number: f"s{number}_{name}",
}


@pytest.mark.parametrize("how", MERGED)
@pytest.mark.parametrize("core", ["barcode", "array"])
def test_names_of_merged_sections_are_refused(how, core):
    rng = np.random.default_rng(0)
    if core == "barcode":
        names = pd.Index(["".join(rng.choice([*"ACGT"], 16)) + "-1" for _ in range(60)])
    else:
        names = pd.Index([f"{i}x{i + 3}" for i in range(60)])
    check_names(pd.DataFrame(index=names))
    with pytest.raises(InputError, match=r"holds 2 sections.*names of spots have.*`library_key`"):
        merged = [MERGED[how](name, number % 2 + 1) for number, name in enumerate(names)]
        check_names(pd.DataFrame(index=merged))


def test_a_column_that_names_sections():
    obs = pd.DataFrame({"library_id": ["a"] * 20 + ["b"] * 20, "region": ["x", "y"] * 20})
    obs.index = obs.index.astype(str)
    with pytest.raises(InputError, match=r"holds 2 sections.*column `library_id` of obs: `a`, `b`"):
        check_names(obs)
    check_names(obs.drop(columns="library_id"))
    check_names(obs.assign(library_id="a"))


@pytest.mark.parametrize(
    "column", ["Patient", "donor_id", "sampleID", "capture_area", "slice number"]
)
def test_a_column_that_names_sections_in_other_words(column):
    obs = pd.DataFrame({column: ["a"] * 20 + ["b"] * 20}, index=[f"c{one}" for one in range(40)])
    with pytest.raises(InputError, match=f"holds 2 sections.*column `{column}` of obs"):
        check_names(obs)


def test_shared_places():
    spatial, array = of()
    twice = pd.concat([array, array], ignore_index=True)
    apart = np.concatenate([spatial, spatial + 1e5])
    with pytest.raises(InputError, match="692 of 692 spots share their place on the array"):
        check_places(twice, apart)
    with pytest.raises(InputError, match="692 of 692 spots share their position"):
        check_places(twice[[]], np.concatenate([spatial, spatial]))
    check_places(twice[[]], apart)


def matrix(barcodes, depths):
    """Counts of spots of given depths, with `in_tissue` to be set."""
    counts = np.array(depths, dtype=np.int32)[:, None]
    return anndata.AnnData(X=sp.csr_matrix(counts), obs=pd.DataFrame(index=list(barcodes)))


def positions(tissue, number=100):
    """A slide's barcodes, those in tissue marked."""
    names = [f"b{i}" for i in range(number)]
    flags = ["1" if i in tissue else "0" for i in range(number)]
    return pd.DataFrame({"in_tissue": flags}, index=names)


BELONGING = {
    "filtered": (range(60), [1000] * 60, range(60), False),
    "filtered, some without counts": (range(2, 60), [1000] * 58, range(60), False),
    "raw": (range(100), [1000] * 60 + [50] * 40, range(60), False),
    "raw, some without counts": (range(90), [1000] * 60 + [50] * 30, range(60), False),
    "part of the section": (range(20), [1000] * 20, range(60), False),
    "of another section": (range(60), [1000] * 60, range(30, 90), True),
    "of a smaller section within": (range(60), [1000] * 60, range(20), True),
    "of none": (range(60), [1000] * 60, [], True),
}


@pytest.mark.parametrize("case", BELONGING)
def test_positions_belong_to_the_counts(case):
    spots, depths, tissue, refused = BELONGING[case]
    table = positions({*tissue})
    adata = matrix([f"b{i}" for i in spots], depths)
    adata.obs["in_tissue"] = table.loc[adata.obs_names, "in_tissue"].astype(int)
    others = table.drop(index=adata.obs_names)
    if not refused:
        return check_belongs(adata, others, "p.csv")
    with pytest.raises(
        InputError, match=r"p\.csv: belongs to another section.* lie outside its tissue"
    ):
        check_belongs(adata, others, "p.csv")
