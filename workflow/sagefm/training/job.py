"""A training as a job: in this process on one device, or in one process per device."""

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
    """Data, recipe, devices and outputs of a training, as plain values for other processes.

    `parts` holds the files of samples and of graphs, for training and for validation. `recipe` and
    `kind` are a model's config entry and the kind of its graph. `state` is the folder of the
    resumable state, and `output` has the paths that `publish` writes. `devices` and `threads` are
    totals over all `nodes`. `keep_gb` is each device's memory for sections (see `SectionCache`).
    Unless it is 0, a GPU with room for all sections holds them itself (see `resident`).
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
        """Train to the end, from the saved state if there is one, then publish.

        Raises
        ------
        Preempted
            After a signal to stop, once the state is saved.
        InputError
            If a requested device is missing, training diverges, or a process is lost.
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
        """Train in this process, alone or as one of those launched by `run`."""
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
    """Run one of the processes launched by `TrainingJob.run`; return its exit status."""
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
        stop(folder)  # not an exit status, which would end the others
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
