"""The workflow on a real SLURM, through profiles/slurm: a small run, and jobs that are ended.

`make cluster-test` installs what is needed. The cluster is this machine (workflow/bench/slurm.py).
"""

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from bench import slurm
from sagefm.common.io import read_table
from sagefm.networks.checkpoint import read_checkpoint
from support import runs

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

GPU_RULES = {"pretrain", "embed", "recovery"}
MODEL = "results/small/models/paper"
TARGETS = (
    "results/small/scoreboard.tsv",
    "results/small/representations/breast/all-genes/sagefm-paper.h5ad",
)
OUTPUTS = ("best.pt", "last.pt", "history.tsv", "training.json")
TRAIN = (f"{MODEL}/best.pt", "--rerun-triggers", "mtime")
TRAINING = {"epochs": 150, "patience": 150, "learning_rate": 0.0005}
COMPUTE = {"device": "cpu", "threads": 1, "gpus": 1, "save_seconds": 0}
QUICK = ("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "20")
"""Looks at jobs more often than on a cluster that others use."""
COSTS = ["seconds", "spots_per_second"]
ASKED = {"MinMemoryNode": ("8929M", "17858M"), "TimeLimit": ("1-00:00:00", "2-00:00:00")}
"""What a first and a second attempt of the training ask for, the counts they keep included."""


def config_of(training: dict, **compute: int) -> dict:
    """A small run: one model that wants a GPU, and its recovery."""
    keep = {key: runs.CONFIG[key] for key in ("run", "panel", "cohorts", "recovery")}
    model = {"pretrain_on": ["atlas"], "widths": runs.WIDTHS, "training": training}
    return {**keep, "models": {"paper": {**model, "compute": {**COMPUTE, **compute}}}}


def start(cluster: slurm.Cluster, folder: Path, *arguments: str) -> subprocess.Popen:
    """Snakemake as a user of the cluster starts it."""
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", *QUICK]
    return subprocess.Popen(
        [*command, "--slurm-status-command", "squeue", *arguments],
        cwd=folder,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )


@contextmanager
def started(cluster: slurm.Cluster, folder: Path, *arguments: str) -> Iterator[subprocess.Popen]:
    """A Snakemake as `start` starts it, which does not outlive the block."""
    process = start(cluster, folder, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def finish(process: subprocess.Popen) -> str:
    """Wait for a Snakemake; what it printed."""
    try:
        return process.communicate(timeout=600)[0]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def cluster():
    """A running cluster of this machine."""
    if missing := [name for name in slurm.WANTED if not slurm.found(name)]:
        pytest.skip(f"no {', '.join(missing)} here; `make cluster-test` installs SLURM and munge")
    with tempfile.TemporaryDirectory(prefix="sagefm-slurm-") as folder:
        with slurm.Cluster(Path(folder)) as running:
            yield running
            daemons = list(running.daemons.values())
        assert all(process.returncode is not None for process in daemons)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A copy of the workflow, nothing computed yet."""
    folder = runs.prepare(tmp_path_factory.mktemp("cluster") / "prepared")
    runs.write_config(folder, config_of({"epochs": 2}))
    return folder


def copy_of(prepared: Path, name: str) -> Path:
    folder = prepared.with_name(name)
    shutil.copytree(prepared, folder, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def local(prepared) -> Path:
    """The results of a run without a cluster, and what the long trainings start from."""
    folder = copy_of(prepared, "local")
    done = runs.snakemake(folder, *TARGETS)
    assert done.returncode == 0, done.stdout
    return folder


def untrained(local: Path, name: str, **training: int) -> Path:
    """A copy of a run in which everything but the training is done."""
    folder = local.with_name(name)
    shutil.copytree(local, folder, symlinks=True)
    runs.write_config(folder, config_of({**TRAINING, **training}))
    for output in OUTPUTS:
        (folder / MODEL / output).unlink()
    return folder


@pytest.fixture(scope="module")
def overtime(cluster, local) -> tuple[Path, subprocess.Popen]:
    """A training that never ends, given a minute and no second attempt; it runs beside the rest."""
    folder = untrained(local, "overtime", epochs=10**6, patience=10**6)
    options = ("--retries", "0", "--set-resources", "pretrain:runtime=1")
    return folder, start(cluster, folder, *TRAIN, *options)


@pytest.fixture(scope="module")
def whole(cluster, prepared, overtime) -> tuple[Path, list[dict[str, str]]]:
    """The results of a run on the cluster, and what SLURM knows of its jobs."""
    folder = copy_of(prepared, "whole")
    # Of the sections, two alone may take so long, were this the limit of all jobs together.
    limits = ("--resources", "mem_mb=240000", "runtime=50", "--")
    process = start(cluster, folder, *limits, *TARGETS)
    printed = finish(process)
    assert process.returncode == 0, printed
    return folder, jobs_in(folder, cluster)


def jobs_in(folder: Path, cluster: slurm.Cluster) -> list[dict[str, str]]:
    """Jobs submitted from a folder, in their order."""
    return [job for job in cluster.jobs() if job["WorkDir"] == str(folder)]


def rule_of(job: dict[str, str]) -> str:
    return job["Comment"].removeprefix("rule_").split("_wildcards_")[0]


def test_jobs_for_a_gpu_and_only_they_went_to_the_gpu_partition(whole):
    _, jobs = whole
    assert {rule_of(job) for job in jobs if job["Partition"] == "gpu"} == GPU_RULES
    for job in jobs:
        assert job["JobState"] == "COMPLETED"
        on_gpu = rule_of(job) in GPU_RULES
        assert job["Partition"] == ("gpu" if on_gpu else "cpu")
        assert ("gres:gpu:1" in job.get("TresPerJob", "")) == on_gpu


def test_sections_were_in_the_queue_at_once_and_each_rule_asked_for_its_memory(whole):
    _, jobs = whole
    ingested = [job for job in jobs if rule_of(job) == "ingest"]
    assert len(ingested) == 5
    assert max(job["SubmitTime"] for job in ingested) < min(job["EndTime"] for job in ingested)
    assert {job["TimeLimit"] for job in ingested} == {"00:20:00"}
    asked = {rule_of(job): job["MinMemoryNode"] for job in jobs}
    assert asked["split"] == "1000M"
    assert asked["pretrain"] == ASKED["MinMemoryNode"][0]


def test_results_are_those_of_a_local_run(whole, local):
    folder, _ = whole
    here, there = (root / "results/small" for root in (local, folder))
    names = {
        str(path.relative_to(here))
        for path in here.rglob("*")
        if path.is_file() and path.relative_to(here).parts[0] not in ("logs", "benchmarks")
    }
    assert names == {
        str(path.relative_to(there))
        for path in there.rglob("*")
        if path.is_file() and path.relative_to(there).parts[0] not in ("logs", "benchmarks")
    }
    tables = [name for name in names if name.endswith((".tsv", ".tsv.gz"))]
    assert len(tables) > 10
    for name in tables:
        assert facts_of(here / name) == facts_of(there / name), name
    assert_same_weights(here / "models/paper", there / "models/paper")


def facts_of(table: Path) -> bytes:
    """A table's bytes without what it says of time spent."""
    if table.name == "history.tsv":
        return read_table(table, dtype=str).drop(columns=COSTS).to_csv().encode()
    content = table.read_bytes()
    content = gzip.decompress(content) if table.suffix == ".gz" else content
    return b"\n".join(line for line in content.splitlines() if b"core-hours" not in line)


def assert_same_weights(one: Path, two: Path):
    for name in ("best.pt", "last.pt"):
        a, b = (read_checkpoint(folder / name) for folder in (one, two))
        assert a["epoch"] == b["epoch"]
        for key, weights in a["model_state_dict"].items():
            assert torch.equal(weights, b["model_state_dict"][key]), (name, key)


def state_of(folder: Path) -> dict | None:
    """The training's progress saved so far."""
    found = list((folder / MODEL / "state").glob("*/state.pt"))
    return read_checkpoint(found[0])["progress"] if found else None


def wait_for(process: subprocess.Popen, ready: Callable[[], object]):
    """What `ready` gives as soon as it gives something, while a Snakemake works."""
    deadline = time.monotonic() + 200
    while not (found := ready()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def test_a_job_past_its_time_ends_in_a_report_and_keeps_its_state(cluster, whole, overtime):
    folder, process = overtime
    printed = finish(process)
    assert process.returncode != 0
    assert "SLURM status is: 'TIMEOUT'" in printed
    assert "stopped; the state is saved, and a new start continues from it" in printed
    assert [job["JobState"] for job in jobs_in(folder, cluster)] == ["TIMEOUT"]
    assert state_of(folder)["epoch"] > 5
    assert not [name for name in OUTPUTS if (folder / MODEL / name).exists()]


def test_a_training_preempted_then_cancelled_ends_as_if_undisturbed(cluster, local):
    folder = untrained(local, "disturbed")
    gres = ("--set-resources", "pretrain:gpu=0", "pretrain:gres='gpu:1'")
    log = folder / "results/small/logs/pretrain/paper.log"

    def running() -> dict[str, str] | None:
        last = (jobs_in(folder, cluster) or [{}])[-1]
        return last if last.get("JobState") == "RUNNING" else None

    def in_training(after: int):
        """The state of a running job that has come further than `after` epochs."""
        state = state_of(folder)
        return state if running() and state and state["epoch"] > after else None

    def resumed() -> int | None:
        """The epoch a training goes on from, by its log; none while it has not said so."""
        said = log.read_text() if log.exists() else ""
        found = re.search(r"resumed at epoch (\d+)", said)
        return found and int(found[1])

    def sooner(job_id: str) -> bool:
        """Whether a requeued job no longer waits for the two minutes that SLURM holds it back."""
        if jobs_in(folder, cluster)[-1]["JobState"] != "PENDING":
            return True
        cluster.ask("scontrol", "update", f"JobId={job_id}", "StartTime=now", check=False)
        return False

    with started(cluster, folder, *TRAIN, *gres) as process:
        first = wait_for(process, lambda: in_training(5))["epoch"]
        job = running()
        assert job["Partition"] == "gpu"
        assert "gres:gpu:1" in job["TresPerNode"]

        # All of the node's cores are wanted by a partition that goes first.
        cluster.ask("sbatch", "-p", "urgent", "-c", "4", "-o", "/dev/null", "--wrap", "sleep 2")
        wait_for(process, lambda: jobs_in(folder, cluster)[-1]["Restarts"] == "1")
        wait_for(process, lambda: sooner(job["JobId"]) and in_training(first) and resumed())
        assert len(jobs_in(folder, cluster)) == 1

        cluster.ask("scancel", job["JobId"])
        printed = finish(process)
    assert process.returncode == 0, printed
    assert "SLURM status is: 'CANCELLED'" in printed
    cancelled, again = jobs_in(folder, cluster)
    assert (cancelled["JobState"], again["JobState"]) == ("CANCELLED", "COMPLETED")
    for key in ("MinMemoryNode", "TimeLimit"):
        assert (cancelled[key], again[key]) == ASKED[key]
    assert resumed() > first

    undisturbed = untrained(local, "undisturbed")
    done = runs.snakemake(undisturbed, *TRAIN)
    assert done.returncode == 0, done.stdout
    assert_same_weights(folder / MODEL, undisturbed / MODEL)
    assert not (folder / MODEL / "state").exists()


def test_a_training_on_two_nodes_goes_on_and_ends_as_on_one(cluster, local):
    folder = untrained(local, "two-nodes")
    two = {**TRAINING, "devices": 2}
    # Nothing is saved on the way, but when it is stopped.
    many = {"threads": 2, "save_seconds": 10**6}
    runs.write_config(folder, config_of(two, nodes=2, **many))
    there = ("--set-resources", "pretrain:slurm_partition=both")
    log = folder / "results/small/logs/pretrain/paper.log"
    with started(cluster, folder, *TRAIN, *there) as process:
        wait_for(process, lambda: log.exists() and "epoch 5:" in log.read_text())
        (job,) = jobs_in(folder, cluster)
        assert (job["NumNodes"], job["NumTasks"], job["CPUs/Task"]) == ("2", "2", "1")
        assert (job["TresPerNode"], job["MinMemoryNode"]) == (
            "gres:gpu:1",
            ASKED["MinMemoryNode"][0],
        )
        cluster.ask("scancel", job["JobId"])
        printed = finish(process)
    assert process.returncode == 0, printed
    assert "stopped; the state is saved, and a new start continues from it" in printed
    assert int(re.search(r"resumed at epoch (\d+)", log.read_text())[1]) > 5
    assert [job["JobState"] for job in jobs_in(folder, cluster)] == ["CANCELLED", "COMPLETED"]
    assert not (folder / MODEL / "launch").exists()

    one = untrained(local, "two-devices")
    runs.write_config(one, config_of(two, **many))
    done = runs.snakemake(one, *TRAIN)
    assert done.returncode == 0, done.stdout
    assert_same_weights(folder / MODEL, one / MODEL)


def test_a_training_on_two_nodes_says_which_process_failed(cluster, local):
    folder = untrained(local, "diverged")
    two = {**TRAINING, "devices": 2, "learning_rate": 1e30}
    runs.write_config(folder, config_of(two, nodes=2, threads=2))
    there = ("--retries", "0", "--set-resources", "pretrain:slurm_partition=both")
    printed = finish(process := start(cluster, folder, *TRAIN, *there))
    assert process.returncode != 0
    assert "training diverged: the validation loss of epoch 1 is" in printed
    assert [job["JobState"] for job in jobs_in(folder, cluster)] == ["FAILED"]
    assert not (folder / MODEL / "launch").exists()


def test_a_job_past_its_memory_is_given_more(cluster, prepared):
    folder = copy_of(prepared, "memory")
    little = ("--set-resources", "split:mem_mb=100*10**(attempt-1)")
    process = start(cluster, folder, f"{MODEL}/split.tsv", *little)
    printed = finish(process)
    assert process.returncode == 0, printed
    killed, again = [job for job in jobs_in(folder, cluster) if rule_of(job) == "split"]
    # Without cgroups SLURM calls it a failure; the log that Snakemake names says of what.
    assert (killed["JobState"], again["JobState"]) == ("FAILED", "COMPLETED")
    assert killed["StdOut"] in printed
    assert "exceeded memory limit" in Path(killed["StdOut"]).read_text()
    assert (killed["MinMemoryNode"], again["MinMemoryNode"]) == ("100M", "1000M")
    assert (folder / MODEL / "split.tsv").is_file()
