"""An agent on each node, started by a stand-in for `srun` (real SLURM: `test_slurm`)."""

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
from sagefm.training.parallel.launcher import LOST, Launch, fail, stop
folder, rank = Path(sys.argv[1]), int(os.environ["RANK"])
def leave(*_):
    time.sleep(0.3)
    Path(os.environ["SAID"], f"saved-{rank}").touch()
    stop(folder)
    sys.exit(0)
for number in (signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, leave)
said = [os.environ[n] for n in ("WORLD_SIZE", "LOCAL_RANK", "GROUP_RANK", "MASTER_ADDR")]
said.append(Launch.read(folder).argument)
Path(os.environ["SAID"], f"rank-{rank}").write_text(" ".join(said))
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
    monkeypatch.setenv("MASTER_ADDR", "localhost")

    def run(code: str = "", size: int = 4) -> int:
        (tmp_path / "work.py").write_text(MODULE + code)
        return launch_on_nodes("work", "what to do", size, 2, 2, tmp_path / "shared")

    yield run
    assert not (tmp_path / "shared/launch").exists()


@pytest.mark.slow
def test_each_node_runs_its_ranks(work, tmp_path):
    assert work() == 0
    said = {file.name: file.read_text() for file in tmp_path.glob("rank-*")}
    assert said == {
        f"rank-{rank}": f"4 {rank % 2} {rank // 2} localhost what to do" for rank in range(4)
    }


@pytest.mark.slow
def test_a_process_killed_on_one_node_is_named(work):
    killed = (
        "if rank == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(LOST))\n"
        "time.sleep(0.2)\nsys.exit(LOST)\n"
    )
    with pytest.raises(InputError, match=r"process 2 of the 4 .* ended early \(SIGKILL\)"):
        work(killed)


@pytest.mark.slow
def test_the_sentence_of_a_process_is_the_jobs(work):
    with pytest.raises(InputError, match=r"^bad counts$"):
        work("if rank == 3: fail(folder, 'bad counts'); sys.exit(1)\nsys.exit(LOST)\n")


@pytest.mark.slow
def test_a_signal_to_stop_reaches_all_and_all_save(work, tmp_path):
    """The first process, once all wait, signals the job, which may be told more than once."""
    told = (
        "names = [Path(os.environ['SAID'], f'rank-{i}') for i in range(4)]\n"
        "if rank == 0:\n"
        "    while not all(map(Path.exists, names)): time.sleep(0.02)\n"
        f"    for _ in range(3): os.kill({os.getpid()}, signal.SIGTERM)\n"
        "time.sleep(60)\n"
    )
    assert work(told) == STOPPED
    assert len(list(tmp_path.glob("saved-*"))) == 4


def test_a_launcher_that_never_began_is_named(work, tmp_path):
    (tmp_path / "bin/srun").write_text("#!/bin/sh\nexit 9\n")
    words = r"the launcher of the 4 processes .* ended early \(exit status 9\); see the log"
    with pytest.raises(InputError, match=words):
        work()


@pytest.mark.parametrize("lacks", ["job", "srun"])
def test_without_slurm_there_are_no_nodes(work, tmp_path, monkeypatch, lacks):
    if lacks == "job":
        monkeypatch.delenv("SLURM_JOB_ID")
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"asks for several nodes .* not a SLURM job"):
        work()
