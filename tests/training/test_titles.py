"""Titles of training figures state what the tables hold, whatever the result."""

import pandas as pd
import pytest

from sagefm.networks.registry import SQUARED_ERROR, Loss
from sagefm.training.titles import organs_tested, training_course

SUMMARY = {
    "epochs": 5,
    "best_epoch": 5,
    "converged": False,
    "best_validation_mse": 0.06,
    "validation_mse_neighbour_mean": 0.05,
}
ENDED = "validation loss was still falling after 5 epochs"


@pytest.mark.parametrize(
    ("mse", "words"),
    [(0.06, "20% above"), (0.04, "20% below"), (0.05, "equal to"), (0.0501, "equal to")],
)
def test_the_validation_error_is_held_against_the_neighbours_mean(mse, words):
    summary = SUMMARY | {"best_validation_mse": mse}
    title = training_course(summary, SQUARED_ERROR)
    assert title == f"Validation error {words} that of the untrained neighbour mean; {ENDED}"


@pytest.mark.parametrize(
    ("summary", "loss"),
    [
        (SUMMARY, Loss("multinomial")),
        (SUMMARY | {"validation_mse_neighbour_mean": None}, SQUARED_ERROR),
        ({key: SUMMARY[key] for key in ("epochs", "best_epoch", "converged")}, SQUARED_ERROR),
    ],
)
def test_without_a_reference_the_title_is_how_training_ended(summary, loss):
    assert training_course(summary, loss) == ENDED.capitalize()


def organs(**test: int) -> pd.DataFrame:
    return pd.DataFrame({"organ": [*test], "train": 3, "test": [*test.values()]})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (organs(Heart=1), "Every organ that is trained on has sections for testing"),
        (organs(Heart=0), "Trained on, but not tested: Heart (3 of 3 training sections)"),
        (organs(A=0, B=0, C=1), "Trained on, but not tested: A and B (6 of 9 training sections)"),
        (
            organs(A=0, B=0, C=0, D=0),
            "Trained on, but not tested: A, B and 2 more (12 of 12 training sections)",
        ),
    ],
)
def test_organs_that_are_never_tested_are_named(table, words):
    assert organs_tested(table) == words
