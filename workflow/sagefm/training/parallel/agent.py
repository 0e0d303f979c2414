"""torchrun on one node: the processes of a `Launch` that run here.

torchrun's own function rather than its command: the command says which process failed only in a
block of text, and here it is written down for the job, which names it in a sentence.
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
"""How long processes that were asked to stop may take to save their state."""

SETTLE_SECONDS = 5.0
"""How long the process that failed first, on another node, is waited for once others miss it."""


def run_here(folder: Path) -> int:
    """Run this node's processes to their end and write their exit statuses to the folder.

    `codes-NODE` has those of processes that failed, by rank. Returns the agent's exit status: 0
    also after a stop, since SLURM ends all tasks of a job of which one fails.
    """
    launch = Launch.read(folder)
    node = int(os.environ["SLURM_PROCID"]) if launch.nodes > 1 else 0
    if launch.nodes == 1:
        follow_parent()
    logging.disable(logging.CRITICAL)  # the sentence that ends the job says what matters
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
        for number in STOPS:  # torchrun no longer waits once a third signal comes
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
