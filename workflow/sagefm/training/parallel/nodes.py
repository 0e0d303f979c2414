"""Processes that work together on several nodes of one SLURM job: a launcher on each.

The job's own process starts them by `srun`; each sees its node's share of the GPUs. The nodes of a
cluster share a file system, where the launchers leave the exit statuses of their processes.
"""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from sagefm.common.errors import InputError
from sagefm.training.parallel.launcher import (
    ARGUMENT,
    STOPPED,
    logged,
    passed_on,
    run_ranks,
    start,
    verdict,
)


def launch_on_nodes(
    module: str, argument: str, size: int, nodes: int, cores: int, shared: Path
) -> int:
    """Run `size` processes of a module on the nodes of this SLURM job; see `launcher.launch`.

    Parameters
    ----------
    size
        A multiple of `nodes`: each has as many, of ranks that follow one another.
    cores
        Of all nodes together.
    shared
        A folder that all nodes see.

    Raises
    ------
    InputError
        If this is no job of SLURM's, or a process failed.
    """
    require_slurm("a training")
    folder = shared.resolve() / "launch"
    shutil.rmtree(folder, ignore_errors=True)  # what a job that was killed left
    folder.mkdir(parents=True)
    try:
        (folder / ARGUMENT).write_text(argument)
        status = _srun(nodes, cores, [module, str(size), _meeting(), str(folder)])
        files = [folder / f"codes-{node}" for node in range(nodes)]
        if not any(file.exists() for file in files):
            raise InputError(
                f"`srun` ended (exit status {status}) before the training began on {nodes} nodes; "
                "see the log above."
            )
        codes: list[int | None] = []
        for file in files:
            none = [None] * (size // nodes)
            codes += json.loads(file.read_text()) if file.exists() else none
        return verdict(codes, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_slurm(who: str) -> None:
    """Raise `InputError` where a training on several nodes could not be started."""
    if "SLURM_JOB_ID" not in os.environ or not shutil.which("srun"):
        raise InputError(
            f"{who} wants several nodes (`compute.nodes`), but this is not a job of SLURM's that "
            "can call `srun`; start through profiles/slurm, without a container, or set it to 1."
        )


def _srun(nodes: int, cores: int, arguments: list[str]) -> int:
    """Run `run_node` on each node; the exit status of `srun`."""
    command = [
        *("srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--kill-on-bad-exit=1"),
        *(f"--cpus-per-task={max(cores // nodes, 1)}", "--cpu-bind=none"),
        *(sys.executable, "-m", "sagefm.training.parallel.nodes", *arguments),
    ]
    srun = start(command, stdin=subprocess.DEVNULL)
    # Told SIGTERM, `srun` would kill its processes before they have saved their state.
    with logged([srun]), passed_on([srun], signal.SIGUSR1):
        return srun.wait()


def _meeting() -> str:
    """Where the first process listens: on this node, the job's first, at a port that is free."""
    host = os.environ.get("MASTER_ADDR") or socket.gethostname()
    with socket.socket() as free:
        free.bind(("", 0))
        return f"tcp://{host}:{free.getsockname()[1]}"


def run_node(module: str, size: int, meeting: str, folder: Path) -> int:
    """The launcher of one node; returns its exit status."""
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.INFO)
    node, nodes = (int(os.environ[f"SLURM_{name}"]) for name in ("PROCID", "NTASKS"))
    own = size // nodes
    codes = run_ranks(module, range(node * own, (node + 1) * own), size, meeting, folder)
    (folder / f"codes-{node}").write_text(json.dumps(codes))
    # Else SLURM would end the others, one of which may still be saving.
    return 0 if set(codes) <= {0, STOPPED} else 1


if __name__ == "__main__":
    sys.exit(run_node(sys.argv[1], int(sys.argv[2]), sys.argv[3], Path(sys.argv[4])))
