"""What a run's first figure shows: sections by organ and part, one neighbourhood, the network."""

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from sagefm.common.text import count
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.networks.registry import DECODER
from sagefm.plotting.histology import Tissue
from sagefm.sections.section import spot_names, spot_positions
from sagefm.stats.patients import name_patients

PARTS = {
    "train": "for training",
    "validation": "for validation",
    "test": "for testing",
    "scored only": "only scored",
}
"""Parts of the split, and what a section is of a cohort that no model was trained on; in words."""


def sections_table(
    rows: pd.DataFrame, qc: Sequence[pd.DataFrame], split: pd.DataFrame
) -> pd.DataFrame:
    """One row a section: cohort, sample, patient (as `name_patients`), organ, part, n_spots.

    Parameters
    ----------
    rows
        Of the sheets: cohort, sample, dataset, patient, organ.
    qc
        Of `qc.qc_table`, one a cohort.
    split
        The headline model's: cohort, sample, part.
    """
    key = ["cohort", "sample"]
    kept = pd.concat([cohort[[*key, "spots_kept"]].astype({"sample": str}) for cohort in qc])
    table = rows.merge(kept, on=key).merge(split[[*key, "part"]], on=key, how="left")
    table["part"] = table["part"].fillna([*PARTS][-1])
    table["patient"] = name_patients(table)
    return table.drop(columns="dataset").rename(columns={"spots_kept": "n_spots"})


def parts_counted(sections: pd.DataFrame) -> str:
    """How many sections are for what: `Of 28 sections: 17 for training, 11 only scored`.

    Parameters
    ----------
    sections
        Of `sections_table`.
    """
    number = sections["part"].value_counts()
    words = [f"{number[part]:,} {use}" for part, use in PARTS.items() if part in number]
    return f"Of {count(len(sections), 'section')}: {', '.join(words)}"


def with_image(samples: Sequence[str | Path]) -> int:
    """The number of the first sample (h5ad) that has an image of the tissue; 0 if none has one."""
    images = (number for number, path in enumerate(samples) if Tissue.of_sample(path).image)
    return next(images, 0)


def neighbourhood_table(sample: str | Path, graph: str | Path) -> pd.DataFrame:
    """The spots of a section and the neighbourhood of the one in its middle.

    Columns sample, spot, x_pixels, y_pixels, counts, and role: centre, neighbour, other.
    """
    at, _ = spot_positions(sample)
    with h5py.File(sample) as file:
        counts = file["obs/n_counts"][:]
    centre = int(np.linalg.norm(at - at.mean(axis=0), axis=1).argmin())
    drawn = load_graph(graph)
    role = np.full(len(at), "other", dtype=object)
    role[drawn.ego[drawn.indptr[centre] : drawn.indptr[centre + 1]]] = "neighbour"
    role[centre] = "centre"
    return pd.DataFrame(
        {
            "sample": Path(sample).stem,
            "spot": spot_names(sample),
            "x_pixels": at[:, 0],
            "y_pixels": at[:, 1],
            "counts": counts,
            "role": role,
        }
    )


def layers_table(shapes: Sequence[tuple[str, tuple[int, ...]]]) -> pd.DataFrame:
    """One row a layer of a network: layer, inputs, outputs, parameters (bias included).

    The decoder, which networks have before their other layers, comes last, as in the forward pass.

    Parameters
    ----------
    shapes
        Names and shapes of its parameters, first to last: matrices are (outputs, inputs).
    """
    layers: dict[str, dict] = {}
    for name, shape in shapes:
        layer = name.removesuffix(".bias").removesuffix(".weight").removesuffix(".lin")
        row = layers.setdefault(layer, {"layer": layer, "inputs": 0, "outputs": 0, "parameters": 0})
        row["parameters"] += int(np.prod(shape))
        if len(shape) == 2:
            row["outputs"], row["inputs"] = shape
    layers[DECODER] = layers.pop(DECODER)
    return pd.DataFrame(row for row in layers.values() if row["inputs"])
