"""Predict the hours of the paper's run from rates measured here and a GPU's data sheet."""

from dataclasses import dataclass

import pandas as pd

PARAMETERS = 31_405_790
EPOCHS = 136
"""Epochs of training. The released checkpoint is of epoch 126; training stops 10 epochs after the
best."""
TRAINING, VALIDATION = 0.8, 0.1
BATCH = 64

BYTES_A_PARAMETER = 4 * 10
"""Bytes moved per parameter in an fp32 step. Weights are read in both passes and the gradient is
written. Adam reads four arrays (weight, gradient, two moments) and writes three."""
FLOP_A_PARAMETER = 6
"""Operations per parameter and spot: a multiplication and an addition forward, twice that
backward."""


@dataclass(frozen=True)
class Gpu:
    """Limits of a GPU, and the assumed share of them that a training step reaches."""

    name: str
    bytes_a_second: float
    flop_a_second: float
    reached: float

    def step_seconds(self) -> float:
        """Return the duration of a training step, limited by memory traffic or arithmetic."""
        traffic = PARAMETERS * BYTES_A_PARAMETER / self.bytes_a_second
        arithmetic = PARAMETERS * FLOP_A_PARAMETER * BATCH / self.flop_a_second
        return max(traffic, arithmetic) / self.reached


H100 = Gpu("H100 SXM", bytes_a_second=3.35e12, flop_a_second=67e12, reached=0.5)
"""NVIDIA's data sheet: 3.35 TB/s, 67 TFLOP/s in fp32 without tensor cores. The reached half is a
guess."""


@dataclass(frozen=True)
class Rates:
    """Measured rates in spots per second of one core's processor time.

    `reading` is from memory (`compute.keep_gb`), after all spots have been read once; `batches` are
    made from it.
    """

    ingest: float
    graphs: float
    training: float
    evaluation: float
    reading: float
    batches: float


def predicted_hours(rates: Rates, spots: int, cores: int, gpu: Gpu | None = None) -> pd.DataFrame:
    """Predict the hours of each part of the paper's run: columns part, spots, hours, limit.

    Parameters
    ----------
    rates
        Rates measured on this machine.
    spots
        Spots of the cohort.
    cores
        Cores of the machine, all of them used.
    gpu
        GPU that trains and evaluates; None if the cores do.
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
