"""Processes that work together on several nodes of one SLURM job, with an agent on each.

The job's own process starts the agents with `srun`; each sees its node's share of the GPUs. Agents
leave the exit statuses of their processes on the shared file system.
"""

import os
import shutil
import signal
import socket
from pathlib import Path

from sagefm.common.errors import InputError
from sagefm.training.parallel.launcher import Launch


def launch_on_nodes(
    module: str, argument: str, size: int, nodes: int, cores: int, shared: Path
) -> int:
    """Run `size` processes of a module on the nodes of this SLURM job (see `Launch.run`).

    Parameters
    ----------
    size
        Number of processes, a multiple of `nodes`. Each node runs an equal number, with consecutive
        ranks.
    cores
        Number of cores on all nodes together.
    shared
        A folder visible to all nodes.

    Raises
    ------
    InputError
        If this is not a SLURM job, or a process failed.
    """
    require_slurm("a training")
    folder = shared.resolve() / "launch"
    shutil.rmtree(folder, ignore_errors=True)  # left by a killed job
    folder.mkdir(parents=True)
    srun = [
        *("srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--kill-on-bad-exit=1"),
        *(f"--cpus-per-task={max(cores // nodes, 1)}", "--cpu-bind=none"),
    ]
    try:
        # SIGTERM would make `srun` kill the processes before they have saved their state.
        return Launch(module, argument, size, nodes, _endpoint()).run(folder, srun, signal.SIGUSR1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_slurm(who: str) -> None:
    """Raise `InputError` unless this SLURM job can start processes on several nodes."""
    if "SLURM_JOB_ID" not in os.environ or not shutil.which("srun"):
        raise InputError(
            f"{who} asks for several nodes (`compute.nodes`), but this is not a SLURM job that "
            "can call `srun`. Fix: start through profiles/slurm, without a container, or set it "
            "to 1."
        )


def _endpoint() -> str:
    """Return the address of the first agent: this node (the job's first) and a free port."""
    host = os.environ.get("MASTER_ADDR") or socket.gethostname()
    with socket.socket() as free:
        free.bind(("", 0))
        return f"{host}:{free.getsockname()[1]}"
