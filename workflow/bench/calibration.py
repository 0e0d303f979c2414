"""Calibration of the light model's class probabilities on new patients and on another organ.

A reference is fitted to the demo's breast sections, as `sagefm annotate` does. It is then applied
to a hippocampus section that contains none of its classes. From the repository (see `make light`):

    python workflow/bench/calibration.py results/light

writes `calibration.tsv` to the run's folder.
"""

import sys
from pathlib import Path

import anndata
import pandas as pd

import sagefm
from bench.dry_run import REPO
from sagefm.common.io import read_table, write_table

LABELLED, ELSEWHERE = "breast", "hippocampus_V11L05-335_C1"
UNDECIDED = "undetermined"
THRESHOLDS = (0.5, 0.6, 0.8, 0.9)


def labelled_sections() -> anndata.AnnData:
    """Read the sections of the demo's breast cohort; `obs` has slide, patient and label."""
    labels = read_table(REPO / "resources/demo/labels.tsv", dtype=str)
    sections = {}
    for row in read_table(REPO / f"config/samples/{LABELLED}.tsv", dtype=str).to_dict("records"):
        adata = anndata.read_h5ad(REPO / row["path_or_id"])
        own = labels[labels["sample"] == row["sample"]].set_index("spot")["label"]
        adata.obs["label"] = own[own != UNDECIDED].reindex(adata.obs_names).to_numpy(dtype=object)
        adata.obs["patient"] = row["patient"]
        sections[row["sample"]] = adata
    # As in the workflow, genes that a section lacks are 0.
    return anndata.concat(sections, label="slide", index_unique=":", join="outer", fill_value=0)


def calibration_table() -> pd.DataFrame:
    """Return rows `name, value, detail`: calibration errors and shares of spots called."""
    light = sagefm.load("light", device="cpu")
    which = {"patient": "patient", "library_key": "slide"}
    reference = sagefm.fit_reference(labelled_sections(), light, "label", **which)
    facts = reference.facts
    of = f"{facts['n_spots']:,} spots of {facts['n_patients']} patients, each held out once"
    rows = [
        ("temperature", reference.temperature, of),
        ("calibration_error", facts["calibration_error"], of),
        ("calibration_error_before", facts["calibration_error_before"], of),
    ]
    calls = reference.calls.set_index("threshold")
    path = REPO / f"resources/demo/visium/{ELSEWHERE}.h5ad"
    highest = reference.probabilities(
        sagefm.embed(sagefm.read(path, light), light).obsm["X_sagefm"]
    ).max(axis=1)
    for threshold in THRESHOLDS:
        called, accuracy = calls.loc[threshold, ["share_called", "accuracy_called"]]
        rows += [
            (f"called_{threshold}", called, of),
            (f"accuracy_called_{threshold}", accuracy, of),
            (
                f"called_elsewhere_{threshold}",
                (highest >= threshold).mean(),
                f"{len(highest):,} spots of a hippocampus",
            ),
        ]
    return pd.DataFrame(rows, columns=["name", "value", "detail"])


if __name__ == "__main__":
    found = calibration_table()
    print(found.to_string(index=False))
    write_table(found, Path(sys.argv[1]) / "calibration.tsv")
