"""Artificial responses of perturbed pairs with a known truth, without a model."""

from functools import cache

import numpy as np
import pandas as pd

from sagefm.perturbation.coexpression import Coexpression
from sagefm.perturbation.responses import KINDS, PairResponses
from sagefm.perturbation.summary import summarise_pairs

CONTROL_GENES = 30
PATIENTS = ("A", "A", "B", "C", "D", "E", "F", "G", "H")
"""Patient of each sample. The first patient has two samples."""


def pairs_like(inputs: int = 12, outputs: int = 20, each: int = 3, seed: int = 0) -> pd.DataFrame:
    """A pair table with `each` outputs per input; one pair of the first input is negative."""
    rng = np.random.default_rng(seed)
    rows = [
        {"input": f"L{i:02d}", "output": f"R{o:02d}", "sign": 1, "group": "made up"}
        for i in range(inputs)
        for o in sorted(rng.choice(outputs, each, replace=False))
    ]
    return pd.DataFrame(rows).assign(sign=lambda table: np.where(table.index == 0, -1, 1))


def exchanged(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs of the reverse experiment."""
    return pairs.rename(columns={"input": "output", "output": "input"})


def responses_like(
    pairs: pd.DataFrame,
    raised: float,
    seed: int = 0,
    patients=PATIENTS,
    spread: float = 0.05,
    slopes: np.ndarray | None = None,
) -> PairResponses:
    """Linear responses, with pairs' slopes raised by a number in the direction of their sign.

    `slopes` (inputs, outputs) are the slopes before raising. Default: normal with `spread`.
    """
    rng = np.random.default_rng(seed)
    inputs, outputs = (sorted(set(pairs[side])) for side in ("input", "output"))
    rows = pd.Index(inputs).get_indexer(pairs["input"])
    columns = pd.Index(outputs).get_indexer(pairs["output"])
    if slopes is None:
        slopes = rng.normal(0, spread, (len(inputs), len(outputs)))
    slopes = slopes.copy()
    slopes[rows, columns] += raised * pairs["sign"].to_numpy()
    controls = rng.normal(0, spread, (len(pairs), 2, CONTROL_GENES))
    paired = np.zeros(slopes.shape, dtype=bool)
    paired[rows, columns] = True
    by_kind = np.stack(
        [
            slopes[rows, columns],
            np.ma.masked_array(slopes, paired).mean(axis=1).filled(np.nan)[rows],
            *controls.mean(axis=2).T,
        ],
        axis=1,
    )
    # Samples' deviations are centred, so that means over samples are the truth.
    noise = rng.normal(0, spread / 5, (len(pairs), len(KINDS), len(patients)))
    by_sample = by_kind[:, :, None] + noise - noise.mean(axis=2, keepdims=True)
    levels = np.linspace(0, rng.uniform(1, 4, len(inputs)), 5, axis=1).astype(np.float32)
    curves = 0.5 + by_sample[..., None] * levels[rows][:, None, None]
    samples = pd.DataFrame(
        {
            "sample": [f"S{number}" for number in range(len(patients))],
            "patient": patients,
            "patient_seen": [patient in "AB" for patient in patients],
            "n_spots": 100,
        }
    )
    return PairResponses(
        pairs, inputs, outputs, samples, levels, curves.astype(np.float32),
        slopes.astype(np.float32), controls.astype(np.float32),
    )  # fmt: skip


def coexpression_like(responses: PairResponses, seed: int = 5) -> Coexpression:
    """Random co-expression, with genes in another order than in the responses."""
    inputs, outputs = responses.inputs[::-1], responses.outputs[::-1]
    pooled, within = np.random.default_rng(seed).normal(0, 0.1, (2, len(inputs), len(outputs)))
    return Coexpression(inputs, outputs, pooled.astype(np.float32), within.astype(np.float32))


def genes_like(pairs: pd.DataFrame, seed: int = 6) -> pd.DataFrame:
    """The pairs with the mean expression of their genes."""
    names = pd.unique(pairs[["input", "output"]].to_numpy().ravel())
    mean = pd.Series(np.random.default_rng(seed).random(len(names)), names)
    return pairs.assign(input_mean=pairs["input"].map(mean), output_mean=pairs["output"].map(mean))


@cache
def tables(number: int = 36, patients: tuple[str, ...] = PATIENTS) -> dict[str, pd.DataFrame]:
    pairs = pairs_like().head(number)
    both = (
        responses_like(pairs, 0.1, patients=patients),
        responses_like(exchanged(pairs), 0.02, seed=1, patients=patients),
    )
    found = summarise_pairs(both, tuple(map(coexpression_like, both)), genes_like(pairs), seed=0)
    names = {"model": "paper", "cohort": "breast", "pair_table": "ligand_receptor"}
    return {name: table.assign(**names) for name, table in found.items()}


def maps_like(pairs: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    x, y = (axis.ravel() * 250.0 for axis in np.meshgrid(np.arange(20), np.arange(14)))
    parts = [
        pd.DataFrame(
            {
                "sample": "S1",
                "spot": [f"spot{i}" for i in range(len(x))],
                "x_pixels": x,
                "y_pixels": y,
                "input": f"CXCL{number}",
                "output": f"CXCR{number}",
                "input_neighbours": rng.random(len(x)),
                "low": rng.random(len(x)) * float(number > 0),  # the first predicts nothing
                "high": rng.random(len(x)) * float(number > 0),
            }
        )
        for number in range(pairs)
    ]
    maps = pd.concat(parts, ignore_index=True).assign(model="paper", cohort="breast")
    return maps.assign(response=maps["high"] - maps["low"])
