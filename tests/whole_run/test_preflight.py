"""The preflight under Snakemake: first in a run that downloads, with a separate GPU job."""

import copy
from pathlib import Path

import pytest

from bench.stand_in_answers import TOKEN
from bench.stand_ins import serving
from sagefm.common.io import read_table
from support import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHECKS, GPU = (f"results/small/preflight/{name}.tsv" for name in ("checks", "gpu"))


@pytest.fixture
def folder(tmp_path) -> Path:
    return runs.prepare(tmp_path / "run")


def test_a_machine_that_has_what_it_takes(folder):
    done = runs.snakemake(folder, "preflight")
    assert done.returncode == 0, done.stdout
    assert set(runs.jobs(done.stdout)) == {"preflight", "preflight_checks", "total"}
    table = read_table(folder / CHECKS)
    assert (table["verdict"] == "ok").all()
    stages = [f"disk, {s}" for s in ("downloads", "samples", "graphs", "checkpoints", "results")]
    assert {"packages", *stages} < set(table["check"])
    assert not (folder / GPU).exists()  # no model asks for one
    for line in table["check"]:
        assert line in done.stdout  # shown where the user is looking
    # A run that neither downloads nor asks for a GPU does without.
    done = runs.snakemake(folder, "--dry-run")
    assert not {name for name in runs.jobs(done.stdout) if name.startswith("preflight")}


def test_nothing_is_fetched_where_it_would_fail(folder):
    config = copy.deepcopy(runs.CONFIG)
    gone = {"url": "http://127.0.0.1:9/release.pt", "sha256": "0" * 64}
    config["models"]["release"]["released"] = gone
    runs.write_config(folder, config)
    target = "results/small/models/release/best.pt"
    done = runs.snakemake(folder, target)
    assert done.returncode != 0
    assert not (folder / target).exists() and not list((folder / "data").rglob("*.log"))
    for words in (
        "fix this  host 127.0.0.1:9",
        "does not answer (ConnectionRefusedError)",
        "checks found a problem (host 127.0.0.1:9). Fix: correct each",
    ):
        assert words in done.stdout, done.stdout
    assert "Traceback" not in done.stdout


def test_a_gpu_that_is_not_there_is_told_by_a_job_of_its_own(folder, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    config = copy.deepcopy(runs.CONFIG)
    config["models"]["paper"]["compute"]["gpus"] = 1
    runs.write_config(folder, config)
    done = runs.snakemake(folder, "preflight")
    assert done.returncode != 0
    assert "fix this  GPU" in done.stdout and "checks found a problem (GPU)" in done.stdout
    assert (folder / CHECKS).exists() and not (folder / GPU).exists()
    assert "Traceback" not in done.stdout
    planned = runs.jobs(runs.snakemake(folder, "--dry-run").stdout)
    assert planned["preflight_gpu"] == 1


def test_several_nodes_without_slurm_are_told_before_any_job(folder, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    config = copy.deepcopy(runs.CONFIG)
    config["models"]["paper"]["compute"] = {"nodes": 2}
    config["models"]["paper"]["training"]["devices"] = 2
    runs.write_config(folder, config)
    done = runs.snakemake(folder, "results/small/models/paper/best.pt")
    assert done.returncode != 0
    assert "model `paper` asks for several nodes (`compute.nodes`), but this is not" in done.stdout
    assert "Traceback" not in done.stdout and not (folder / "results/small/logs/ingest").exists()


def test_it_comes_before_downloads_and_makes_none_of_them_out_of_date(folder, monkeypatch):
    names = [*runs.SAMPLES["breast"]]
    rows = [runs.row(name, name, source="hest") for name in names]
    runs.write_sheet(folder / "breast.tsv", rows)
    samples = [f"results/{{run}}/samples/breast/{name}.h5ad" for name in names]

    def start(run: str, *arguments: str):
        wanted = [path.format(run=run) for path in samples]
        done = runs.snakemake(folder, *wanted, *arguments, "--config", f"run={run}")
        return done, runs.jobs(done.stdout)

    with serving() as services:
        for name, value in services.environment().items():
            monkeypatch.setenv(name, value)
        for name in names:
            path = runs.REPO / f"resources/demo/st/{name}.h5ad"
            services.files["hub", f"st/{name}.h5ad"] = path.read_bytes()
        monkeypatch.setenv("HF_TOKEN", "hf_ofAnAccountWithoutAccess")
        done, _ = start("one")
        assert done.returncode != 0
        assert "access" in done.stdout and "found a problem" in done.stdout
        assert not services.paths("/resolve/")  # nothing was fetched
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        done, jobs = start("one")
        assert done.returncode == 0, done.stdout
        assert jobs["fetch"] == jobs["ingest"] == 2
        assert "the token is accepted" in done.stdout
    # The services are gone, and nothing is missing: another run asks nobody, fetches nothing.
    done, jobs = start("two")
    assert done.returncode == 0, done.stdout
    assert "fetch" not in jobs and jobs["ingest"] == 2, done.stdout
    assert "Nothing to be done" in start("one")[0].stdout
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and folder / "workflow" not in path.parents:
            assert TOKEN.encode() not in path.read_bytes(), path
