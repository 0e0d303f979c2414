"""torchrun on one node: the processes of a `Launch` that run here.

This calls torchrun's function rather than its command. The command names a failed process only
within a block of text; here it is recorded for the job, which reports it in one sentence.
"""

import json
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from sagefm.training.parallel.launcher import LOST, STOPS, Launch, follow_parent, stop

SAVE_SECONDS = 1800
"""Time limit for processes to save their state after a request to stop."""

SETTLE_SECONDS = 5.0
"""Time to wait, after losing another node, for the process that failed first to be recorded."""


def run_here(folder: Path) -> int:
    """Run this node's processes to their end and write their exit statuses to the folder.

    `codes-NODE` has the statuses of failed processes, by rank. Returns the agent's exit status. It
    is also 0 after a stop, since SLURM ends all tasks of a job if one fails.
    """
    launch = Launch.read(folder)
    node = int(os.environ["SLURM_PROCID"]) if launch.nodes > 1 else 0
    if launch.nodes == 1:
        follow_parent()
    logging.disable(logging.CRITICAL)  # the job's final message has the cause
    config = LaunchConfig(
        min_nodes=launch.nodes,
        max_nodes=launch.nodes,
        nproc_per_node=launch.size // launch.nodes,
        run_id=folder.name,
        rdzv_backend="static" if launch.nodes > 1 else "c10d",
        rdzv_endpoint=launch.endpoint,
        rdzv_configs={"rank": node},
        local_addr=None if launch.nodes > 1 else "localhost",
        logs_specs=DefaultLogsSpecs(log_dir=os.devnull),
        max_restarts=0,
        signals_to_handle=",".join(number.name for number in STOPS),
        shutdown_timeout=SAVE_SECONDS,
    )
    codes: dict[int, int] = {}
    try:
        elastic_launch(config, sys.executable)("-m", launch.module, str(folder))
    except ChildFailedError as error:
        codes = {rank: failure.exitcode for rank, failure in error.failures.items()}
    except SignalException:
        for number in STOPS:  # torchrun stops waiting at a third signal
            signal.signal(number, signal.SIG_IGN)
        with suppress(ChildProcessError):
            while True:
                os.wait()
        stop(folder)
    (folder / f"codes-{node}").write_text(json.dumps(codes))
    if launch.nodes > 1 and set(codes.values()) == {LOST}:
        time.sleep(SETTLE_SECONDS)
    return 1 if codes else 0


if __name__ == "__main__":
    sys.exit(run_here(Path(sys.argv[1])))
