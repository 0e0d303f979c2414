"""Sections of every make, rewritten from a real one, give its counts, coordinates and array."""

import gzip
import shutil

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
import zarr

from sagefm.cohorts.formats.base import Choice
from sagefm.cohorts.panel import source_symbols
from sagefm.cohorts.readers import read_source
from sagefm.common.errors import InputError
from sagefm.graphs.grid import grid_adjacency
from support import helpers, small

BASES = "ACGT"
BARCODES = [f"{BASES[n % 4]}{BASES[n // 4 % 4]}{BASES[n // 16]}ACGTACGTACGTA-1" for n in range(40)]


@pytest.fixture
def section() -> anndata.AnnData:
    """Forty spots of a real section with names such as 10x13, and its most abundant genes."""
    cut = small.patch()
    cut.obs_names = [f"{x}x{y}" for x, y in cut.obs[["array_col", "array_row"]].to_numpy()]
    return cut


@pytest.fixture
def visium(section) -> anndata.AnnData:
    """The same counts on a hexagonal array, turned by 20 degrees, with Visium's names of spots."""
    rows, columns = np.divmod(np.arange(section.n_obs), 8)
    section.obs = section.obs[["in_tissue"]]
    section.obs["array_row"], section.obs["array_col"] = rows, 2 * columns + rows % 2
    turn = np.deg2rad(20)
    flat = np.stack([columns + rows % 2 / 2, rows * np.sqrt(3) / 2], axis=1)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    section.obsm["spatial"] = 5000 + 137 * flat @ rotation
    section.obs_names = BARCODES
    return section


def check(read, section, coordinates=True):
    """A reading has a section's spots, genes, counts, array and coordinates."""
    assert list(read.obs_names) == list(section.obs_names)
    assert list(read.var_names) == list(section.var_names)
    assert (read.X != section.X).nnz == 0
    if coordinates:
        np.testing.assert_allclose(read.obsm["spatial"], section.obsm["spatial"])
    for name in ("array_row", "array_col"):
        np.testing.assert_array_equal(read.obs[name], section.obs[name])


def write_h5ad(section, path, **parts):
    section.write_h5ad(path, **parts)
    return path


# Space Ranger


def parquet(section, folder):
    """The layout of Visium HD: parquet beside the matrix of a bin size."""
    square = folder / "outs/binned_outputs/square_008um"
    outs = helpers.write_spaceranger(section, square, header=True)
    csv = outs / "spatial/tissue_positions.csv"
    pd.read_csv(csv).to_parquet(csv.with_suffix(".parquet"))
    csv.unlink()
    return outs


def raw_alone(section, folder):
    outs = helpers.write_spaceranger(section, folder / "outs", header=False)
    matrix = outs / "filtered_feature_bc_matrix.h5"
    matrix.rename(outs / "raw_feature_bc_matrix.h5")
    return outs


def raw_beside(section, folder):
    outs = helpers.write_spaceranger(section, folder / "outs", header=False)
    helpers.write_tenx_h5(section[:5], outs / "raw_feature_bc_matrix.h5")
    return outs


def prefixed(section, folder, suffix=".csv.gz", inner=""):
    name = "GSM1_s1_tissue_positions_list"
    helpers.write_positions(section, folder / inner / f"{name}{suffix}", header=False)
    return helpers.write_tenx_h5(section, folder / "GSM1_s1_filtered_feature_bc_matrix.h5")


def two_prefixed(section, folder):
    other = section[::-1].copy()
    helpers.write_positions(other, folder / "GSM2_s2_tissue_positions_list.csv.gz", header=False)
    helpers.write_tenx_h5(other, folder / "GSM2_s2_filtered_feature_bc_matrix.h5")
    return prefixed(section, folder)


def prefixed_mtx(section, folder):
    helpers.write_mtx(section, folder, prefix="GSM1_s1_")
    helpers.write_positions(section, folder / "GSM1_s1_tissue_positions.csv", header=True)
    return folder


def gzipped(section, folder):
    path = prefixed(section, folder)
    packed = helpers.write_bytes(path.with_name(f"{path.name}.gz"), path.read_bytes())
    path.unlink()
    return packed


def renamed(pattern, name):
    """A prefixed folder, one file of which has another name."""

    def make(section, folder):
        path = next(prefixed(section, folder).parent.glob(pattern))
        path.rename(path.with_name(name))
        return folder

    return make


def matrix_of_outs(section, folder):
    outs = helpers.write_spaceranger(section, folder / "outs", header=True, as_mtx=True)
    return outs / "filtered_feature_bc_matrix/matrix.mtx.gz"


SPACE_RANGER = {
    "parquet of Visium HD": parquet,
    "raw alone": raw_alone,
    "raw beside filtered": raw_beside,
    "a prefixed file": prefixed,
    "a prefixed file of two": two_prefixed,
    "a prefixed folder": lambda a, f: prefixed(a, f).parent,
    "a prefixed file, positions in spatial/": lambda a, f: prefixed(a, f, inner="spatial"),
    "a prefixed file, positions in a prefixed folder": (
        lambda a, f: prefixed(a, f, inner="GSM1_s1_spatial")
    ),
    "prefixed matrix.mtx in a folder": prefixed_mtx,
    "h5.gz": gzipped,
    "the matrix.mtx of an outs/": matrix_of_outs,
    "a prefixed folder, its matrix named in another way": renamed("*.h5", "GSM1_s1_counts.h5"),
    "a prefixed folder, positions in capitals": (
        renamed("*list.csv.gz", "GSM1_s1_Tissue_Positions_List.csv.gz")
    ),
    "a prefixed folder, positions as text": (
        renamed("*list.csv.gz", "GSM1_s1_tissue_positions_list.txt.gz")
    ),
}


@pytest.mark.parametrize("make", SPACE_RANGER)
def test_space_ranger(make, visium, tmp_path):
    read = read_source(SPACE_RANGER[make](visium, tmp_path))
    check(read, visium)
    assert (read.obs["in_tissue"] == 1).all()


def above_outs(section, folder):
    return helpers.write_spaceranger(section, folder / "s1/outs", header=True).parent


def hd_outs(section, folder):
    parquet(section, folder)
    helpers.write_bytes(folder / "outs/spatial/tissue_lowres_image.png", b"")
    return folder / "outs"


def segmented(section, folder):
    path = helpers.write_spaceranger(section, folder / "segmented_outputs", header=True)
    (path / "filtered_feature_bc_matrix.h5").rename(path / "filtered_feature_cell_matrix.h5")
    return path


def probes(section, folder):
    outs = helpers.write_spaceranger(section, folder / "outs", header=True)
    with h5py.File(outs / "filtered_feature_bc_matrix.h5", "r+") as file:
        file["matrix/features/probe_region"] = np.full(section.n_vars + 1, "spliced", dtype="S")
    return outs


def several(section, folder):
    two_prefixed(section, folder)
    return folder


def of_another_prefix(section, folder):
    """Positions of s11 alone, beside the matrices of s1 and s11."""
    helpers.write_tenx_h5(section, folder / "GSM1_s11_filtered_feature_bc_matrix.h5")
    path = renamed("*list.csv.gz", "GSM1_s11_tissue_positions_list.csv.gz")(section, folder)
    return path / "GSM1_s1_filtered_feature_bc_matrix.h5"


def molecules(section, folder):
    parquet(section, folder)
    with h5py.File(folder / "molecule_info.h5", "w") as file:
        file["barcodes"], file["count"] = [1], [1]
    helpers.write_positions(section, folder / "tissue_positions.csv", header=True)
    return folder / "molecule_info.h5"


def cells_in_three_files(section, folder):
    outs = helpers.write_spaceranger(section, folder / "cells", header=True, as_mtx=True)
    return (outs / "filtered_feature_bc_matrix").rename(outs / "filtered_feature_cell_matrix")


def aggregated(section, folder):
    for name in ("s1", "s2"):
        helpers.write_positions(
            section, folder / f"outs/spatial/{name}/tissue_positions.csv", header=True
        )
    helpers.write_tenx_h5(section, folder / "outs/filtered_feature_bc_matrix.h5")
    return folder / "outs"


def turned(section, folder):
    return write_h5ad(
        anndata.AnnData(section.X.T.tocsr(), section.var, section.obs), folder / "t.h5ad"
    )


def empty_store(section, folder):
    section.write_zarr(folder / "s.zarr")
    shutil.rmtree(folder / "s.zarr/obs")
    return folder / "s.zarr"


REFUSED = {
    "spatial/": (
        lambda a, f: helpers.write_spaceranger(a, f / "outs", header=True) / "spatial",
        r"but no counts\. Fix: give .*/outs\.$",
    ),
    "a file of spatial/": (
        lambda a, f: helpers.write_bytes(
            helpers.write_spaceranger(a, f / "outs", header=True) / "spatial/x.png", b""
        ),
        r"beside the positions, without counts\. Fix: give .*/outs\.$",
    ),
    "a part of a matrix": (
        lambda a, f: helpers.write_mtx(a, f / "m") / "features.tsv.gz",
        r"a part of a 10x matrix\. Fix: give its folder, .*/m,",
    ),
    "positions of another prefix": (of_another_prefix, r"GSM1_s1_.*there is no position file"),
    "molecules": (molecules, r"is HDF5, but not a 10x matrix\. Fix: give .*feature_bc_matrix\.h5"),
    "another HDF5": (
        lambda a, f: molecules(a, f).rename(f / "s.h5ad"),
        r"is HDF5, but not an AnnData.*\(it has barcodes, count\)\. Fix: ",
    ),
    "segmented cells in three files": (cells_in_three_files, "segmented cells"),
    "outs/ of aggr": (aggregated, r"holds 2 sections \(s1, s2\)\. Fix: give the outs/ of each"),
    "the folder above several outs/": (
        lambda a, f: above_outs(a, f).parent,
        r"a folder of sections\. Fix: give one of them, as in .*s1/outs\.$",
    ),
    "genes x spots": (turned, r"its columns are named as spots \(`A.*\. Fix: transpose it"),
    "a store without a table": (empty_store, "is not a SpatialData store with a table"),
    "a page of the web": (
        lambda a, f: helpers.write_bytes(f / "s.h5ad", b"\n<!DOCTYPE html>"),
        r"because it is a web page\. Fix: fetch",
    ),
    "a pointer of Git LFS": (
        lambda a, f: helpers.write_bytes(f / "s.h5ad", b"version https://git-lfs.github.com"),
        "a pointer of Git LFS",
    ),
    "nothing": (lambda a, f: helpers.write_bytes(f / "s.h5ad", b""), "because it is empty"),
    "the folder above outs/": (above_outs, r"the folder above outs/\. Fix: give .*s1/outs\.$"),
    "outs/ of Visium HD": (hd_outs, r"several sizes\. Fix: .*binned_outputs/square_008um\.$"),
    "segmented cells": (segmented, r"segmented cells.* Fix: give the bins"),
    "the matrix of segmented cells": (
        lambda a, f: segmented(a, f) / "filtered_feature_cell_matrix.h5",
        r"segmented cells.* Fix: give the bins",
    ),
    "probes": (probes, r"counts probes.* Fix: give .*filtered_feature_bc_matrix\.h5"),
    "a matrix of probes by its name": (
        lambda a, f: helpers.write_tenx_h5(a, f / "raw_probe_bc_matrix.h5"),
        "counts probes",
    ),
    "two sections in a folder": (several, r"holds 2 sections \(GSM1.*Fix: give one of these files"),
    "a position file": (
        lambda a, f: parquet(a, f) / "spatial/tissue_positions.parquet",
        "positions without counts. Fix: give the matrix or the folder",
    ),
    "an archive": (
        lambda a, f: helpers.write_bytes(f / "s.zip", b"PK"),
        "packed file. Fix: unpack it",
    ),
    "a workbook": (
        lambda a, f: helpers.write_bytes(f / "s.xlsx", b"PK\3\4"),
        r"is a workbook\. Fix: save its counts as text with tabs",
    ),
    "MuData": (lambda a, f: helpers.write_bytes(f / "s.h5mu", b""), r"genes alone, as in `mudata"),
    "loom": (lambda a, f: helpers.write_bytes(f / "s.loom", b""), r"as AnnData \(`anndata\.io"),
    "a file of Seurat": (
        lambda a, f: helpers.write_bytes(f / "s.h5seurat", b""),
        "a Seurat object. Fix: write it",
    ),
    "an object of R": (lambda a, f: helpers.write_bytes(f / "s.rds", b"X"), "object of R. Fix: "),
    "an AnnData in a `.h5`": (
        lambda a, f: prefixed(a, f) and write_h5ad(a, f / "GSM1_s1_matrix.h5"),
        r"is an AnnData\. Fix: give it a name in `\.h5ad`",
    ),
    "a 10x matrix in a `.h5ad`": (
        lambda a, f: helpers.write_tenx_h5(a, f / "s.h5ad"),
        r"is a 10x matrix.* Fix: give it a name in `\.h5`",
    ),
}


@pytest.mark.parametrize("make", REFUSED)
def test_what_is_not_a_section_gets_the_remedy_that_works(make, visium, tmp_path):
    write, words = REFUSED[make]
    with pytest.raises(InputError, match=words):
        read_source(write(visium, tmp_path))


# Positions


def table(section, **columns):
    x, y = section.obsm["spatial"].T
    return pd.DataFrame({"barcode": section.obs_names, "x": x, "y": y} | columns)


def seurat(section):
    x, y = section.obsm["spatial"].T
    row, col = section.obs["array_row"].to_numpy(), section.obs["array_col"].to_numpy()
    return pd.DataFrame(
        {"tissue": 1, "row": row, "col": col, "imagerow": y, "imagecol": x}, index=section.obs_names
    )


def st_pipeline(section):
    """Column and row of the array as x and y, pixels apart; spots selected under tissue."""
    x, y = section.obsm["spatial"].T
    return pd.DataFrame(
        {
            "x": section.obs["array_col"].to_numpy(),
            "y": section.obs["array_row"].to_numpy(),
            "new_x": 0.5,
            "pixel_x": x,
            "pixel_y": y,
            "selected": 1,
        },
        index=section.obs_names,
    )


CSV = {
    "x and y alone": lambda a: table(a).to_csv(index=False),
    "another order": lambda a: table(a)[["y", "barcode", "x"]].to_csv(index=False),
    "capitals": lambda a: table(a).rename(columns=str.upper).to_csv(index=False),
    "quotes": lambda a: table(a).to_csv(index=False, quoting=1),
    "spaces around flags": lambda a: table(a, in_tissue=" 1 ").to_csv(index=False),
    "byte order mark, CRLF": lambda a: (
        "\ufeff" + table(a).to_csv(index=False, lineterminator="\r\n")
    ),
    "semicolons": lambda a: table(a).to_csv(index=False, sep=";"),
    "tabs": lambda a: table(a).to_csv(index=False, sep="\t"),
    "nameless row names": lambda a: table(a).set_index("barcode").rename_axis("").to_csv(),
    "R's write.table": lambda a: (
        table(a).set_index("barcode").to_csv(sep=" ", header=False).join(['"x" "y"\n', ""])
    ),
    "without -1": lambda a: table(a, barcode=a.obs_names.str.removesuffix("-1")).to_csv(
        index=False
    ),
    "a trailing separator": lambda a: table(a).to_csv(index=False).replace("\n", ",\n"),
    "in another order of spots": lambda a: table(a)[::-1].to_csv(index=False),
    "decimal commas": lambda a: table(a).to_csv(index=False, sep=";", decimal=","),
    "a comment and an empty line first": lambda a: "# of s1\n\n" + table(a).to_csv(index=False),
    "a spreadsheet's separator": lambda a: "sep=;\n" + table(a).to_csv(index=False, sep=";"),
    "R's names of columns": lambda a: table(a, barcode=a.obs_names.str.replace("-", ".")).to_csv(
        index=False
    ),
    "names of a merged object": lambda a: table(a, barcode="s1_" + a.obs_names + "_1").to_csv(
        index=False
    ),
    "apostrophes": lambda a: table(a, barcode="'" + a.obs_names + "'").to_csv(index=False),
    "Giotto's coordinates": lambda a: (
        table(a).rename(columns={"x": "sdimx", "y": "sdimy"}).to_csv(index=False)
    ),
    "Seurat's coordinates": lambda a: seurat(a).to_csv(),
    "st_pipeline's": lambda a: st_pipeline(a).to_csv(sep="\t"),
}


@pytest.mark.parametrize("make", CSV)
def test_a_position_file_is_read_by_its_columns_names(make, visium, tmp_path):
    path = helpers.write_bytes(tmp_path / "p.csv", CSV[make](visium).encode())
    read = read_source(helpers.write_tenx_h5(visium, tmp_path / "m.h5"), positions=path)
    np.testing.assert_allclose(read.obsm["spatial"], visium.obsm["spatial"])
    if "row" in CSV[make](visium) or "selected" in CSV[make](visium):
        check(read, visium)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_position_file_in_another_encoding(encoding, visium, tmp_path):
    text = table(visium, été="à").to_csv(index=False)
    path = helpers.write_bytes(tmp_path / "p.csv", text.encode(encoding))
    read = read_source(helpers.write_tenx_h5(visium, tmp_path / "m.h5"), positions=path)
    np.testing.assert_allclose(read.obsm["spatial"], visium.obsm["spatial"])


def test_names_of_another_section_are_not_those_of_this(visium, tmp_path):
    path = tmp_path / "p.csv"
    table(visium, barcode="s2_" + visium.obs_names).to_csv(path, index=False)
    visium.obs_names = "s1_" + visium.obs_names
    with pytest.raises(InputError, match="match none of the 40 barcodes"):
        read_source(helpers.write_tenx_h5(visium, tmp_path / "m.h5"), positions=path)


def test_a_position_file_without_rows(visium, tmp_path):
    path = helpers.write_bytes(tmp_path / "p.csv", b"barcode,x,y\n")
    with pytest.raises(InputError, match="has a header and no rows"):
        read_source(helpers.write_tenx_h5(visium, tmp_path / "m.h5"), positions=path)


# Matrix Market


def edited(name, change):
    """A matrix in three files, one of which is changed as text."""

    def make(section, folder):
        helpers.write_mtx(section, folder, gz=False)
        path = folder / name
        path.write_text(change(path.read_text()))

    return make


def spots_by_genes(section, folder):
    helpers.write_mtx(section, folder, gz=False)
    with (folder / "matrix.mtx").open("wb") as file:
        scipy.io.mmwrite(file, sp.coo_matrix(section.X))


def swapped(text):
    rows = [line.split("\t") for line in text.splitlines()]
    return "".join(f"{name}\t{gene}\n" for gene, name, _ in rows)


def numbered(text):
    return "".join(f"{row}\t{name}\n" for row, name in enumerate(text.split(), 1))


THREE_FILES = {
    "spots x genes": spots_by_genes,
    "symbols before ids": edited("features.tsv", swapped),
    "a header of features": edited("features.tsv", lambda text: "id\tname\ttype\n" + text),
    "a header of barcodes": edited("barcodes.tsv", lambda text: "barcode\n" + text),
    "numbered barcodes": edited("barcodes.tsv", numbered),
    "commas": edited("features.tsv", lambda text: text.replace("\t", ",")),
    "byte order mark, CRLF": edited(
        "features.tsv", lambda text: "\ufeff" + text.replace("\n", "\r\n")
    ),
}


@pytest.mark.parametrize("make", THREE_FILES)
def test_a_matrix_in_three_files(make, visium, tmp_path):
    THREE_FILES[make](visium, tmp_path / "m")
    positions = helpers.write_positions(visium, tmp_path / "p.csv", header=True)
    read = read_source(tmp_path / "m", positions=positions)
    check(read, visium)
    assert list(read.var["gene_ids"]) == helpers.gene_ids(visium)


def test_a_position_file_without_pixels_gives_the_arrays_own_steps(visium, tmp_path):
    given = visium.obs[["array_row", "array_col"]].rename_axis("barcode")
    given.to_csv(tmp_path / "p.csv")
    matrix = helpers.write_tenx_h5(visium, tmp_path / "m.h5")
    read = read_source(matrix, positions=tmp_path / "p.csv")
    check(read, visium, coordinates=False)
    assert_same_neighbours(read, visium, "Visium")


def assert_same_neighbours(read, section, technology, array=True):
    """Neighbours on the array, of what was read and of the section that it was made of."""
    own = section.obs[["array_row", "array_col"]].to_numpy()
    expected = grid_adjacency(section.obsm["spatial"], own, technology)
    found = read.obs[["array_row", "array_col"]].to_numpy() if array else None
    adjacency = grid_adjacency(read.obsm["spatial"], found, technology)
    assert expected.nnz > 0 and (adjacency != expected).nnz == 0


# AnnData


def in_layer(a):
    a.layers["counts"], a.X = a.X.copy(), a.X.log1p()
    return a, Choice(layer="counts")


def in_raw(a):
    a.raw = a.copy()
    cut = a[:, :30].copy()
    cut.X = cut.X.log1p()
    return cut, Choice(layer="raw")


def named_columns(a):
    y, x = a.obsm["spatial"][:, 1], a.obsm["spatial"][:, 0]
    a.obsm["spatial"] = pd.DataFrame({"y": y, "x": x}, index=a.obs_names)
    return a, Choice()


def sparse_coordinates(a):
    a.obsm["spatial"] = sp.csr_matrix(a.obsm["spatial"])
    return a, Choice()


def coordinates_in_obs(x, y):
    def change(a):
        a.obs[x], a.obs[y] = a.obsm["spatial"].T
        del a.obsm["spatial"]
        return a, Choice()

    return change


def as_text(a):
    a.obs["x"], a.obs["y"] = a.obsm["spatial"].astype(str).T
    del a.obsm["spatial"]
    return a, Choice()


def proteins(a):
    extra = anndata.AnnData(sp.csr_matrix(np.full((a.n_obs, 2), 9)), obs=a.obs)
    extra.var_names = ["CD3", "CD8A"]
    both = anndata.concat([a, extra], axis=1, merge="first")
    both.obs, both.obsm["spatial"] = a.obs, a.obsm["spatial"]
    both.var["feature_types"] = ["Gene Expression"] * a.n_vars + ["Antibody Capture"] * 2
    return both, Choice()


def with_proteins(column, gene, protein):
    def change(a):
        both, choice = proteins(a)
        both.var = pd.DataFrame({column: [gene] * a.n_vars + [protein] * 2}, both.var_names)
        return both, choice

    return change


def in_space(a):
    a.obsm["spatial"] = np.column_stack([a.obsm["spatial"], np.full(a.n_obs, 7.0)])
    return a, Choice()


def under(key):
    def change(a):
        a.obsm[key] = a.obsm.pop("spatial")
        return a, Choice()

    return change


def without_a_librarys_name(a):
    a.uns["spatial"] = {"images": {}, "scalefactors": {"tissue_hires_scalef": 0.1}}
    return a, Choice()


def spaces(a):
    a.var_names, a.obs_names = a.var_names + " ", " " + a.obs_names
    return a, Choice()


def half(a):
    a.X = a.X.toarray().astype(np.float16)
    return a, Choice()


def of_two(a):
    """Two sections in a file, of which the second is another tissue at the same places."""
    other = a.copy()
    other.X = other.X[::-1]
    both = anndata.concat([a, other], keys=["s1", "s2"], label="slide", index_unique="_")
    both.uns["spatial"] = {"s1": {"images": {}}, "s2": {"images": {}}}
    return both


ANNDATA = {
    "counts in a layer": in_layer,
    "counts in raw": in_raw,
    "coordinates as a table": named_columns,
    "coordinates sparse": sparse_coordinates,
    "coordinates in obs, x and y": coordinates_in_obs("x", "y"),
    "coordinates in obs, pixels": coordinates_in_obs("pxl_col_in_fullres", "pxl_row_in_fullres"),
    "coordinates in obs, Seurat": coordinates_in_obs("imagecol", "imagerow"),
    "coordinates in obs, as text": as_text,
    "proteins beside genes": proteins,
    "proteins by muon's words": with_proteins("modality", "rna", "prot"),
    "proteins in other words": with_proteins("Feature Type", "gene expression", "Protein"),
    "a flat section in space": in_space,
    "coordinates as squidpy does not call them": under("Spatial"),
    "coordinates of spatialLIBD": under("spatial_coords"),
    "an image without its library's name": without_a_librarys_name,
    "spaces around names": spaces,
    "coordinates in obs, Giotto": coordinates_in_obs("sdimx", "sdimy"),
    "half precision": half,
    "whole numbers as coordinates": lambda a: (
        a.obsm.__setitem__("spatial", a.obsm["spatial"].astype(np.int32)) or a,
        Choice(),
    ),
}


@pytest.mark.parametrize("make", ANNDATA)
def test_anndata(make, visium, tmp_path):
    expected = visium.copy()
    if "whole" in make:
        expected.obsm["spatial"] = expected.obsm["spatial"].astype(np.int32)
    adata, choice = ANNDATA[make](visium)
    read = read_source(write_h5ad(adata, tmp_path / "s.h5ad"), choice=choice)
    check(read, expected)


@pytest.mark.parametrize("column", ["Symbol", "gene_short_name", "hgnc_symbol", "GeneSymbol"])
@pytest.mark.parametrize("names", ["ids", "numbers"])
def test_symbols_beside_ids_or_numbers(column, names, visium, tmp_path):
    symbols = [*visium.var_names]
    ids = helpers.gene_ids(visium) if names == "ids" else [str(one) for one in range(len(symbols))]
    visium.var = pd.DataFrame({"features": helpers.gene_ids(visium), column: symbols}, index=ids)
    assert list(source_symbols(read_source(write_h5ad(visium, tmp_path / "s.h5ad")))) == symbols


def test_features_none_of_which_is_a_gene(visium, tmp_path):
    visium.var["feature_types"] = "Antibody Capture"
    with pytest.raises(
        InputError, match=r"are not genes \(`Antibody Capture` in .*`feature_types`"
    ):
        read_source(write_h5ad(visium, tmp_path / "s.h5ad"))


def test_biotypes_are_not_types_of_features(visium, tmp_path):
    visium.var["type"] = ["gene", *["protein_coding"] * (visium.n_vars - 1)]
    check(read_source(write_h5ad(visium, tmp_path / "s.h5ad")), visium)


def test_a_name_in_capitals(visium, tmp_path):
    check(read_source(write_h5ad(visium, tmp_path / "S.h5ad").rename(tmp_path / "S.H5AD")), visium)


@pytest.mark.parametrize("compressed", ["gz", "zstd", "blosc"])
def test_compressed_anndata(compressed, visium, tmp_path):
    import hdf5plugin

    path = tmp_path / "s.h5ad"
    filters = {"zstd": hdf5plugin.Zstd(), "blosc": hdf5plugin.Blosc()}
    if compressed == "gz":
        content = write_h5ad(visium, path).read_bytes()
        path.unlink()
        path = helpers.write_bytes(tmp_path / "s.h5ad.gz", content)
    else:
        with h5py.File(write_h5ad(visium, path), "r+") as file:
            data = file["X/data"][:]
            del file["X/data"]
            file["X"].create_dataset("data", data=data, **filters[compressed])
    check(read_source(path), visium)


def test_what_is_not_needed_may_be_unreadable(visium, tmp_path):
    path = write_h5ad(visium, tmp_path / "s.h5ad")
    with h5py.File(path, "r+") as file:
        for name in ("uns/odd", "obs/odd"):
            file[name] = np.arange(3)
            file[name].attrs.update({"encoding-type": "of-the-future", "encoding-version": "9"})
    check(read_source(path), visium)


def test_spots_names_hold_the_array_and_without_other_coordinates_the_places(section, tmp_path):
    bare = anndata.AnnData(section.X, section.obs[[]], section.var[[]])
    read = read_source(write_h5ad(bare, tmp_path / "s.h5ad"))
    check(read, section, coordinates=False)
    assert_same_neighbours(read, section, "Spatial Transcriptomics")


def test_names_of_bins_hold_the_array(visium, tmp_path):
    rows, columns = visium.obs[["array_row", "array_col"]].to_numpy().T
    visium.obs_names = [f"s_008um_{r:05d}_{c:05d}-1" for r, c in zip(rows, columns, strict=True)]
    expected = visium.copy()
    visium.obs = visium.obs[[]]
    check(read_source(write_h5ad(visium, tmp_path / "s.h5ad")), expected)


@pytest.mark.parametrize("technology", ["Visium", "hexagonal"])
def test_a_hexagonal_array_is_fitted_to_coordinates(technology, visium, tmp_path):
    visium.obsm["spatial"] += np.random.default_rng(0).normal(0, 5, visium.obsm["spatial"].shape)
    bare = anndata.AnnData(visium.X, visium.obs[[]], visium.var[[]], obsm={**visium.obsm})
    read = read_source(write_h5ad(bare, tmp_path / "s.h5ad"))
    assert "array_row" not in read.obs
    assert_same_neighbours(read, visium, technology, array=False)


@pytest.mark.parametrize("choice", [Choice("", "s2", ""), Choice("", "s2", "slide")])
def test_one_of_several_sections(choice, visium, tmp_path):
    path = write_h5ad(of_two(visium), tmp_path / "s.h5ad")
    read = read_source(path, choice=choice)
    assert list(read.obs_names) == [f"{name}_s2" for name in visium.obs_names]
    assert (visium.X[::-1] != read.X).nnz == 0
    np.testing.assert_allclose(read.obsm["spatial"], visium.obsm["spatial"])


@pytest.mark.parametrize(
    ("names", "library"),
    [(["a ", "b "], "b"), ([1, 2], "2"), ([1.0, 2.0], "2"), ([1.0, 2.0], "2.0")],
)
def test_a_section_is_named_as_a_sheet_has_it(names, library, visium, tmp_path):
    """Trimmed, as all cells of a sheet; whole numbers may have become real ones."""
    both = of_two(visium)
    both.obs["slide"] = np.repeat(names, visium.n_obs)
    del both.uns["spatial"]
    path = write_h5ad(both, tmp_path / "s.h5ad")
    read = read_source(path, choice=Choice("", library, "slide"))
    assert list(read.obs_names) == [f"{name}_s2" for name in visium.obs_names]
    with pytest.raises(InputError, match=r"has no section `3`\. Fix: .*there are"):
        read_source(path, choice=Choice("", "3", "slide"))


@pytest.mark.parametrize("library", ["2", "-2", "*-2"])
@pytest.mark.parametrize("kind", ["outs", "three files", "table", "h5ad"])
def test_one_of_several_sections_by_the_names_of_spots(kind, library, visium, tmp_path):
    """Output of `spaceranger aggr`: nothing but the number behind a barcode tells the sections."""
    both = anndata.concat([visium, visium], index_unique=None)
    both.X = sp.vstack([visium.X, visium.X[::-1]]).tocsr()
    both.obs_names = [*visium.obs_names, *(name[:-1] + "2" for name in visium.obs_names)]
    positions = None
    if kind == "h5ad":
        path = write_h5ad(both, tmp_path / "s.h5ad")
    elif kind == "table":
        path, positions = with_positions(dense(both), tmp_path, both)
    else:
        path = helpers.write_spaceranger(
            both, tmp_path / "outs", header=True, as_mtx=kind == "three files"
        )
    with pytest.raises(InputError, match=r"holds 2 sections.*`\*-1`, `\*-2`.* `library`"):
        read_source(path, positions=positions)
    read = read_source(path, positions=positions, choice=Choice(library=library))
    assert list(read.obs_names) == [name[:-1] + "2" for name in visium.obs_names]
    assert (visium.X[::-1] != read.X).nnz == 0
    np.testing.assert_allclose(read.obsm["spatial"], visium.obsm["spatial"])


def test_a_section_that_no_spots_name_has(visium, tmp_path):
    outs = helpers.write_spaceranger(visium, tmp_path / "outs", header=True)
    with pytest.raises(InputError, match=r"no spot's name has `2`.* Fix: correct `library`"):
        read_source(outs, choice=Choice(library="2"))


CHOICES = {
    "none of two": (Choice(), r"holds 2 sections \(s1, s2\).* Fix: name one of them as `library`"),
    "none of a column's": (Choice("", "", "slide"), r"holds 2 sections \(s1, s2\)"),
    "no such column": (Choice("", "s1", "slyde"), "no column `slyde`.*did you mean `slide`"),
    "no such section": (Choice("", "s3", "slide"), "no section `s3`. Fix: .*there are s1, s2"),
    "no such layer": (Choice("count", "s1", ""), "no layer `count`. Fix: correct `layer`"),
}


@pytest.mark.parametrize("make", CHOICES)
def test_a_choice_that_cannot_be_made(make, visium, tmp_path):
    choice, words = CHOICES[make]
    with pytest.raises(InputError, match=words):
        read_source(write_h5ad(of_two(visium), tmp_path / "s.h5ad"), choice=choice)


def test_a_format_of_one_section_has_no_choice(visium, tmp_path):
    outs = helpers.write_spaceranger(visium, tmp_path / "outs", header=True)
    with pytest.raises(InputError, match="`spaceranger` does not use `layer`"):
        read_source(outs, choice=Choice(layer="counts"))


# SpatialData


def spatialdata(section, path, *, shapes: bool, names=("s1",), both=False, systems=None):
    """A store with a table of one or more sections, and circles where the table has no places.

    With `both`, the table has places all the same; `systems` are transformations of the circles.
    """
    from spatialdata import SpatialData
    from spatialdata.models import ShapesModel, TableModel

    parts, regions = [], {}
    for number, name in enumerate(names):
        part = section.copy()
        part.X = part.X if number == 0 else part.X[::-1]
        part.obs["region"], part.obs["spot"] = pd.Categorical([name] * part.n_obs), range(40)
        if shapes:
            place = part.obsm["spatial"] if both else part.obsm.pop("spatial")
            index = np.arange(40)[::-1]  # shapes are in another order than the table
            regions[name] = ShapesModel.parse(
                place[::-1], geometry=0, radius=50, index=index, transformations=systems
            )
        parts.append(part)
    table = anndata.concat(parts, index_unique="_" if len(names) > 1 else None, keys=names)
    table.obs["region"] = pd.Categorical(table.obs["region"])
    keys = {"region_key": "region", "instance_key": "spot"}
    table = TableModel.parse(table, region=[*names], **keys)
    SpatialData(shapes=regions, tables={"table": table}).write(path)
    return path


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shapes", [False, True])
def test_a_spatialdata_store(shapes, visium, tmp_path):
    expected = visium.copy()
    read = read_source(spatialdata(visium, tmp_path / "s.zarr", shapes=shapes))
    assert read.uns["reader"] == "spatialdata"
    check(read, expected)


def systems_of(case):
    from spatialdata.transformations import Affine, Identity, Scale, Sequence, Translation

    scale, turn = Scale([2, 3], ("x", "y")), [[0, -1, 5], [1, 0, 7], [0, 0, 1]]
    quarter = Affine(turn, ("x", "y"), ("x", "y"))
    return {
        "global": {"global": scale},
        "global among others": {"s1": Identity(), "global": scale},
        "the only one": {"aligned": quarter},
        "one after another": {"global": Sequence([scale, Translation([10, 20], ("x", "y"))])},
        "axes in another order": {"global": Scale([3, 2], ("y", "x"))},
        "as Visium": {"s1_downscaled_hires": scale, "s1": Identity()},
        "neither": {"a": scale, "b": quarter},
    }[case]


MOVED = {
    "global": lambda x, y: (2 * x, 3 * y),
    "global among others": lambda x, y: (2 * x, 3 * y),
    "the only one": lambda x, y: (5 - y, 7 + x),
    "one after another": lambda x, y: (2 * x + 10, 3 * y + 20),
    "axes in another order": lambda x, y: (2 * x, 3 * y),
    "as Visium": lambda x, y: (x, y),
    "neither": lambda x, y: (x, y),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("both", [False, True], ids=["shapes alone", "places as well"])
@pytest.mark.parametrize("case", MOVED)
def test_coordinates_are_those_of_the_coordinate_system(case, both, visium, tmp_path, caplog):
    path = spatialdata(
        visium, tmp_path / "s.zarr", shapes=True, both=both, systems=systems_of(case)
    )
    with caplog.at_level("INFO"):
        read = read_source(path)
    expected = np.stack(MOVED[case](*visium.obsm["spatial"].T), axis=1)
    np.testing.assert_allclose(read.obsm["spatial"], expected)
    told = "of the system `aligned`" if case == "the only one" else "of the system `global`"
    assert (told in caplog.text) == (case not in ("as Visium", "neither"))


@pytest.mark.filterwarnings("ignore")
def test_places_of_a_table_that_are_not_its_shapes_own_stay(visium, tmp_path):
    moved = visium.obsm["spatial"] * [2, 3]
    path = spatialdata(
        visium, tmp_path / "s.zarr", shapes=True, both=True, systems=systems_of("global")
    )
    store = zarr.open_group(path / "tables/table", mode="r+")
    store["obsm/spatial"][:] = moved
    np.testing.assert_allclose(read_source(path).obsm["spatial"], moved)


@pytest.mark.filterwarnings("ignore")
def test_one_of_a_stores_sections(visium, tmp_path):
    expected = visium.copy()
    path = spatialdata(visium, tmp_path / "s.zarr", shapes=True, names=("s1", "s2"))
    with pytest.raises(InputError, match=r"holds 2 sections \(s1, s2\).* Fix: name one"):
        read_source(path)
    with pytest.raises(InputError, match=r"no section `s3`\. Fix: correct `library`"):
        read_source(path, choice=Choice(library="s3"))
    read = read_source(path, choice=Choice(library="s2"))
    assert (expected.X[::-1] != read.X).nnz == 0
    np.testing.assert_allclose(read.obsm["spatial"], expected.obsm["spatial"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("inside", ["", "tables/table"])
def test_an_anndata_in_zarr(inside, visium, tmp_path):
    path = tmp_path / "s.zarr"
    if inside:
        spatialdata(visium, path, shapes=False)
    else:
        visium.write_zarr(path)
    read = read_source(path / inside)
    assert read.uns["reader"] == "spatialdata"
    check(read, visium)


# Tables of counts


def dense(section):
    return pd.DataFrame(section.X.toarray(), section.obs_names, section.var_names)


def with_positions(frame, folder, section, name="c.tsv.gz", **options):
    sep = "," if ".csv" in name else "\t"
    content = frame.to_csv(sep=sep, **options)
    table(section).to_csv(folder / "p.csv", index=False)
    return helpers.write_bytes(folder / name, content.encode()), folder / "p.csv"


def with_text(frame, folder, section, before="", **options):
    path, positions = with_positions(frame, folder, section, "c.csv")
    path.write_text(before + frame.to_csv(**options))
    return path, positions


def ids_and_symbols(section, folder):
    frame = dense(section).T
    frame.insert(0, "gene_symbols", frame.index)
    frame.index = helpers.gene_ids(section)
    return with_positions(frame, folder, section)


def rs_table(section, folder):
    """R's `write.table`: the header lacks the column of row names."""
    path, positions = with_positions(dense(section).T, folder, section, "c.txt")
    path.write_text(path.read_text().removeprefix("\t"))
    return path, positions


def beside(frame, folder, section):
    """Two samples of a series in one folder, each with its table of coordinates."""
    for name, own in (("GSM1_a", section), ("GSM2_b", section[::2])):
        table(own).to_csv(folder / f"{name}_coordinates.csv", index=False)
    frame.to_csv(folder / "GSM1_a_counts.csv")
    return folder / "GSM1_a_counts.csv"


TABLES = {
    "spots x genes": lambda a, f: with_positions(dense(a), f, a),
    "genes x spots": lambda a, f: with_positions(dense(a).T, f, a),
    "genes x spots, csv": lambda a, f: with_positions(dense(a).T, f, a, "c.csv"),
    "genes x spots, R": rs_table,
    "quoted": lambda a, f: with_positions(dense(a).T, f, a, quoting=1),
    "between bars": lambda a, f: with_text(dense(a).T, f, a, sep="|"),
    "between semicolons": lambda a, f: with_text(dense(a), f, a, sep=";"),
    "coordinates beside it": lambda a, f: (beside(dense(a), f, a), None),
    "real numbers": lambda a, f: with_positions(dense(a).astype(float), f, a),
    "decimal commas": lambda a, f: with_text(dense(a).astype(float), f, a, sep=";", decimal=","),
    "a comment and an empty line first": lambda a, f: with_text(dense(a), f, a, "# of s1\n\n"),
    "annotation among the columns": lambda a, f: with_positions(
        dense(a).T.assign(Chr="chr1", Start=5, End=9, Length=4), f, a
    ),
    "numbered rows": lambda a, f: with_positions(dense(a).reset_index(names="barcode"), f, a),
    "coordinates among the columns": lambda a, f: (
        with_positions(dense(a).assign(x=a.obsm["spatial"][:, 0], y=a.obsm["spatial"][:, 1]), f, a)[
            0
        ],
        None,
    ),
}


@pytest.mark.parametrize("make", TABLES)
def test_a_table_of_counts(make, visium, tmp_path):
    path, positions = TABLES[make](visium, tmp_path)
    read = read_source(path, positions=positions)
    assert read.uns["reader"] == "table"
    assert list(read.obs_names) == list(visium.obs_names)
    assert list(read.var_names) == list(visium.var_names)
    assert (read.X != visium.X).nnz == 0
    np.testing.assert_allclose(read.obsm["spatial"], visium.obsm["spatial"])


def test_a_table_with_names_that_r_made(visium, tmp_path):
    """`AAAC.1` of `AAAC-1`; the position file has the barcodes as they are."""
    frame = dense(visium).T
    frame.columns = frame.columns.str.replace("-", ".")
    path, positions = with_positions(frame, tmp_path, visium)
    read = read_source(path, positions=positions)
    assert (read.X != visium.X).nnz == 0
    np.testing.assert_allclose(read.obsm["spatial"], visium.obsm["spatial"])


def test_a_table_with_ids_and_symbols(visium, tmp_path):
    path, positions = ids_and_symbols(visium, tmp_path)
    read = read_source(path, positions=positions)
    assert list(read.var["gene_symbols"]) == list(visium.var_names)
    assert (read.X != visium.X).nnz == 0


@pytest.mark.parametrize("sign", ["x", "_"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_table_whose_spots_are_named_by_their_places(turned, sign, section, tmp_path):
    section.obs_names = section.obs_names.str.replace("x", sign)
    frame = dense(section).T if turned else dense(section)
    frame.to_csv(tmp_path / "c.tsv", sep="\t")
    read = read_source(tmp_path / "c.tsv")
    check(read, section, coordinates=False)
    assert_same_neighbours(read, section, "Spatial Transcriptomics")


def test_the_numbers_of_cells_are_no_places(section, tmp_path):
    """`2_17`: cell 17 of field 2."""
    section.obs_names = [f"{n % 2 + 1}_{n // 2 + 1}" for n in range(section.n_obs)]
    dense(section).to_csv(tmp_path / "c.tsv", sep="\t")
    with pytest.raises(InputError, match="named as spots"):
        read_source(tmp_path / "c.tsv")


@pytest.mark.parametrize("turned", [False, True])
def test_a_table_that_says_what_its_rows_are(turned, section, tmp_path):
    """Spots named as no technology names them: refused, then read as the sheet says they are."""
    named = section.copy()
    named.obs_names = [f"roi {number}" for number in range(named.n_obs)]
    frame = dense(named)
    if turned:
        frame.T.to_csv(tmp_path / "c.csv")
        table(named).to_csv(tmp_path / "p.csv", index=False)
        positions, orientation = tmp_path / "p.csv", "genes_by_spots"
    else:
        frame["x"], frame["y"] = named.obsm["spatial"].T
        frame.to_csv(tmp_path / "c.csv")
        positions, orientation = None, "spots_by_genes"
        with pytest.raises(InputError, match=r"named as spots.* Fix: .*as `orientation`"):
            read_source(tmp_path / "c.csv")
    read = read_source(tmp_path / "c.csv", "auto", positions, Choice(orientation=orientation))
    np.testing.assert_array_equal(read[:, named.var_names].X.toarray(), named.X.toarray())
    np.testing.assert_allclose(read.obsm["spatial"], named.obsm["spatial"])


BAD_TABLES = {
    "a list": (
        lambda a: dense(a).stack().reset_index().to_csv(index=False),
        "one count a line.* Fix: give a table with a column for each gene or each spot",
    ),
    "a page of the web": (lambda a: "<html>\n", r"a web page, not a table\. Fix: fetch"),
    "a header alone": (lambda a: dense(a)[:0].to_csv(), "a header and no rows"),
    "no spots by name": (lambda a: dense(a).set_axis(range(40)).to_csv(), "named as spots"),
    "words among the counts": (
        lambda a: dense(a).to_csv().replace(",0,", ",none,", 1),
        "Fix: leave nothing but counts",
    ),
    "no column of counts": (lambda a: a.obs_names.to_series().to_csv(), "no column of counts"),
    "nothing": (lambda a: "", "is empty"),
    "normalised": (lambda a: np.log1p(dense(a)).to_csv(), "not integers.* raw counts"),
}


@pytest.mark.parametrize("make", BAD_TABLES)
def test_a_table_that_cannot_be_read(make, section, tmp_path):
    write, words = BAD_TABLES[make]
    (tmp_path / "c.csv").write_text(write(section))
    with pytest.raises(InputError, match=words):
        read_source(tmp_path / "c.csv")


@pytest.mark.parametrize("start", [b"PK\3\4\x14\0", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_a_workbook_that_is_named_as_a_table(start, visium, tmp_path):
    path = helpers.write_bytes(tmp_path / "c.csv", start + bytes(range(256)) * 8)
    words = r"c\.csv: is a workbook.*, not a table\. Fix: save it as text with tabs"
    for positions in (None, path):
        counts = helpers.write_tenx_h5(visium, tmp_path / "m.h5") if positions else path
        with pytest.raises(InputError, match=words):
            read_source(counts, positions=positions)


# Damage


def test_a_sound_file_is_not_called_truncated(visium, tmp_path):
    path = write_h5ad(visium, tmp_path / "s.h5ad")
    with h5py.File(path, "r+") as file:
        del file["var"]
    with pytest.raises(InputError) as caught:
        read_source(path)
    assert "truncated" not in str(caught.value) and "fetch" not in str(caught.value)


def test_a_file_named_gz_that_is_plain(visium, tmp_path):
    path = write_h5ad(visium, tmp_path / "s.h5ad")
    shutil.copy(path, tmp_path / "t.h5ad.gz")
    check(read_source(tmp_path / "t.h5ad.gz"), visium)


def test_a_gzipped_file_that_is_cut_short(visium, tmp_path):
    content = gzip.compress(write_h5ad(visium, tmp_path / "s.h5ad").read_bytes())
    (tmp_path / "t.h5ad.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"truncated .*Fix: fetch or make the file again"):
        read_source(tmp_path / "t.h5ad.gz")
