"""The checksum of a file depends on its content, not on its time or place."""

import os
import shutil

import pytest

from sagefm.common import contents
from sagefm.common.contents import content_state


def test_time_and_place_do_not_matter(tmp_path):
    (tmp_path / "a.tsv").write_text("gene\nTP53\n")
    before = content_state(tmp_path / "a.tsv")
    os.utime(tmp_path / "a.tsv", (1, 1))
    assert content_state(tmp_path / "a.tsv") == before
    (tmp_path / "deep").mkdir()
    assert content_state((tmp_path / "a.tsv").rename(tmp_path / "deep/b.tsv")) == before


def test_an_edit_in_place_counts(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("gene\nTP53\n")
    before = content_state(path)
    path.write_text("gene\nTP63\n")
    os.utime(path, (1, 1))  # older than all that was made of it
    assert content_state(path) != before


@pytest.mark.parametrize("at", [0, 50_000, -1])
def test_a_large_file_is_read_in_parts(tmp_path, monkeypatch, at):
    monkeypatch.setattr(contents, "WHOLE", 1000)
    path, content = tmp_path / "large", bytearray(100_000)
    path.write_bytes(content)
    before = content_state(path)
    content[at] = 1
    path.write_bytes(content)
    assert content_state(path) != before
    path.write_bytes(content + b"\0")
    larger = content_state(path)
    path.write_bytes(content)
    assert content_state(path) != larger


def test_a_large_file_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "WHOLE", 1000)
    monkeypatch.setattr(contents, "BLOCK", 10)
    path = tmp_path / "large"
    path.write_bytes(bytes(100_000))
    before = content_state(path)
    path.write_bytes(bytes(50) + b"\1" + bytes(99_949))
    assert content_state(path) == before


def test_a_folder_counts_by_its_files(tmp_path):
    outs = tmp_path / "outs"
    (outs / "spatial").mkdir(parents=True)
    (outs / "counts.h5").write_text("counts")
    (outs / "spatial/positions.csv").write_text("0,0")
    before = content_state(outs)
    copy = shutil.copytree(outs, tmp_path / "copy")
    assert content_state(copy) == before
    (copy / "spatial/positions.csv").write_text("0,1")
    changed = content_state(copy)
    (copy / "spatial/more.csv").write_text("0,1")
    assert len({before, changed, content_state(copy)}) == 3


def test_what_is_missing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        content_state(tmp_path / "gone")
