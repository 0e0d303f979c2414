"""Training by two processes on the CPU equals training by one; stopped, killed, resumed."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.networks.checkpoint import read_checkpoint
from sagefm.networks.device import products
from sagefm.sections.shares import padded, shares
from sagefm.training.job import TrainingJob
from sagefm.training.parallel.group import Alone, Together, device_of
from sagefm.training.parallel.launcher import launch
from sagefm.training.trainer import Preempted
from support import small

TRAINING = {
    "epochs": 2,
    "batch_size": 33,  # of 80 and 40 spots: the last batches are of 14 and 7
    "learning_rate": 2e-3,
    "weight_decay": 1e-4,
    "patience": 10**6,
    "buffer_spots": 16_384,
    "seed": 9001,
}


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("devices"), **small.KNN)


def training_job(sections, folder: Path, devices: int, network="gcn", **training) -> TrainingJob:
    """Trains on heart-1 and heart-2, stops by heart-3."""
    widths = {"gcn": list(small.WIDTHS), "contrast": [16]}[network]
    model = {"normalisation": "log1p", "network": network, "widths": widths, "mask_share": 0.3}
    names = {"best": "best.pt", "last": "last.pt", "history": "h.tsv", "summary": "training.json"}
    return TrainingJob(
        parts=[
            ([str(s.counts_path) for s in part], [str(s.graph_path) for s in part])
            for part in (sections[:2], sections[2:])
        ],
        recipe={**model, "training": TRAINING | training},
        kind="knn_clique",
        state=str(folder / "state/one"),
        output={key: str(folder / name) for key, name in names.items()},
        device="cpu",
        devices=devices,
    )


def assert_close(one: Path, two: Path, tolerance: float):
    """Losses and weights are the same to a relative tolerance."""
    a, b = (read_table(folder / "h.tsv") for folder in (one, two))
    for column in ("train_loss", "validation_loss", "validation_mse"):
        np.testing.assert_allclose(a[column], b[column], rtol=tolerance)
    x, y = (read_checkpoint(folder / "last.pt")["model_state_dict"] for folder in (one, two))
    for name, weights in x.items():
        assert torch.linalg.norm(weights - y[name]) <= tolerance * torch.linalg.norm(weights), name


@pytest.mark.parametrize(
    ("network", "batch"),
    [("gcn", 33), pytest.param("gcn", 79, marks=pytest.mark.slow), ("contrast", 33)],
    ids=str,
)
def test_two_processes_do_what_one_does(sections, tmp_path, network, batch):
    """Of a last batch of one spot (79), one process has none."""
    for devices in (1, 2):
        training_job(sections, tmp_path / str(devices), devices, network, batch_size=batch).run()
    assert_close(tmp_path / "1", tmp_path / "2", 1e-5)


def epoch_of(state: Path) -> int:
    """The epoch that the saved state is in; 0 if nothing is saved."""
    path = state / "state.pt"
    return read_checkpoint(path)["progress"]["epoch"] if path.exists() else 0


def stop_in_epoch(epoch: int, state: Path, stop) -> threading.Thread:
    """Calls `stop` in a thread once the saved state is in an epoch, or in a later one."""

    def act():
        deadline = time.monotonic() + 240
        while epoch_of(state) < epoch and time.monotonic() < deadline:
            time.sleep(0.02)
        stop()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def child(rank: int) -> int:
    """The process of a rank of the launch that this process started, two below it."""
    command = ["ps", "-ww", "-eo", "pid=,ppid=,args="]
    listed = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout
    lines = [line.split(None, 2) for line in listed.splitlines()]
    agents = {pid for pid, parent, _ in lines if parent == str(os.getpid())}
    workers = [
        int(pid)
        for pid, parent, words in lines
        if parent in agents and "-m sagefm.training.job" in words
    ]
    environments = {pid: Path(f"/proc/{pid}/environ").read_bytes() for pid in workers}
    return next(pid for pid, text in environments.items() if b"\0RANK=%d\0" % rank in text)


LONG = {"epochs": 10**6}
EPOCHS = 20


@pytest.mark.slow
@pytest.mark.parametrize("who", ["all", "one"])
def test_a_stop_saves_and_another_number_of_devices_goes_on(sections, tmp_path, who):
    job = replace(training_job(sections, tmp_path, 2, **LONG), save_seconds=0)
    pid = {"all": os.getpid, "one": lambda: child(1)}[who]
    thread = stop_in_epoch(1, Path(job.state), lambda: os.kill(pid(), signal.SIGTERM))
    with pytest.raises(Preempted):
        job.run()
    thread.join()
    done = read_checkpoint(Path(job.state) / "state.pt")["progress"]
    epochs = done["epoch"] + 1
    again = training_job(sections, tmp_path, 1, epochs=epochs)
    again.run()
    training_job(sections, tmp_path / "alone", 1, epochs=epochs).run()
    assert len(read_table(tmp_path / "h.tsv")) == epochs
    a, b = (read_table(folder / "h.tsv") for folder in (tmp_path, tmp_path / "alone"))
    np.testing.assert_allclose(a["validation_loss"], b["validation_loss"], rtol=1e-4)


def long_job(sections, folder: Path) -> TrainingJob:
    """Trains long enough to be killed on the way, and saves every few steps."""
    return replace(training_job(sections, folder, 2, epochs=EPOCHS), save_seconds=0.05)


@pytest.fixture(scope="module")
def undisturbed(sections, tmp_path_factory) -> Path:
    """The results of a training by two processes that nobody killed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    long_job(sections, folder).run()
    return folder


def assert_same(one: Path, two: Path):
    """Weights, moments and history are the same to the bit."""
    costs = ["seconds", "spots_per_second"]
    a, b = (read_table(folder / "h.tsv", dtype=str).drop(columns=costs) for folder in (one, two))
    pd.testing.assert_frame_equal(a, b)
    for name in ("best.pt", "last.pt"):
        x, y = (read_checkpoint(folder / name) for folder in (one, two))
        assert x["epoch"] == y["epoch"]
        for key, weights in x["model_state_dict"].items():
            assert torch.equal(weights, y["model_state_dict"][key]), (name, key)
        for number, moments in x["optimizer_state_dict"]["state"].items():
            for key, value in moments.items():
                assert torch.equal(value, y["optimizer_state_dict"]["state"][number][key])


def assert_ends_as(undisturbed: Path, job: TrainingJob, caplog):
    """Killed on its way, and started again, the training ends as one that nobody killed."""
    folder = Path(job.output["last"]).parent
    killed_at = read_checkpoint(Path(job.state) / "state.pt")["progress"]
    assert 3 <= killed_at["epoch"] < EPOCHS
    assert not list(folder.glob("*.pt"))
    with caplog.at_level(logging.INFO):
        job.run()
    assert f"resumed at epoch {killed_at['epoch']}, batch {killed_at['batch']}" in caplog.text
    assert_same(folder, undisturbed)
    assert not Path(job.state).exists()


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_one_process_killed_ends_all_and_a_new_start_goes_on(
    sections, undisturbed, tmp_path, caplog, rank
):
    job = long_job(sections, tmp_path)
    killed = []

    def kill():
        os.kill(child(rank), signal.SIGKILL)
        killed.append(time.monotonic())

    thread = stop_in_epoch(3, Path(job.state), kill)
    with pytest.raises(InputError, match=rf"process {rank} of the 2 .* ended early \(SIGKILL\)"):
        job.run()
    thread.join()
    assert time.monotonic() - killed[0] < 10
    assert_ends_as(undisturbed, job, caplog)


@pytest.mark.slow
def test_all_killed_and_a_new_start_goes_on(sections, undisturbed, tmp_path, caplog):
    """As by a power cut: the launcher and the processes it launched."""
    job = long_job(sections, tmp_path)
    code = (
        "import json, sys; from sagefm.training.job import TrainingJob; "
        "TrainingJob(**json.loads(sys.argv[1])).run()"
    )
    paths = str(Path(small.__file__).parents[2] / "workflow")
    launcher = subprocess.Popen(
        [sys.executable, "-c", code, json.dumps(asdict(job))],
        env=os.environ | {"PYTHONPATH": paths, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    stop_in_epoch(3, Path(job.state), lambda: os.killpg(launcher.pid, signal.SIGKILL)).join()
    assert launcher.wait(10) == -signal.SIGKILL
    assert_ends_as(undisturbed, job, caplog)


@pytest.mark.slow
def test_killed_while_it_published_a_new_start_publishes(sections, undisturbed, tmp_path):
    job = long_job(sections, tmp_path)
    Path(job.state).mkdir(parents=True)
    for name, kept in (("best.pt", "best.pt"), ("last.pt", "state.pt")):
        shutil.copy(undisturbed / name, Path(job.state) / kept)
    job.run()
    assert_same(tmp_path, undisturbed)


def test_a_sentence_of_a_process_is_the_jobs(sections, tmp_path):
    job = training_job(sections, tmp_path, 2, learning_rate=1e30)
    with pytest.raises(InputError, match="training diverged: the validation loss of epoch 1 is"):
        job.run()


WAITING = """
import os, sys, time
from pathlib import Path
from sagefm.training.parallel.launcher import Launch, follow_parent
follow_parent()
Path(Launch.read(Path(sys.argv[1])).argument, os.environ["RANK"]).write_text(str(os.getpid()))
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("killed", ["job", "agent"])
def test_processes_end_with_the_one_that_launched_them(tmp_path, killed):
    """Whichever is killed of the job and torchrun's agent."""
    (tmp_path / "waiting.py").write_text(WAITING)
    code = (
        "import sys; from sagefm.training.parallel.launcher import launch\n"
        "launch('waiting', sys.argv[1], 2)"
    )
    paths = os.pathsep.join([str(Path(small.__file__).parents[2] / "workflow"), str(tmp_path)])
    job = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    names = [tmp_path / "0", tmp_path / "1"]
    while not all(name.exists() and name.read_text() for name in names):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    command = ["ps", "-o", "pid=", "--ppid", str(job.pid)]
    (agent,) = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout.split()
    os.kill(job.pid if killed == "job" else int(agent), signal.SIGKILL)
    said = job.communicate(timeout=60)[1]
    if killed == "agent":
        assert "the launcher of the 2 processes that train together ended early (SIGKILL)" in said
    for pid in (agent, *(name.read_text() for name in names)):
        while running(pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def running(pid: str) -> bool:
    """Whether a process has not ended; one that nobody waited for is still listed."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_what_processes_say_is_logged(tmp_path, monkeypatch, caplog):
    (tmp_path / "saying.py").write_text(
        # Written at once, as logging writes its lines: pieces of two processes may mix.
        "import os, sys\nsys.stderr.write(f\"rank {os.environ['RANK']}\\n\")\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with caplog.at_level(logging.INFO):
        assert launch("saying", "", 2) == 0
    assert {"rank 0", "rank 1"} <= {record.getMessage() for record in caplog.records}
    assert not list((tmp_path / "scratch").iterdir())


def test_shares_make_up_each_batch_in_its_order():
    batches = [[(0, np.arange(5)), (1, np.arange(6))], [(1, np.arange(6, 8))]]
    parts = [list(padded(shares(batches, rank, 3), 2)) for rank in range(3)]
    assert [len(part or []) for own in parts for part in own].count(0) == 1
    for number, batch in enumerate(batches):
        rows = [(i, r) for own in parts for i, taken in own[number] or [] for r in taken]
        assert rows == [(i, r) for i, taken in batch for r in taken]
        sizes = [sum(len(taken) for _, taken in own[number] or []) for own in parts]
        assert max(sizes) - min(sizes) <= 1
    assert list(shares(batches, 0, 1))[1][0][0] == 1


def test_each_process_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [device_of(rank, 2, torch.device("cuda")).index for rank in range(2)] == [0, 1]
    assert device_of(1, 2, torch.device("cpu")) == torch.device("cpu")
    assert device_of(0, 1, torch.device("cuda:1")).index == 1
    with pytest.raises(InputError, match=r"asks for 3 GPUs in each machine, but torch sees 2"):
        device_of(0, 3, torch.device("cuda"))
    with pytest.raises(InputError, match=r"names one GPU \(cuda:1\), but .* asks for 2"):
        device_of(0, 2, torch.device("cuda:1"))


def test_a_process_alone_sums_nothing():
    assert Alone().sums(1.5, 2) == [1.5, 2]
    assert Alone().from_first(lambda: "own") == "own"


@pytest.mark.parametrize("rank", [0, 1])
def test_all_processes_have_what_the_first_made(monkeypatch, rank):
    def broadcast(held, src, device):
        assert (src, held) == (0, ["first"] if rank == 0 else [None])
        held[0] = "first"

    monkeypatch.setattr(torch.distributed, "broadcast_object_list", broadcast)
    group = Together(rank, 2, torch.device("cpu"))
    assert group.from_first(lambda: "first" if rank == 0 else "second") == "first"


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_products_are_in_less_while_it_is_asked_for(precision):
    lower = {"tf32": torch.backends.cuda.matmul, "bf16": torch.backends.mkldnn.matmul}[precision]
    before = lower.fp32_precision
    with products(precision):
        assert lower.fp32_precision == precision
        with products("fp32"):
            assert lower.fp32_precision == "ieee"
        assert lower.fp32_precision == precision
    assert lower.fp32_precision == before


def test_a_wide_product_in_bf16_is_that_of_rounded_operands_or_of_all_digits():
    """The library decides which; any other error would be one of its own."""
    draw = torch.Generator().manual_seed(1)
    a, b = (torch.randn(512, 512, generator=draw) for _ in range(2))
    with products("fp32"):
        whole = a @ b
        rounded = a.bfloat16().float() @ b.bfloat16().float()
    with products("bf16"):
        product = a @ b
    scale = torch.linalg.norm(whole)
    errors = [float(torch.linalg.norm(product - expected) / scale) for expected in (whole, rounded)]
    assert min(errors) < 1e-5
    assert max(errors) == pytest.approx(2**-9, rel=0.5)  # that of operands of 8 binary digits


def test_a_compiled_loss_learns_the_same(sections, tmp_path, monkeypatch):
    """Traced and differentiated as for any compiler, but run as it is: none is needed here."""
    calls = []

    def compiled(function):
        calls.append(function)
        return whole(function, backend="aot_eager")

    whole = torch.compile
    monkeypatch.setattr(torch, "compile", compiled)
    for name, switch in (("plain", False), ("compiled", True)):
        replace(training_job(sections, tmp_path / name, 1), compiled=switch).run()
    assert len(calls) == 1
    assert_close(tmp_path / "plain", tmp_path / "compiled", 1e-5)
