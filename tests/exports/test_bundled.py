"""The bundled weights reproduce the committed scores."""

import numpy as np
import pytest

import sagefm
from bench.calibration import calibration_table, labelled_sections
from sagefm.common.io import read_table

pytestmark = pytest.mark.slow


def test_the_light_model_has_its_score_in_held_out_patients(repo):
    table = read_table(repo / "docs/results/demo/tasks.tsv")
    where = (
        (table["task"] == "pathology")
        & (table["representation"] == "sagefm-light")
        & (table["protocol"] == "held_out_patients")
        & (table["classifier"] == "logistic")
        & ~table["centred"]
    )
    (row,) = table[where].to_dict("records")
    model = sagefm.load("light", device="cpu")
    facts = sagefm.fit_reference(
        labelled_sections(), model, "label", patient="patient", library_key="slide"
    ).facts
    assert (facts["n_spots"], facts["n_patients"]) == (row["n_spots"], row["n_patients"])
    for name in ("patient_balanced_accuracy", "accuracy"):
        np.testing.assert_allclose(facts[name], row[name], atol=0.002)


def test_its_probabilities_are_worth_what_is_committed(repo):
    committed = read_table(repo / "docs/results/light/calibration.tsv").set_index("name")["value"]
    found = calibration_table().set_index("name")["value"]
    assert list(found.index) == list(committed.index)
    # Rounding differs with processor and threads, and may choose another penalty of a classifier.
    np.testing.assert_allclose(found, committed, rtol=0.05, atol=0.03)
