"""A launcher on each node, started by a stand-in of `srun` on this machine; SLURM: test_cluster."""

import os

import pytest

from sagefm.common.errors import InputError
from sagefm.training.parallel.launcher import STOPPED
from sagefm.training.parallel.nodes import launch_on_nodes

SRUN = """\
#!/bin/bash
# A task for each node, as `srun --nodes=M --ntasks=M` starts them; the worst of their statuses.
nodes=${1#--nodes=}
while [[ $1 == --* ]]; do shift; done
for ((i = 0; i < nodes; i++)); do SLURM_PROCID=$i SLURM_NTASKS=$nodes "$@" & tasks+=($!); done
trap 'kill -USR1 "${tasks[@]}"' USR1
for task in "${tasks[@]}"; do
    until wait "$task"; status=$?; (( status < 128 )) || ! kill -0 "$task" 2> /dev/null; do :; done
    (( status == 0 )) || worst=$status
done
exit "${worst:-0}"
"""
MODULE = """\
import os, signal, sys, time
from pathlib import Path
from sagefm.training.parallel.launcher import (ARGUMENT, LOST, STOPPED, follow_parent)
follow_parent()
rank, size, meeting, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])
def stop(*_):
    time.sleep(0.3)
    sys.exit(STOPPED)
signal.signal(signal.SIGTERM, stop)
said = Path(os.environ["SAID"], f"rank-{rank}")
said.write_text(f"{size} {meeting} {(folder / ARGUMENT).read_text()}")
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Writes the module that the processes run, after what all do; calls the launcher of nodes."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/srun").write_text(SRUN)
    (tmp_path / "bin/srun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SAID", str(tmp_path))
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("MASTER_ADDR", "first")

    def run(code: str = "", size: int = 4) -> int:
        (tmp_path / "work.py").write_text(MODULE + code)
        return launch_on_nodes("work", "what to do", size, 2, 2, tmp_path / "shared")

    yield run
    assert not (tmp_path / "shared/launch").exists()


def test_each_node_runs_its_ranks(work, tmp_path):
    assert work() == 0
    said = {file.name: file.read_text() for file in tmp_path.glob("rank-*")}
    assert sorted(said) == ["rank-0", "rank-1", "rank-2", "rank-3"]
    (all_said,) = set(said.values())
    size, meeting, argument = all_said.split(" ", 2)
    assert (size, argument) == ("4", "what to do")
    assert meeting.startswith("tcp://first:")


def test_a_process_killed_on_one_node_is_named(work):
    killed = "if rank == 2: os.kill(os.getpid(), signal.SIGKILL)\ntime.sleep(1)\nsys.exit(LOST)\n"
    with pytest.raises(InputError, match=r"process 2 of the 4 .* ended early \(SIGKILL\)"):
        work(killed)


def test_the_sentence_of_a_process_is_the_jobs(work):
    with pytest.raises(InputError, match=r"^bad counts$"):
        work("if rank == 3: (folder / 'error-3').write_text('bad counts'); sys.exit(1)\n")


def test_a_signal_to_stop_reaches_all(work, tmp_path):
    """The first process, once all wait, tells the one that launched them, as a newer job would."""
    told = (
        "names = [Path(os.environ['SAID'], f'rank-{i}') for i in range(size)]\n"
        "if rank == 0:\n"
        "    while not all(map(Path.exists, names)): time.sleep(0.02)\n"
        f"    os.kill({os.getpid()}, signal.SIGTERM)\n"
        "time.sleep(60)\n"
    )
    assert work(told) == STOPPED


def test_a_launcher_that_never_began_is_told_of(work, tmp_path):
    (tmp_path / "bin/srun").write_text("#!/bin/sh\nexit 9\n")
    with pytest.raises(InputError, match=r"`srun` ended \(exit status 9\) before the training"):
        work()


@pytest.mark.parametrize("lacks", ["job", "srun"])
def test_without_slurm_there_are_no_nodes(work, tmp_path, monkeypatch, lacks):
    if lacks == "job":
        monkeypatch.delenv("SLURM_JOB_ID")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"wants several nodes .* not a job of SLURM's"):
        work()
