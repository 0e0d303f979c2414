"""Which files make up a section of each format (damaged files are tested with the readers)."""

import pytest
import scipy.sparse as sp

from sagefm.cohorts.formats.base import section_name
from sagefm.cohorts.formats.registry import (
    FORMATS,
    find_section,
    format_of,
    load_format,
    names,
    sheet_formats,
)
from sagefm.cohorts.ingest import ingest, section_files
from sagefm.cohorts.readers import read_source
from sagefm.common.code import code_files
from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema
from support import helpers


@pytest.fixture
def npz(tmp_path, monkeypatch):
    """A section in a format of the user's own, which is a file on the search path."""
    import numpy as np

    helpers.install_examples(tmp_path / "own")
    monkeypatch.setenv("SAGEFM_PATH", str(tmp_path / "own"))
    section = helpers.demo_section()
    parts = {
        "counts": section.X.toarray(),
        "pixels": section.obsm["spatial"],
        "barcodes": section.obs_names.to_numpy(str),
        "genes": section.var_names.to_numpy(str),
    }
    np.savez(tmp_path / "a.counts.npz", **parts)
    return tmp_path / "a.counts.npz"


def test_the_sheets_name_every_format_and_no_other():
    allowed = {*load_schema("samples")["properties"]["format"]["enum"]}
    known = {"h5ad", "hest", "mtx", "spaceranger", "spatialdata", "table", "tenx_h5"}
    assert allowed - {"", "auto"} == {*names()} == known


def test_a_format_is_added_by_one_file(npz):
    assert "npz" in load_schema("samples")["properties"]["format"]["enum"]
    section = helpers.demo_section()
    for fmt in ("auto", "npz"):
        read = read_source(npz, fmt)
        assert read.uns["reader"] == "npz"
        assert (section.X.astype("int32") != read.X).nnz == 0
        assert (read.obsm["spatial"] == section.obsm["spatial"]).all()
    row = {"sample": "s1", "path_or_id": str(npz)}
    assert section_files(npz, row) == [npz]
    sample = ingest(
        npz, row, list(section.var_names), helpers.QC, helpers.HARMONISE, image_pixels=9
    )
    assert sample.uns["provenance"]["reader"] == "npz"
    assert sp.issparse(sample.X)
    assert FORMATS.file("npz") == npz.parent / "own/cohorts/formats/npz.py"


def test_a_path_that_fits_two_formats_is_not_guessed(npz, monkeypatch):
    twin = npz.parent / "own/cohorts/formats/numpy_file.py"
    twin.write_text(twin.with_name("npz.py").read_text())
    with pytest.raises(InputError, match=r"fits the formats npz and numpy_file\. Fix: name one"):
        find_section(npz)
    assert find_section(npz, "npz") == ("npz", {"counts": npz})


@pytest.mark.parametrize(
    ("path", "fmt", "expected"),
    [
        ("hest/st/TENX1.h5ad", "hest", "hest"),
        ("hest/st/TENX1.h5ad", "", "h5ad"),
        ("geo/GSM1/GSM1_s1_filtered_feature_bc_matrix.h5", "auto", "tenx_h5"),
        ("geo/GSM1/GSM1_matrix.mtx.gz", "", "mtx"),
    ],
)
def test_the_format_of_a_file_is_known_before_it_is_fetched(path, fmt, expected):
    assert format_of(path, fmt) == expected


def row_of(sample, path, source="local", positions="", fmt=""):
    names = ("sample", "path_or_id", "source", "positions", "format")
    return dict(zip(names, (sample, str(path), source, str(positions), fmt), strict=True))


def formats_of(*rows):
    return sheet_formats(rows, lambda row: row["path_or_id"], "mine")


def test_a_sheet_whose_section_fits_no_format_is_told_which():
    good = row_of("s1", "a.h5ad", "url")
    assert formats_of(good) == {"s1": "h5ad"}
    with pytest.raises(InputError, match=r"cohort mine, sample s2: b.dat: is not a format"):
        formats_of(good, row_of("s2", "b.dat", "url"))


def test_what_a_sheets_section_lacks_is_told_before_anything_is_fetched_or_read(tmp_path):
    matrix = helpers.write_bytes(tmp_path / "m.h5", b"")
    for row in (row_of("s1", "GSM1/GSM1_s1_matrix.h5", "geo"), row_of("s1", matrix)):
        with pytest.raises(InputError, match=r"sample s1: .*no position file .*its `positions`"):
            formats_of(row)
    positions = helpers.write_bytes(tmp_path / "p.csv", b"")
    assert formats_of(row_of("s1", matrix, positions=positions)) == {"s1": "tenx_h5"}
    assert formats_of(row_of("s1", "GSM1/m.h5", "geo", "GSM1/p.csv")) == {"s1": "tenx_h5"}
    (tmp_path / "outs/spatial").mkdir(parents=True)
    with pytest.raises(InputError, match="has no filtered_feature_bc_matrix"):
        formats_of(row_of("s1", tmp_path / "outs"))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("SPA154.h5ad", "SPA154"),
        ("my.section.v2.h5ad.gz", "my.section.v2"),
        ("s1/outs", "s1"),
        ("s1/outs/filtered_feature_bc_matrix.h5", "s1"),
        ("s1/outs/filtered_feature_bc_matrix", "s1"),
        ("s.1/outs/binned_outputs/square_008um", "s.1"),
        ("GSM1_s1_filtered_feature_bc_matrix.h5", "GSM1_s1"),
        ("GSM1_s1_matrix.mtx.gz", "GSM1_s1"),
        ("donor.zarr", "donor"),
    ],
)
def test_a_section_is_called_as_its_file_or_its_own_folder(tmp_path, path, name):
    path = tmp_path / path
    if not path.suffix or path.suffix == ".1":
        path.mkdir(parents=True)
    assert section_name(path) == name


def test_a_link_names_its_section(tmp_path):
    store = helpers.write_bytes(tmp_path / "store/9f2c", b"")
    (tmp_path / "s1.h5ad").symlink_to(store)
    assert section_name(tmp_path / "s1.h5ad") == "s1"


def test_a_samples_code_is_that_of_its_format_alone():
    def formats(name):
        return {
            file.name for file in code_files(FORMATS.file(name)) if file.parent.name == "formats"
        }

    assert formats("h5ad") == {"anndata_group.py", "base.py", "h5ad.py"}
    assert formats("spaceranger") == {"base.py", "mtx.py", "spaceranger.py", "tenx_h5.py"}


def test_every_format_has_help_and_an_example_that_a_sheet_may_have():
    columns = set(load_schema("samples")["properties"])
    for name in names():
        one = load_format(name)
        assert one.HELP and one.POSITIONS
        assert one.EXAMPLES
        for row in one.EXAMPLES.values():
            assert set(row) <= columns and "path_or_id" in row
            assert {*row} & {"layer", "library", "library_key", "orientation"} <= {*one.CHOICES}
            path = row["path_or_id"]  # found out where the name alone shows it
            if "." in path and "source" not in row:
                assert format_of(path, "") == name


def test_find_section_opens_nothing_and_names_every_file(tmp_path):
    for name in (
        "filtered_feature_bc_matrix.h5",
        "filtered_feature_bc_matrix/matrix.mtx.gz",
        "spatial/tissue_positions.csv",
        "spatial/tissue_positions_list.csv",
    ):
        helpers.write_bytes(tmp_path / "outs" / name, b"")
    assert find_section(tmp_path / "outs") == (
        "spaceranger",
        {
            "counts": tmp_path / "outs/filtered_feature_bc_matrix.h5",
            "positions": tmp_path / "outs/spatial/tissue_positions.csv",
        },
    )
