"""Snakemake killed in the middle of training and restarted: the result is the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from sagefm.common.io import read_table
from sagefm.networks.checkpoint import read_checkpoint
from support import small

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SAMPLES = [f"heart-{i}" for i in range(1, 6)]
MODEL = "results/kill/models/paper"
LOG = "results/kill/logs/pretrain/paper.log"
OUTPUTS = ["best.pt", "last.pt", "history.tsv", "training.json"]
EPOCHS = 150
CONFIG = {
    "run": "kill",
    "panel": "panel.txt",
    "cohorts": {"atlas": {"samples": "atlas.tsv"}},
    "models": {
        "paper": {
            "pretrain_on": ["atlas"],
            "widths": [32, 16, 16, 16, 32],
            "training": {"epochs": EPOCHS, "patience": EPOCHS, "learning_rate": 0.0005},
            "compute": {"device": "cpu", "save_seconds": 0},
        }
    },
}


def start(repo: Path, folder: Path, *targets: str) -> subprocess.Popen:
    """Snakemake as a user starts it, in a process group of its own."""
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--snakefile", repo / "Snakefile", "--directory", folder, "--cores", "1"]
    return subprocess.Popen(
        [*command, *targets],
        cwd=repo,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(repo: Path, folder: Path, *targets: str) -> str:
    """Run to the end; what was printed."""
    process = start(repo, folder, *targets)
    printed = process.communicate(timeout=300)[0]
    assert process.returncode == 0, printed
    return printed


@pytest.fixture(scope="module")
def prepared(repo, tmp_path_factory) -> Path:
    """A working directory with five real sections read and split; nothing is trained yet."""
    folder = tmp_path_factory.mktemp("kill") / "prepared"
    (folder / "config").mkdir(parents=True)
    (folder / "resources").symlink_to(repo / "resources")
    (folder / "config/config.yaml").write_text(yaml.safe_dump(CONFIG))
    (folder / "panel.txt").write_text("\n".join(small.patch(genes=600).var_names) + "\n")
    rows = ["sample\tsource\tpath_or_id\torgan\tpatient"]
    rows += [f"{s}\tlocal\tresources/demo/st/{s}.h5ad\tHeart\t" for s in SAMPLES]
    (folder / "atlas.tsv").write_text("\n".join(rows) + "\n")
    finish(repo, folder, f"{MODEL}/split.tsv", "results/kill/graphs/knn15/atlas")
    return folder


@pytest.fixture(scope="module")
def undisturbed(repo, prepared) -> Path:
    """The directory of a run that nobody killed."""
    folder = prepared.with_name("undisturbed")
    shutil.copytree(prepared, folder, symlinks=True)
    finish(repo, folder, f"{MODEL}/best.pt")
    return folder


def state_of(folder: Path) -> dict | None:
    """The progress saved so far."""
    found = list((folder / MODEL / "state").glob("*/state.pt"))
    return read_checkpoint(found[0])["progress"] if found else None


def wait_until_in_training(folder: Path, process: subprocess.Popen):
    deadline = time.monotonic() + 120
    while (state := state_of(folder)) is None or state["epoch"] < 5:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "training does not start"
        time.sleep(0.1)


def assert_same_results(one: Path, two: Path):
    for name in ("best.pt", "last.pt"):
        a, b = read_checkpoint(one / name), read_checkpoint(two / name)
        assert a["epoch"] == b["epoch"]
        assert a["best_val_loss"] == b["best_val_loss"]
        for key, weights in a["model_state_dict"].items():
            assert torch.equal(weights, b["model_state_dict"][key]), (name, key)
        for number, moments in a["optimizer_state_dict"]["state"].items():
            for key, value in moments.items():
                assert torch.equal(value, b["optimizer_state_dict"]["state"][number][key])
    tables = [read_table(folder / "history.tsv", dtype=str) for folder in (one, two)]
    for column in ("epoch", "train_loss", "validation_loss", "validation_mse", "learning_rate"):
        assert list(tables[0][column]) == list(tables[1][column])
    cost = {"seconds", "core_hours"}
    summaries = [json.loads((folder / "training.json").read_text()) for folder in (one, two)]
    assert {k: v for k, v in summaries[0].items() if k not in cost} == {
        k: v for k, v in summaries[1].items() if k not in cost
    }


def test_the_undisturbed_run_trained(undisturbed):
    history = read_table(undisturbed / MODEL / "history.tsv")
    assert list(history["epoch"]) == list(np.arange(EPOCHS) + 1)
    assert history["validation_mse"].min() < 0.7 * history["validation_mse"].iloc[0]
    assert not (undisturbed / MODEL / "state").exists()
    assert "resumed" not in (undisturbed / LOG).read_text()


# Who is signalled, with what; whether the lock stays behind; whether the training goes on alone.
CASES = {
    "snakemake alone killed": (os.kill, signal.SIGKILL, True, True),
    "all killed, as by a power cut": (os.killpg, signal.SIGKILL, True, False),
    "all terminated, as by a scheduler": (os.killpg, signal.SIGTERM, False, False),
    "all interrupted, as by Ctrl-C": (os.killpg, signal.SIGINT, False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_killed_and_started_again(repo, prepared, undisturbed, tmp_path, case):
    send, number, locked, orphan = CASES[case]
    folder = tmp_path / "run"
    shutil.copytree(prepared, folder, symlinks=True)
    process = start(repo, folder, f"{MODEL}/best.pt")
    try:
        wait_until_in_training(folder, process)
        send(process.pid, number)
        if not orphan:  # an orphan holds the pipe open
            process.communicate(timeout=120)
        process.wait(timeout=120)
        assert process.returncode != 0
        state = state_of(folder)
        assert 5 <= state["epoch"] < EPOCHS
        assert not [name for name in OUTPUTS if (folder / MODEL / name).exists()]

        if locked and not orphan:
            refused = start(repo, folder, f"{MODEL}/best.pt")
            assert "--unlock" in refused.communicate(timeout=120)[0]
            assert refused.returncode != 0
        if locked:
            finish(repo, folder, "--unlock")
        printed = finish(repo, folder, f"{MODEL}/best.pt")
    finally:
        # Whatever failed, leave nothing running: the group is this test's own.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    log = (folder / LOG).read_text() + printed
    assert "resumed at epoch" in log
    assert ("taking over" in log) == orphan
    resumed = int(log.split("resumed at epoch ")[1].split(",")[0])
    assert resumed >= state["epoch"]
    assert_same_results(folder / MODEL, undisturbed / MODEL)
    assert sorted(path.name for path in (folder / MODEL).iterdir()) == sorted(
        [*OUTPUTS, "split.tsv"]
    )
