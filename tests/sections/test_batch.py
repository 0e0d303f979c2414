"""Moving a batch to a device; without a GPU, its streams are stand-ins that record calls."""

from contextlib import contextmanager

import pytest
import torch

from sagefm.sections.batch import CPU, Batch, Sender


class Stream:
    """Notes what is asked of it."""

    def __init__(self, notes: list, name: str) -> None:
        self.notes, self.name = notes, name

    def record_event(self) -> str:
        self.notes.append(("event", self.name))
        return f"end of {self.name}"

    def wait_event(self, event: str) -> None:
        self.notes.append((f"{self.name} waits", event))


class Value:
    """Stands for a tensor."""

    def __init__(self, notes: list, number: int) -> None:
        self.notes, self.number = notes, number

    def record_stream(self, stream: Stream) -> None:
        self.notes.append((f"{stream.name} uses", self.number))


@pytest.fixture
def notes(monkeypatch) -> list:
    """What is asked of the two streams of a GPU that is not there."""
    made: list = []

    @contextmanager
    def on(stream):
        made.append(("begin", stream.name))
        yield
        made.append(("end", stream.name))

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(made, "copies"))
    monkeypatch.setattr(torch.cuda, "stream", on)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream(made, "work"))
    return made


def test_on_a_cpu_a_batch_stays_as_it_is():
    batch = Batch("mean", (torch.ones(2, 3),), torch.zeros(2, 3), torch.ones(2, 3, dtype=bool))
    sender = Sender(CPU)
    assert sender.receive(sender.send(batch)) is batch


def test_on_a_gpu_the_work_waits_for_the_copy_and_holds_its_memory(notes, monkeypatch):
    there = Batch("x", (Value(notes, 0), Value(notes, 1)), Value(notes, 2), Value(notes, 3))
    monkeypatch.setattr(Batch, "to", lambda batch, device: notes.append("copy") or there)
    sender = Sender(torch.device("cuda"))
    sent = sender.send(Batch("x", (), torch.ones(1), torch.ones(1)))
    assert notes == [("begin", "copies"), "copy", ("event", "copies"), ("end", "copies")]
    del notes[:]
    assert sender.receive(sent) is there
    assert notes == [("work waits", "end of copies"), *(("work uses", i) for i in range(4))]
