"""Responses of gene pairs to perturbation, their slopes, and their files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.io import atomic

KINDS = ("matched", "unmatched", "random", "expression_matched")
"""Kinds of responding genes.

The pair's own output; the table's outputs that are not paired with the input; genes drawn from the
whole panel (the paper's baseline); and genes drawn from those with a mean expression similar to the
output's."""

_ARRAYS = ("levels", "curves", "slopes", "control_slopes")


@dataclass(frozen=True)
class PairResponses:
    """Responses of P pairs in S samples at L levels.

    Attributes
    ----------
    pairs
        P rows: input, output, sign, group. `input` is the perturbed gene.
    inputs, outputs
        The table's distinct inputs (I) and outputs (T).
    samples
        S rows: sample, patient, patient_seen (missing if unknown), n_spots.
    levels
        float32 (I, L): each input's levels, normalised expression.
    curves
        float32 (P, len(KINDS), S, L): mean prediction over a sample's spots, by kind.
    slopes
        float32 (I, T): slope of the mean prediction over samples against the level; NaN if the
        output is the input.
    control_slopes
        float32 (P, 2, C): the same slope for each random and each expression-matched control gene.
    """

    pairs: pd.DataFrame
    inputs: list[str]
    outputs: list[str]
    samples: pd.DataFrame
    levels: np.ndarray
    curves: np.ndarray
    slopes: np.ndarray
    control_slopes: np.ndarray


def slope_weights(levels: np.ndarray) -> np.ndarray:
    """Weights (I, L) that turn values at the levels (I, L) into their least-squares slope.

    They are NaN if the levels do not differ.
    """
    centred = levels - levels.mean(axis=1, keepdims=True, dtype=np.float64)
    spread = np.square(centred).sum(axis=1, keepdims=True)
    return centred / np.where(spread > 0, spread, np.nan)


def write_responses(path: str | Path, responses: PairResponses) -> None:
    """Write responses as npz of plain arrays."""
    arrays = {name: getattr(responses, name) for name in _ARRAYS}
    for name in ("inputs", "outputs"):
        arrays[name] = np.array(getattr(responses, name), dtype=np.str_)
    for name in ("pairs", "samples"):
        for column, values in getattr(responses, name).items():
            if isinstance(values.dtype, pd.BooleanDtype):  # for missing values
                values = values.astype(float)
            text = values.dtype == object or isinstance(values.dtype, pd.CategoricalDtype)
            arrays[f"{name}.{column}"] = values.to_numpy(np.str_ if text else None)
    with atomic(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_responses(path: str | Path) -> PairResponses:
    """Read responses written by `write_responses`."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)

    def table(name: str) -> pd.DataFrame:
        columns = [key for key in arrays if key.startswith(f"{name}.")]
        return pd.DataFrame({key.split(".")[1]: arrays[key] for key in columns})

    return PairResponses(
        pairs=table("pairs"),
        inputs=arrays["inputs"].tolist(),
        outputs=arrays["outputs"].tolist(),
        samples=table("samples"),
        **{name: arrays[name] for name in _ARRAYS},
    )
