"""A training as a job: in this process on one device, or a process for each of several."""

import json
import logging
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace

import sagefm.sections.resident as resident
from sagefm.common.errors import InputError
from sagefm.networks.device import prepare_machine
from sagefm.sections.cache import SectionCache
from sagefm.sections.section import sections_of
from sagefm.training.files import batches_of, publish, recipe_of, unmeasured_words
from sagefm.training.parallel.group import Alone, PeerLost, device_of, join
from sagefm.training.parallel.launcher import (
    LOST,
    STOPPED,
    Launch,
    fail,
    follow_parent,
    launch,
    stop,
)
from sagefm.training.parallel.nodes import launch_on_nodes
from sagefm.training.trainer import Preempted, Trainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingJob:
    """What is trained, on what, where; plain values, to be handed to other processes.

    `parts` are the files of samples and of graphs of the training and of the validation part;
    `recipe`, `kind` are a config's model entry and its graph's kind; `state` is the folder of the
    resumable state; `output` are the paths that `publish` writes; `devices` and `threads` are those
    of all `nodes` together, `keep_gb` is each device's memory for sections (see `SectionCache`).
    Unless that is 0, a GPU that has room for all of them keeps them itself (see `resident`).
    """

    parts: list[tuple[list[str], list[str]]]
    recipe: dict
    kind: str
    state: str
    output: dict[str, str]
    device: str
    devices: int = 1
    nodes: int = 1
    threads: int = 1
    workers: int = 1
    keep_gb: float = 0.0
    save_seconds: float = 60.0
    compiled: bool = False

    def run(self) -> None:
        """Train to the end, from the saved state if there is one, and publish.

        Raises
        ------
        Preempted
            After a signal to stop, once the state is saved.
        InputError
            If what is asked for is not there, training diverges, or a process is lost.
        """
        if self.devices == 1:
            return self.train()
        work = ("sagefm.training.job", json.dumps(asdict(self)), self.devices)
        if self.nodes == 1:
            ended = launch(*work)
        else:
            shared = Path(self.output["best"]).parent
            ended = launch_on_nodes(*work, self.nodes, self.threads, shared)
        if ended == STOPPED:
            raise Preempted

    def train(self) -> None:
        """Train in this process: alone, or as one of the processes that `run` launched."""
        device = prepare_machine(self.device, max(self.threads // self.devices, 1))
        group = Alone()
        if self.devices > 1:
            here = self.devices // self.nodes
            device = device_of(int(os.environ["LOCAL_RANK"]), here, device)
            group = join(device, self.nodes)
        cache = SectionCache(self.keep_gb)
        parts = [
            batches_of(sections_of(*files), self.recipe, self.kind, self.workers, cache)
            for files in self.parts
        ]
        if self.keep_gb and resident.room_on(device):
            parts = resident.on_device(parts, device)
            log.info("%s", resident.residence_words(parts, device))
        training, validation = parts
        if group.rank == 0 and training.measured:
            log.info("%s", unmeasured_words(training))
        trainer = Trainer(
            recipe_of(self.recipe),
            training,
            validation,
            Path(self.state),
            device=device,
            save_seconds=self.save_seconds,
            group=group,
            compiled=self.compiled,
        )
        trainer.run()
        group.leave()
        if group.rank == 0:
            publish(trainer, SimpleNamespace(**self.output), self.threads, self.devices)


def take_part(folder: Path) -> int:
    """One of the processes that `TrainingJob.run` launches; returns its exit status."""
    settings = Launch.read(folder)
    if settings.nodes == 1:
        follow_parent()
    rank = int(os.environ["RANK"])
    logging.basicConfig(
        stream=sys.stderr, format="%(message)s", level=logging.WARNING if rank else logging.INFO
    )
    try:
        TrainingJob(**json.loads(settings.argument)).train()
    except Preempted:
        stop(folder)  # not by an exit status, at which the others would be ended
    except PeerLost as error:
        log.warning("process %d of %d lost the others: %s", rank, settings.size, error)
        return LOST
    except InputError as error:
        fail(folder, str(error))
        return 1
    except Exception as error:
        log.exception("unexpected error in process %d of %d", rank, settings.size)
        fail(folder, f"process {rank} of the {settings.size} that train together failed: {error!r}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(take_part(Path(sys.argv[1])))
