"""The images of README and docs: their size, and the message if one cannot be made."""

import pytest
from PIL import Image

from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table
from sagefm.plotting.style import table_checksum
from sagefm.report import gallery
from sagefm.report.cost_figure import committed_costs
from sagefm.report.findings import COSTS, GROWTH, STUDY
from sagefm.report.study import TABLE
from support.annotated import tables_like


def test_no_image_is_taller_than_wide_or_slow_to_load(repo):
    images = sorted((repo / "resources/figures").glob("*.png"))
    assert {*gallery.WINDOWS, "demo_pathology.png", "gallery_clustering.png"} <= {
        path.name for path in images
    }
    for path in images:
        with Image.open(path) as picture:
            assert picture.height <= picture.width, path.name
        assert path.stat().st_size < 400_000, path.name


def test_a_picture_keeps_its_shape():
    small = gallery.fitted(Image.new("RGBA", (2000, 1000), "white"))
    assert small.size == (gallery.WIDTH, gallery.WIDTH // 2)


def test_models_have_their_names_for_readers(repo, tmp_path, monkeypatch):
    monkeypatch.chdir(repo)
    tables = tables_like()
    for name in ("scores", "patients", "skipped"):
        write_table(tables[name], tmp_path / f"tasks/{gallery.TASK}/{name}.tsv")
    (tmp_path / "config.yaml").write_text("models: {m: {title: SAGE-FM here}}")
    figure = gallery.draw_scores(tmp_path, tmp_path / "config.yaml")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "SAGE-FM here †" in names and not any("model m" in name for name in names)


def test_a_page_that_is_missing_and_a_missing_browser_are_said(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"index.html: no such file\. Fix: name the folder"):
        gallery.photograph(tmp_path / "index.html", (100, 100))
    (tmp_path / "index.html").write_text("<p>")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(InputError, match=r"Chromium is not installed\. Fix: run `apt-get"):
        gallery.photograph(tmp_path / "index.html", (100, 100))


def test_figures_of_committed_tables_are_up_to_date(repo):
    results = repo / "docs/results"
    tables = {
        COSTS: committed_costs(results),
        GROWTH: read_table(results / "bench/growth.tsv"),
        STUDY: read_table(results / "study" / TABLE),
    }
    for name, table in tables.items():
        with Image.open(repo / "resources/figures" / name) as picture:
            assert picture.text["Table"] == table_checksum(table), f"{name}: run `make findings`"
