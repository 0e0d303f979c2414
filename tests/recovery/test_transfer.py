"""Recovery on cohorts of the training's technology and of others."""

import pandas as pd
import pytest

from sagefm.recovery.transfer import transfer_table

TECHNOLOGIES = {"old": ["ST"], "same": ["ST"], "new": ["Visium"], "unnamed": []}


def patients(cohort: str, *shares: float) -> pd.DataFrame:
    """Of a model and two others: the model's share of each patient, and others of 0.5 and 0.3."""
    others = [("neighbour_mean", "untrained", 0.3), ("visible_depth", "control", 0.5)]
    rows = [
        {"predictor": name, "role": role, "patient": f"P{i}", "recovered_shared": value}
        for i, own in enumerate(shares)
        for name, role, value in [("model", "model", own), *others]
    ]
    return pd.DataFrame(rows).assign(n_samples=2, n_spots=10, cohort=cohort, model="m")


@pytest.fixture
def table() -> pd.DataFrame:
    given = [patients("same", 0.2, 0.6), patients("new", 0.7), patients("unnamed", 0.1)]
    return transfer_table(pd.concat(given), TECHNOLOGIES, {"m": ["old"]}).set_index("cohort")


def test_a_cohort_of_another_technology_is_a_transfer(table):
    assert table["transfer"].to_dict() == {"same": "no", "new": "yes", "unnamed": "unknown"}
    assert table.loc["new", ["technology", "trained_on"]].tolist() == ["Visium", "ST"]


def test_shares_are_means_over_patients_beside_the_best_of_the_others(table):
    assert table["recovered_shared"].to_dict() == pytest.approx(
        {"same": 0.4, "new": 0.7, "unnamed": 0.1}
    )
    assert set(table["best_other"]) == {"visible_depth"}
    assert set(table["best_other_role"]) == {"control"}
    assert table["best_other_recovered_shared"].tolist() == pytest.approx([0.5] * 3)
    assert table.loc["same", ["n_patients", "n_samples", "n_spots"]].tolist() == [2, 4, 20]
