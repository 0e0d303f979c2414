"""What the paper's run would take: from rates measured here, and from the data sheet of a GPU."""

from dataclasses import dataclass

import pandas as pd

PARAMETERS = 31_405_790
EPOCHS = 136
"""The released checkpoint is epoch 126's, and training stops 10 epochs after the best."""
TRAINING, VALIDATION = 0.8, 0.1
BATCH = 64

BYTES_A_PARAMETER = 4 * 10
"""Of a step in fp32: weights read in both passes, the gradient written, and Adam's reading of four
arrays (weight, gradient, two moments) and writing of three."""
FLOP_A_PARAMETER = 6
"""Of a spot: a multiplication and an addition in the pass forth, twice that in the pass back."""


@dataclass(frozen=True)
class Gpu:
    """A GPU's limits, and the share of them that a step is taken to reach."""

    name: str
    bytes_a_second: float
    flop_a_second: float
    reached: float

    def step_seconds(self) -> float:
        """A training step's duration: that of its memory traffic or of its arithmetic."""
        traffic = PARAMETERS * BYTES_A_PARAMETER / self.bytes_a_second
        arithmetic = PARAMETERS * FLOP_A_PARAMETER * BATCH / self.flop_a_second
        return max(traffic, arithmetic) / self.reached


H100 = Gpu("H100 SXM", bytes_a_second=3.35e12, flop_a_second=67e12, reached=0.5)
"""NVIDIA's data sheet: 3.35 TB/s, 67 TFLOP/s in fp32 without tensor cores. Half of it: a guess."""


@dataclass(frozen=True)
class Rates:
    """Spots a second of one core's processor time, measured.

    `reading` is from memory (`compute.keep_gb`), once all have been read; `batches` are made of it.
    """

    ingest: float
    graphs: float
    training: float
    evaluation: float
    reading: float
    batches: float


def predicted_hours(rates: Rates, spots: int, cores: int, gpu: Gpu | None = None) -> pd.DataFrame:
    """Hours of each part of the paper's run: columns part, spots, hours, limit.

    Parameters
    ----------
    rates
        As measured.
    spots
        Of the cohort.
    cores
        Of the machine, all of them used.
    gpu
        Trains and evaluates; None where the cores do.
    """
    if gpu is None:
        train, evaluate = rates.training * cores, rates.evaluation * cores
        limit = "processor"
    else:
        limits = {
            f"memory of the {gpu.name}": BATCH / gpu.step_seconds(),
            "one core that reads": rates.reading,
            "cores that make batches": rates.batches * (cores - 1),
        }
        limit = min(limits, key=lambda name: limits[name])
        train = evaluate = limits[limit]
    parts = [
        ("reading and harmonising", spots, rates.ingest * cores, "processor"),
        ("neighbourhoods", spots, rates.graphs * cores, "processor"),
        (f"training, {EPOCHS} epochs", EPOCHS * TRAINING * spots, train, limit),
        (f"validation, {EPOCHS} times", EPOCHS * VALIDATION * spots, evaluate, limit),
    ]
    table = pd.DataFrame(parts, columns=["part", "spots", "rate", "limit"])
    table["hours"] = table["spots"] / table["rate"] / 3600
    return table[["part", "spots", "hours", "limit"]]
