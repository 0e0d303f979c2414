"""A sample's key depends only on what determines its content; links survive a move."""

import shutil

import pytest

from sagefm.cohorts.shared import content_key, link_shared

ROW = {"cohort": "atlas", "sample": "s1", "path_or_id": "a.h5ad", "positions": float("nan")}
SETTINGS = {"qc": {"min_counts": 1, "in_tissue": True}}


@pytest.fixture
def key(tmp_path):
    """`content_key` of a section and of code, any part of which a test may change."""
    for name in ("section", "positions"):
        (tmp_path / name).write_text(name)

    def call(row=ROW, files=("section",), settings=SETTINGS, code="0a1b"):
        return content_key(row, [tmp_path / f for f in files], settings, code)

    return call


CHANGES = {
    "another column of the row": {"row": {**ROW, "format": "h5ad"}},
    "another cohort": {"row": {**ROW, "cohort": "breast"}},
    "another path": {"row": {**ROW, "path_or_id": "b.h5ad"}},
    "one more file": {"files": ("section", "positions")},
    "another setting": {"settings": {"qc": {"min_counts": 2, "in_tissue": True}}},
    "other code": {"code": "0a1c"},
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_makes_a_sample_changes_its_key(key, case):
    assert key(**CHANGES[case]) != key()


def test_so_does_the_content_of_a_file(key, tmp_path):
    before = key()
    (tmp_path / "section").write_text("changed")
    assert key() != before


def test_nothing_else_does(key, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tmp_path / "section", elsewhere)
    assert key(files=("elsewhere/section",)) == key()
    assert key(row={**ROW, "positions": ""}) == key()
    assert key(row=dict(reversed(ROW.items()))) == key()
    assert key(settings={"qc": {"in_tissue": True, "min_counts": 1}}) == key()


def test_a_link_moves_with_what_it_points_to(tmp_path):
    shared = tmp_path / "results/_shared/samples/key.h5ad"
    shared.parent.mkdir(parents=True)
    shared.write_text("sample")
    link = tmp_path / "results/run/samples/atlas/s1.h5ad"
    link_shared(shared, link)
    link_shared(shared, link)  # over the one that is there
    assert [path.name for path in link.parent.iterdir()] == ["s1.h5ad"]
    moved = (tmp_path / "results").rename(tmp_path / "moved") / "run/samples/atlas/s1.h5ad"
    assert moved.is_symlink() and moved.read_text() == "sample"


def test_a_run_on_another_disk_still_reaches_it(tmp_path):
    shared = tmp_path / "results/_shared/key.h5ad"
    shared.parent.mkdir(parents=True)
    shared.write_text("sample")
    scratch = tmp_path / "deep/scratch/run"
    scratch.mkdir(parents=True)
    (tmp_path / "results/run").symlink_to(scratch)
    link_shared(shared, tmp_path / "results/run/s1.h5ad")
    assert (tmp_path / "results/run/s1.h5ad").read_text() == "sample"
