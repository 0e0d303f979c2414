"""Processes that work together on several nodes of one SLURM job, an agent on each.

The job's own process starts the agents by `srun`; each sees its node's share of the GPUs. The nodes
of a cluster share a file system, where the agents leave the exit statuses of their processes.
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
    """Run `size` processes of a module on the nodes of this SLURM job; see `Launch.run`.

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
        If this is not a job of SLURM's, or a process failed.
    """
    require_slurm("a training")
    folder = shared.resolve() / "launch"
    shutil.rmtree(folder, ignore_errors=True)  # what a job that was killed left
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
    """Raise `InputError` where a training on several nodes could not be started."""
    if "SLURM_JOB_ID" not in os.environ or not shutil.which("srun"):
        raise InputError(
            f"{who} asks for several nodes (`compute.nodes`), but this is not a SLURM job that "
            "can call `srun`. Fix: start through profiles/slurm, without a container, or set it "
            "to 1."
        )


def _endpoint() -> str:
    """Where the first agent listens: on this node, the job's first, at a port that is free."""
    host = os.environ.get("MASTER_ADDR") or socket.gethostname()
    with socket.socket() as free:
        free.bind(("", 0))
        return f"{host}:{free.getsockname()[1]}"
