"""Every format gives the same section; every damaged file gives a one-line error."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.cohorts.positions import COLUMNS, read_positions
from sagefm.cohorts.readers import read_source
from sagefm.common.errors import InputError
from support import helpers


@pytest.fixture(scope="module")
def section() -> anndata.AnnData:
    return helpers.demo_section()


def h5ad(adata, folder):
    adata.write_h5ad(folder / "section.h5ad")
    return folder / "section.h5ad", None


def tenx_h5(adata, folder, suffix=".csv.gz", **changes):
    positions = helpers.write_positions(adata, folder / f"pos{suffix}", header=False, **changes)
    return helpers.write_tenx_h5(adata, folder / "matrix.h5"), positions


def mtx(adata, folder, **kwargs):
    positions = helpers.write_positions(adata, folder / "pos.csv", header=True)
    return helpers.write_mtx(adata, folder / "mtx", **kwargs), positions


def mtx_prefixed(adata, folder):
    path, positions = mtx(adata, folder, prefix="GSM1_s1_")
    return path / "GSM1_s1_matrix.mtx.gz", positions


FORMATS = {
    "h5ad": ("h5ad", h5ad),
    "spaceranger 1": (
        "spaceranger",
        lambda a, f: (helpers.write_spaceranger(a, f / "outs", header=False), None),
    ),
    "spaceranger 2": (
        "spaceranger",
        lambda a, f: (helpers.write_spaceranger(a, f / "outs", header=True), None),
    ),
    "spaceranger, matrix folder": (
        "spaceranger",
        lambda a, f: (helpers.write_spaceranger(a, f / "outs", header=True, as_mtx=True), None),
    ),
    "10x h5, gzipped positions": ("tenx_h5", tenx_h5),
    "10x h5, plain positions": ("tenx_h5", lambda a, f: tenx_h5(a, f, suffix=".csv")),
    "mtx, gzipped": ("mtx", mtx),
    "mtx, plain": ("mtx", lambda a, f: mtx(a, f, gz=False)),
    "mtx, genes.tsv.gz": ("mtx", lambda a, f: mtx(a, f, legacy=True)),
    "mtx, genes.tsv": ("mtx", lambda a, f: mtx(a, f, gz=False, legacy=True)),
    "mtx, prefixed": ("mtx", mtx_prefixed),
}


@pytest.mark.parametrize("case", FORMATS)
def test_every_format_gives_the_same_section(case, section, tmp_path):
    fmt, write = FORMATS[case]
    path, positions = write(section, tmp_path)
    for asked in ("auto", fmt):
        read = read_source(path, asked, positions)
        assert read.uns["reader"] == fmt
        assert list(read.obs_names) == list(section.obs_names)
        assert list(read.var_names) == list(section.var_names)
        assert isinstance(read.X, sp.csr_matrix) and read.X.dtype == np.int32
        assert read.X.has_canonical_format and (read.X.data > 0).all()
        assert (section.X.astype(np.int32) != read.X).nnz == 0
        assert read.obsm["spatial"].dtype == np.float64
        np.testing.assert_allclose(read.obsm["spatial"], section.obsm["spatial"], rtol=1e-6)
        for column in ("in_tissue", "array_row", "array_col"):
            np.testing.assert_array_equal(read.obs[column], section.obs[column])
        if fmt != "h5ad":
            assert list(read.var["gene_ids"]) == helpers.gene_ids(section)


def test_x_is_the_pixel_column(section):
    read = read_source(helpers.REPO / "resources/demo/st/heart-1.h5ad", "hest")
    assert read.uns["reader"] == "hest"
    pixels = section.obs[["pxl_col_in_fullres", "pxl_row_in_fullres"]]
    np.testing.assert_allclose(read.obsm["spatial"], pixels, rtol=1e-6)


def test_a_header_is_read_by_name_not_by_order(section, tmp_path):
    path = helpers.write_positions(section, tmp_path / "a.csv", header=True)
    shuffled = read_positions(path).reset_index()[list(COLUMNS[::-1])]
    # The barcode stays first: that is how a header is told from a spot.
    shuffled.insert(0, "barcode", shuffled.pop("barcode"))
    shuffled.to_csv(tmp_path / "b.csv", index=False)
    matrix = helpers.write_tenx_h5(section, tmp_path / "matrix.h5")
    read = read_source(matrix, "tenx_h5", tmp_path / "b.csv")
    np.testing.assert_allclose(read.obsm["spatial"], section.obsm["spatial"], rtol=1e-6)


def test_positions_replace_those_of_an_h5ad(section, tmp_path):
    path, _ = h5ad(section, tmp_path)
    moved = section.obsm["spatial"][:, 0] + 5
    positions = helpers.write_positions(
        section, tmp_path / "p.csv", header=True, pxl_col_in_fullres=moved
    )
    assert read_source(path, positions=positions).obsm["spatial"][:, 0] == pytest.approx(moved)


def test_coordinates_may_lack_outside_the_tissue(section, tmp_path):
    adata = section.copy()
    adata.obs["in_tissue"] = [False] + [True] * (adata.n_obs - 1)
    adata.obsm["spatial"][0] = np.nan
    read = read_source(h5ad(adata, tmp_path)[0])
    assert list(read.obs["in_tissue"][:2]) == [0, 1] and np.isnan(read.obsm["spatial"][0]).all()


@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_repeated_genes_images_and_symbols_of_a_source(section, tmp_path):
    adata = section[:, [0, 1, 2]].copy()
    adata.var["feature_name"] = list(adata.var_names)
    adata.var_names = ["ENSG1", "ENSG2", "ENSG2"]
    adata.uns["spatial"] = {"slide": {"images": {"hires": np.zeros((4, 4, 3))}}}
    read = read_source(h5ad(adata, tmp_path)[0])
    assert list(read.var_names) == ["ENSG1", "ENSG2", "ENSG2"]
    assert list(read.var["gene_symbols"]) == list(section.var_names[:3])
    assert set(read.uns) == {"reader"}


# Bad input: each case damages one thing of an otherwise good section.


def edited(change):
    """An h5ad in which `change` has been applied to the AnnData."""

    def make(adata, folder):
        changed = change(adata)
        return h5ad(adata if changed is None else changed, folder)

    return make


def with_counts(value):
    def change(adata):
        adata.X = adata.X.astype(np.float32)
        adata.X.data[3] = value

    return edited(change)


def with_attribute(where, key, value):
    def change(adata):
        getattr(adata, where)[key] = value(adata)

    return edited(change)


def normalised(adata):
    adata.layers["counts"] = adata.X.copy()
    adata.X = adata.X.astype(np.float32)
    adata.X.data = np.log1p(adata.X.data)


def without_coordinates(adata):
    del adata.obsm["spatial"]
    adata.obs = pd.DataFrame(index=[f"spot{number}" for number in range(adata.n_obs)])


def twice_named(adata):
    adata.obs_names = [adata.obs_names[1], *adata.obs_names[1:]]


def nan_coordinate(adata):
    spatial = adata.obsm["spatial"].copy()
    spatial[4, 0] = np.nan
    return spatial


def truncated(write, name):
    def make(adata, folder):
        path, positions = write(adata, folder)
        file = next(folder.rglob(name))
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        return path, positions

    return make


def without(name):
    def make(adata, folder):
        path = helpers.write_spaceranger(adata, folder / "outs", header=True)
        next(folder.rglob(name)).unlink()
        return path, None

    return make


def not_hdf5(adata, folder):
    return helpers.write_bytes(folder / "section.h5ad", b"<html>not found</html>"), None


def foreign_h5(adata, folder):
    path, positions = tenx_h5(adata, folder)
    adata.write_h5ad(path)
    return path, positions


def short_barcodes(adata, folder):
    path, positions = mtx(adata, folder, gz=False)
    (path / "barcodes.tsv").write_text("AAAC-1\n")
    return path, positions


def renamed(names):
    return lambda adata, folder: tenx_h5(adata, folder, barcode=names(list(adata.obs_names)))


def pixels(change):
    def make(adata, folder):
        return tenx_h5(adata, folder, pxl_row_in_fullres=change(adata.obsm["spatial"][:, 1]))

    return make


def headless_columns(adata, folder):
    positions = helpers.write_bytes(folder / "pos.csv", b"AAAC-1,1,0,0\n")
    return helpers.write_tenx_h5(adata, folder / "matrix.h5"), positions


BAD = {
    "missing file": (lambda a, f: (f / "gone.h5ad", None), ["gone.h5ad", "no such", "Fix: "]),
    "unknown kind of file": (
        lambda a, f: (helpers.write_bytes(f / "counts.dat", b"a,b"), None),
        ["counts.dat", "not a format", ".h5ad"],
    ),
    "empty folder": (lambda a, f: (f, None), ["not a format", "spatial/"]),
    "not HDF5": (not_hdf5, ["section.h5ad", "cannot be read as h5ad", "again"]),
    "truncated h5ad": (truncated(h5ad, "*.h5ad"), ["section.h5ad", "truncated", "again"]),
    "truncated 10x h5": (truncated(tenx_h5, "*.h5"), ["matrix.h5", "truncated", "again"]),
    "truncated matrix": (truncated(mtx, "matrix.mtx.gz"), ["matrix.mtx.gz", "truncated", "again"]),
    "truncated positions": (truncated(tenx_h5, "pos.csv.gz"), ["pos.csv.gz", "a table", "again"]),
    "an AnnData named .h5": (foreign_h5, ["matrix.h5", "is an AnnData", "`.h5ad`"]),
    "barcodes of another matrix": (short_barcodes, ["barcodes.tsv", "1 lines", "one folder"]),
    "not integers": (with_counts(0.5), ["section.h5ad", "not integers", "raw counts"]),
    "normalised, counts in a layer": (
        edited(normalised),
        ["not integers", "as `layer` (`counts`)"],
    ),
    "negative": (with_counts(-1), ["section.h5ad", "negative", "raw counts"]),
    "NaN counts": (with_counts(np.nan), ["section.h5ad", "NaN", "raw counts"]),
    "no spots": (edited(lambda a: a[:0].copy()), ["section.h5ad", "0 spots"]),
    "no coordinates": (
        edited(without_coordinates),
        ["section.h5ad", "no obsm['spatial']", "`positions`"],
    ),
    "NaN coordinates": (
        with_attribute("obsm", "spatial", nan_coordinate),
        ["section.h5ad", "NaN or missing", "in 1 spot ", "take it out"],
    ),
    "three coordinates": (
        with_attribute("obsm", "spatial", lambda a: np.zeros((a.n_obs, 3))),
        ["section.h5ad", "two numbers"],
    ),
    "in_tissue of other values": (
        with_attribute("obs", "in_tissue", lambda a: 2),
        ["section.h5ad", "in_tissue", "0 and 1"],
    ),
    "duplicated barcodes": (edited(twice_named), ["section.h5ad", "more than once", "own name"]),
    "no position file": (
        lambda a, f: (helpers.write_tenx_h5(a, f / "matrix.h5"), None),
        ["matrix.h5", "no coordinates", "`positions`"],
    ),
    "missing position file": (
        lambda a, f: (helpers.write_tenx_h5(a, f / "matrix.h5"), f / "gone.csv"),
        ["gone.csv", "no such file", "`positions`"],
    ),
    "positions of no barcode": (
        renamed(lambda names: [f"{name}-9" for name in names]),
        ["pos.csv.gz", "none of the 91 barcodes", "position file of this section"],
    ),
    "positions of some barcodes": (
        renamed(lambda names: ["other", *names[1:]]),
        ["pos.csv.gz", "1 of 91 barcodes have no position"],
    ),
    "positions twice": (
        renamed(lambda names: [names[1], *names[1:]]),
        ["pos.csv.gz", "more than once", "one line"],
    ),
    "empty pixels": (
        pixels(lambda rows: [None, *rows[1:]]),
        ["pos.csv.gz", "missing coordinates in 1 spot "],
    ),
    "pixels in words": (pixels(lambda rows: "left"), ["pos.csv.gz", "91 spots", "coordinates"]),
    "columns lacking": (headless_columns, ["pos.csv", "4 columns without names", "barcode,x,y"]),
    "outs without matrix": (
        without("*.h5"),
        ["outs", "no filtered_feature_bc_matrix.h5", "complete"],
    ),
    "outs without positions": (
        without("tissue_positions.csv"),
        ["spatial", "or tissue_positions.csv or tissue_positions_list.csv", "complete"],
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.filterwarnings("ignore")
def test_bad_input_is_one_sentence(case, section, tmp_path):
    make, words = BAD[case]
    path, positions = make(section.copy(), tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError) as caught:
        read_source(path, positions=positions)
    sentence = str(caught.value)
    assert [word for word in words if word not in sentence] == []
    assert "\n" not in sentence and sentence.endswith(".")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("fmt", "words"), [("visium", "format `visium` is unknown"), ("spaceranger", "is a file")]
)
def test_a_wrong_format_is_named(fmt, words):
    with pytest.raises(InputError, match=words):
        read_source(helpers.REPO / "resources/demo/st/heart-1.h5ad", fmt)
