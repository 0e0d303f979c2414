"""The comparison of representations: which are compared, on how many spots, and their rows."""

import sys
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pytest
import yaml

from bench import peers
from bench.measured import Measured
from sagefm.common.io import write_table
from sagefm.representations.methods import matrix
from sagefm.representations.registry import load_entry
from sagefm.sections.cohort import Cohort
from sagefm.sections.section import spot_positions
from support import small

FEW = {"components": 4, "n_top_genes": 50}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return [s.counts_path for s in small.write_sections(tmp_path_factory.mktemp("peers"))]


@pytest.fixture
def here(monkeypatch):
    """Work is done in this process, without an end; the limits that were set."""
    limits = []
    monkeypatch.setattr(peers.signal, "alarm", limits.append)
    monkeypatch.setattr(peers, "prepare_machine", lambda *_: None)
    monkeypatch.setattr(
        peers, "measured", lambda work, *given, threads: Measured(work(*given), 2.0, 0.5)
    )
    return limits


def test_all_compared_methods_and_models_are_contenders(repo):
    entries = yaml.safe_load((repo / "config/light.yaml").read_text())["representations"]
    found = dict(peers.contenders(entries["methods"], ""))
    roles = {name: load_entry(name, e).description.role for name, e in entries["methods"].items()}
    left_out = {name for name, role in roles.items() if role in ("control", "ceiling", "other")}
    assert left_out == {"random", "depth"}
    assert set(found) == (set(roles) - left_out) | {"sagefm-light", "sagefm-paper"}
    assert set(dict(peers.contenders({}, "python"))) - set(found) == {"novae"}


def test_a_cohort_is_tiled_until_it_has_the_spots(samples, tmp_path):
    links = peers.tiled(samples, 150, tmp_path)
    assert [path.stem for path in links] == ["heart-1-0", "heart-2-0", "heart-3-0", "heart-1-1"]
    assert sum(len(spot_positions(path)[0]) for path in links) == 160
    assert peers.tiled(samples, 120, tmp_path / "whole")[-1].stem == "heart-3-0"


def test_a_row_has_time_memory_and_disk(samples, here):
    work = partial(peers.by_method, "pca", FEW)
    row = peers.measure("pca", work, samples, 120, threads=1, limit=300)
    assert here == [300]
    assert row["detail"] == ""
    assert row["representation"] == "pca"
    assert 0 < row["seconds"] < 300
    assert (row["processor_seconds"], row["peak_gb"]) == (2.0, 0.5)
    assert row["bytes_per_spot"] > 4 * 4


NOVAE = """
import numpy as np

spatial_neighbors = lambda section, n_neighs, **_: section.uns.update(neighbours=n_neighs)

class Novae:
    def __init__(self, sections):
        assert all(section.uns["neighbours"] == 4 for section in sections)
        self.trained = 0

    def fit(self, **_):
        self.trained = 20

    def compute_representations(self, sections, zero_shot):
        for number, section in enumerate(sections):
            values = np.full((section.n_obs, 3), number + self.trained, float)
            values[0] = np.nan
            section.obsm["novae_latent"] = values
"""
"""Of Novae, what the script uses: spots have the number of their section, plus the epochs."""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A Python that has stand-ins of Novae and of what it is trained by."""
    (tmp_path / "novae.py").write_text(NOVAE)
    (tmp_path / "lightning.py").write_text("seed_everything = print")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return sys.executable


def test_novae_runs_in_an_environment_of_its_own(elsewhere, samples, tmp_path):
    peers.by_program(elsewhere, peers.BY_NOVAE, samples, tmp_path / "novae/out.h5ad")
    options = matrix.Options(str(tmp_path / "novae/out.h5ad"), "novae_latent")
    matrix.check(options, "test", ["heart-1", "heart-2", "heart-3"])
    found = matrix.represent(Cohort(tuple(samples[::-1])), options, 0)
    assert found[[0, 1, -1]].tolist() == [[0] * 3, [22] * 3, [20] * 3]


def test_a_program_that_fails_is_a_row_with_its_reason(here, samples, elsewhere):
    work = partial(peers.by_program, elsewhere, Path("missing.py"))
    row = peers.measure("novae", work, samples, 120, threads=1, limit=300)
    assert "missing.py failed: " in row["detail"] and "No such file" in row["detail"]
    work = partial(peers.by_program, "false", Path("silent.py"))
    row = peers.measure("novae", work, samples, 120, threads=1, limit=300)
    assert row["detail"] == "silent.py failed: exit status 1"


def test_what_cannot_be_computed_is_a_row_with_the_reason(samples, here):
    work = partial(peers.by_method, "mine", {"method": "missing"})
    row = peers.measure("mine", work, samples, 120, threads=1, limit=300)
    assert "missing" in row["detail"]
    assert "seconds" not in row


def test_what_takes_too_long_is_a_row_with_the_reason(samples, monkeypatch):
    def ended(*_, **__):
        raise BrokenProcessPool

    monkeypatch.setattr(peers, "measured", ended)
    row = peers.measure("mine", print, samples, 120, threads=1, limit=7)
    assert row["detail"] == "ended early: more than 7 s, or out of memory"


def test_rows_measured_again_replace_those_of_their_name_and_size(tmp_path):
    path = tmp_path / "peers.tsv"
    rows = [{"representation": name, "spots": 3, "seconds": 1.0} for name in ("pca", "mofa")]
    write_table(peers.merged(rows, path), path)
    again = [{"representation": "pca", "spots": n, "seconds": 2.0} for n in (3, 9)]
    found = peers.merged(again, path)
    assert [tuple(row) for row in found.to_numpy()] == [
        ("mofa", 3, 1.0), ("pca", 3, 2.0), ("pca", 9, 2.0),
    ]  # fmt: skip


def test_a_model_is_embedded_on_its_own_graph(samples, tmp_path, monkeypatch):
    from sagefm.representations.files import read_representation

    monkeypatch.setattr(peers, "read_panel", lambda _: [f"gene {i}" for i in range(120)])
    path = tmp_path / "representation.h5ad"
    peers.by_model("paper", small.WIDTHS, samples, path)
    assert read_representation(path).values.shape == (120, small.WIDTHS[-1])
