"""Files are written completely or not at all, and equal content gives equal bytes."""

import errno
import gzip
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.io import atomic, read_table, sha256, temporary_of, write_table
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.sections.section import Section, read_counts, spot_positions
from support import small

TABLE = pd.DataFrame({"gene": ["NA1", "TBCE", "x y"], "mean": [0.1, np.nan, 1e-17], "n": [1, 2, 3]})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_atomic_writes_into_a_new_folder_and_keeps_the_suffix(tmp_path):
    with atomic(tmp_path / "a/b/c.tsv.gz") as temporary:
        assert temporary.parent == tmp_path / "a/b"
        assert temporary.name.endswith("c.tsv.gz")
        temporary.write_text("whole")
        assert not (tmp_path / "a/b/c.tsv.gz").exists()
    assert (tmp_path / "a/b/c.tsv.gz").read_text() == "whole"
    assert names(tmp_path / "a/b") == ["c.tsv.gz"]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt(), OSError("other")])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(error)) as raised, atomic(path) as temporary:
        temporary.write_text("half")
        raise error
    assert raised.value is error
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_what_a_killed_process_left_goes_with_the_next_attempt(tmp_path):
    path = tmp_path / "a.txt"
    program = "import os, sys; from sagefm.common.io import atomic\n"
    program += "with atomic(sys.argv[1]) as temporary:"
    program += "\n temporary.write_text('half'); os.kill(os.getpid(), 9)"
    killed = subprocess.run(
        [sys.executable, "-c", program, path], env={"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert killed.returncode == -9
    (half,) = names(tmp_path)
    assert half.startswith(".tmp")
    others = half.replace(".a.txt", ".b.a.txt"), re.sub(r"\d+\.a", f"{os.getppid()}.a", half)
    for name in others:  # another file's, and a process's that is still there
        (tmp_path / name).touch()
    with atomic(path) as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == sorted([*others, "a.txt"])


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_its_remedy(tmp_path, number):
    words = r"a\.txt: no space left on the disk. Fix: free some space, or move"
    with pytest.raises(InputError, match=words), atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise OSError(number, os.strerror(number))
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_place_that_cannot_be_written_is_named_as_the_user_named_it(tmp_path, number):
    path = tmp_path / "a.txt"
    words = rf"^{re.escape(str(path))}: cannot be written \({os.strerror(number)}\)\. Fix: choose"
    with pytest.raises(InputError, match=words), atomic(path) as temporary:
        raise OSError(number, os.strerror(number), str(temporary))
    with pytest.raises(InputError, match=words), atomic(path) as temporary:  # as h5py words it
        raise OSError(number, f"Unable to create file (name = '{temporary}')")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_file(tmp_path, monkeypatch):
    def refused(folder, **_):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "mkdir", refused)
    words = r"b/a\.txt: cannot be written"
    with pytest.raises(InputError, match=words), atomic(tmp_path / "b/a.txt"):
        pytest.fail("there is no folder")


def test_an_input_that_cannot_be_read_is_not_taken_for_the_output(tmp_path):
    denied = PermissionError(errno.EACCES, "Permission denied", "/data/input.h5ad")
    with pytest.raises(PermissionError) as raised, atomic(tmp_path / "a.txt"):
        raise denied
    assert raised.value is denied


WRITERS = {
    "table.tsv": lambda path: write_table(TABLE, path),
    "table.tsv.gz": lambda path: write_table(TABLE, path),
    "graph.npz": lambda path: save_graph(build_graph(np.eye(2), "star"), path),
    "section.h5ad": lambda path: write_h5ad(small.patch(), path),
    "state.pt": lambda path: save_checkpoint(path, torch.nn.Linear(400_000, 1)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_survives_a_real_full_disk(tmp_path, name):
    """/dev/full refuses every write as a full disk does; the temporary name leads there."""
    path = tmp_path / name
    WRITERS[name](path)
    before = path.read_bytes()
    temporary_of(tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(InputError, match=f"{name}: no space left on the disk"):
        WRITERS[name](path)
    assert path.read_bytes() == before
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_tables_are_equal_byte_for_byte(tmp_path, name, monkeypatch):
    write_table(TABLE, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)  # gzip would write the time down
    write_table(TABLE, tmp_path / "other" / name)
    assert (tmp_path / "other" / name).read_bytes() == first
    text = gzip.decompress(first) if name.endswith("gz") else first
    assert text == b"gene\tmean\tn\nNA1\t0.1\t1\nTBCE\tNA\t2\nx y\t1e-17\t3\n"


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz"])
def test_tables_come_back(tmp_path, name):
    write_table(TABLE, tmp_path / name)
    pd.testing.assert_frame_equal(read_table(tmp_path / name), TABLE)


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_only_na_and_the_empty_cell_are_missing(tmp_path, name):
    text = "gene\tx\nnull\tNA\nnan\t\nNone\tnull\n"
    (tmp_path / name).write_text(text if name == "a.tsv" else text.replace("\t", ","))
    table = read_table(tmp_path / name)
    assert list(table["gene"]) == ["null", "nan", "None"]
    assert list(table["x"].isna()) == [True, True, False]


def test_names_that_look_like_numbers_stay_names(tmp_path):
    table = pd.DataFrame({"sample": ["001", "1e5", None], "n": [1, 2, 3], "label": ["1", "2", "3"]})
    write_table(table, tmp_path / "a.tsv")
    found = read_table(tmp_path / "a.tsv")
    assert [*found["sample"][:2]] == ["001", "1e5"] and found["sample"].isna()[2]
    assert [*found["label"]] == ["1", "2", "3"] and [*found["n"]] == [1, 2, 3]
    assert read_table(tmp_path / "a.tsv", dtype={"n": float})["sample"][0] == "001"


def test_a_section_comes_back_and_is_small(tmp_path):
    section = small.patch(spots=90, genes=8000)
    section.uns["provenance"] = {"sample": "heart-1", "spots_kept": 90, "share": 0.5}
    section.obs["label"] = "x"
    write_h5ad(section, tmp_path / "a.h5ad")
    again = read_h5ad(tmp_path / "a.h5ad")
    assert (again.X != section.X).nnz == 0
    assert again.X.dtype == np.int32
    pd.testing.assert_frame_equal(
        again.obs, section.obs, check_categorical=False, check_dtype=False
    )
    np.testing.assert_array_equal(again.obsm["spatial"], section.obsm["spatial"])
    assert dict(again.uns["provenance"]) == section.uns["provenance"]
    section.write_h5ad(tmp_path / "plain.h5ad")
    assert (tmp_path / "a.h5ad").stat().st_size < 0.5 * (tmp_path / "plain.h5ad").stat().st_size


def test_counts_without_the_rest(tmp_path):
    section = small.patch()
    write_h5ad(section, tmp_path / "a.h5ad")
    counts = read_counts(tmp_path / "a.h5ad")
    assert counts.dtype == section.X.dtype
    assert (counts != section.X).nnz == 0


def test_positions_without_the_counts(tmp_path):
    section = small.patch()
    write_h5ad(section, tmp_path / "a.h5ad")
    coordinates, array = spot_positions(tmp_path / "a.h5ad")
    np.testing.assert_array_equal(coordinates, section.obsm["spatial"])
    np.testing.assert_array_equal(array, section.obs[["array_row", "array_col"]])
    bare = anndata.AnnData(section.X, obsm={"spatial": section.obsm["spatial"]})
    write_h5ad(bare, tmp_path / "b.h5ad")
    assert spot_positions(tmp_path / "b.h5ad")[1] is None


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_an_unreadable_section_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "a.h5ad").write_bytes(content)
    for read in (read_h5ad, read_counts, spot_positions, spots_by_header):
        with pytest.raises(
            InputError, match=r"a\.h5ad: cannot be read as h5ad .*. Fix: remove it and run again"
        ):
            read(tmp_path / "a.h5ad")


def spots_by_header(path):
    return Section("c", "a", path, path.with_suffix(".npz")).n_spots()


def test_hdf5_that_is_no_section_is_told(tmp_path):
    h5py.File(tmp_path / "a.h5ad", "w").close()
    for read in (read_counts, spot_positions, spots_by_header):
        with pytest.raises(
            InputError, match=r"a\.h5ad: cannot be read as h5ad .*. Fix: remove it and run again"
        ):
            read(tmp_path / "a.h5ad")


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert sha256(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
