"""Disk space of stages follows from sheets and config; constants hold on the bundled sections."""

import re
import shutil
from pathlib import Path

import h5py
import pandas as pd
import pytest
import yaml

from sagefm.common.h5ad import write_h5ad
from sagefm.config.run import Run
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.config.sheets import read_samples
from sagefm.networks.base import build_network
from sagefm.networks.registry import names
from sagefm.preflight import disk
from sagefm.preflight.disk import Need, checkpoint_bytes, disk_checks, stage_needs
from support import small

PAPER_WIDTHS = [1024, 512, 512, 512, 1024]


@pytest.mark.parametrize("widths", [(8,), (8, 4, 6)])
@pytest.mark.parametrize("network", names())
def test_a_checkpoint_takes_what_its_network_holds(network, widths):
    built = build_network(network, 50, widths)
    trained = [one.numel() for one in built.parameters() if one.dim() == 2]
    fixed = [one.numel() for one in built.buffers()]
    expected = disk.PARAMETER_BYTES * sum(trained) + disk.FIXED_BYTES * sum(fixed)
    assert checkpoint_bytes({"network": network, "widths": widths}, 50) == expected


def test_a_released_checkpoint_takes_what_it_is_known_to_take():
    size = checkpoint_bytes({"network": "gcn", "widths": PAPER_WIDTHS}, 14_558)
    assert size == pytest.approx(376_893_782, rel=0.01)


def test_shares_of_detected_genes_are_those_of_the_bundled_sections(repo):
    stored = entries = 0
    for path in (repo / "resources/demo/st").glob("*.h5ad"):
        with h5py.File(path) as file:
            stored += len(file["X/data"])
            entries += int(file["X"].attrs["shape"].prod())
    assert stored / entries == pytest.approx(disk.DETECTED, rel=0.02)
    assert pytest.approx(disk.DETECTED, rel=0.1) == disk.PANEL_DETECTED


def test_a_count_of_a_harmonised_sample_takes_as_many_bytes(tmp_path):
    sample = small.patch("SPA147", spots=270, genes=12_000)
    write_h5ad(sample, tmp_path / "sample.h5ad")
    size = (tmp_path / "sample.h5ad").stat().st_size
    # More in a section as small as this, where the names of the genes weigh.
    assert 1 < size / sample.X.nnz / disk.SAMPLE_BYTES < 1.5


@pytest.fixture
def config(repo) -> dict:
    config = yaml.safe_load((repo / "config/config.yaml").read_text())
    set_defaults(config, load_schema("config"))
    for part in ("representations", "recovery"):
        config[part]["cohorts"] = ["breast"]  # of the two sheets that are made here
    return config


def sheet(spots: list[str], source: str = "hest"):
    rows = {"expected_spots": spots, "expected_genes": "20000", "source": source}
    return pd.DataFrame({**rows, "organ": ["Eye", "Skin"][: len(spots)]})


def sizes(config: dict, **changes) -> dict[str, int]:
    sheets = {"atlas": sheet(["1000", "2000"]), "breast": sheet(["500"]), **changes}
    needs = stage_needs(Run(config, sheets), 14_558)
    return {need.stage: need.size for need in needs}


def test_stages_grow_with_what_the_sheets_say(config):
    before = sizes(config)
    assert [*before] == ["downloads", "samples", "graphs", "checkpoints", "results"]
    more = sizes(config, atlas=sheet(["1000", "9000"]))
    assert {name for name in before if more[name] > before[name]} == {*before} - {"checkpoints"}
    assert more["samples"] / before["samples"] == pytest.approx(10_500 / 3_500)
    unknown = sizes(config, breast=sheet([""]))
    assert unknown["graphs"] / before["graphs"] == pytest.approx((3000 + 4992) / 3500, rel=1e-3)
    local = {name: sheet(["1000"], "local") for name in ("atlas", "breast")}
    assert sizes(config, **local)["downloads"] == 0


def test_a_cohort_that_is_only_imputed_takes_its_part(config):
    before = sizes(config)
    config["imputation"]["cohorts"] = [*config["imputation"]["cohorts"], "big"]
    after = sizes(config, big=sheet(["10000"]))
    assert after["results"] - before["results"] == 10_000 * disk.TABLE_BYTES
    assert after["samples"] > before["samples"]


def test_a_cohort_that_is_only_classified_is_embedded_by_the_models_of_the_task(config):
    before = sizes(config)["results"]
    config["tasks"]["tumour"]["representations"] = ["pca", "sagefm-paper"]
    config["tasks"]["tumour"]["predict"] = ["big"]
    embedded = 4 * 1024 + disk.REPRESENTED_BYTES
    after = sizes(config, big=sheet(["10000"]))["results"]
    assert after - before == 10_000 * (embedded + disk.TABLE_BYTES)


def test_of_what_a_model_was_trained_on_the_test_part_is_judged(config):
    config["screen"] = {"cohorts": [], "models": [], "context": "all"}
    before = sizes(config)["results"]
    config["recovery"]["cohorts"] = ["big"]
    untrained = sizes(config, big=sheet(["10000"]))["results"] - before
    assert untrained == 10_000 * disk.TABLE_BYTES
    config["models"]["paper"]["pretrain_on"].append("big")
    trained = sizes(config, big=sheet(["10000"]))["results"] - before
    assert trained == pytest.approx(untrained * config["split"]["test"])


def test_a_screen_counts_by_its_contexts(config):
    config["screen"] = {"cohorts": ["atlas"], "models": [], "context": "all"}
    once = sizes(config)["results"]
    config["screen"]["context"] = "organ"
    config["screen"]["models"] = ["paper", "strict"]
    screen = 14_558 * (14_558 * disk.SCREEN_BYTES + 2 * 4 * 1024)
    assert sizes(config)["results"] - once == pytest.approx(3 * screen, rel=1e-3)


def free(monkeypatch, size: int):
    usage = shutil._ntuple_diskusage(total=2 * size, used=size, free=size)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: usage)


def test_stages_of_one_disk_are_added_up(tmp_path, monkeypatch):
    needs = [
        Need("downloads", str(tmp_path / "data/hest"), 600),
        Need("results", str(tmp_path / "results"), 500),
    ]
    free(monkeypatch, 1000)
    *stages, total = disk_checks(needs)
    assert [check.verdict for check in stages] == ["ok", "ok"]
    assert total.verdict == "fix this" and "1.1 kB will be taken" in total.found
    assert "move `results` or `downloads`" in total.remedy and str(tmp_path) in total.what
    # What has been fetched already is not needed again.
    (tmp_path / "data/hest").mkdir(parents=True)
    (tmp_path / "data/hest/file").write_bytes(bytes(200))
    assert disk_checks(needs)[-1].verdict == "ok"


def test_a_folder_that_is_not_there_lies_on_the_disk_above_it(tmp_path):
    *_, total = disk_checks([Need("samples", str(tmp_path / "a/b/c"), 1)])
    assert total.what == f"disk, free at {tmp_path}"
    assert total.verdict == "ok"
    assert not Path(tmp_path / "a").exists()


def test_the_page_on_the_paper_has_the_sizes_that_are_predicted(repo, monkeypatch):
    monkeypatch.chdir(repo)
    config = yaml.safe_load((repo / "config/paper.yaml").read_text())
    set_defaults(config, load_schema("config"))
    sheets = {name: read_samples(own["samples"], name) for name, own in config["cohorts"].items()}
    text = (repo / "docs/paper.md").read_text()
    for need in stage_needs(Run(config, sheets), 14_558):
        (words,) = re.findall(rf"^\| {need.stage} \|.*\| ([\d.]+) GB", text, re.M)
        assert f"{need.size / 1e9:.2g}" == words, need.stage
