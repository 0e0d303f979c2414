"""Claims against training: the table and the figure of `config/study.yaml`."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from sagefm.config.continued import complete_models
from sagefm.report.study import UNTRAINED, claims_against_training, trainings
from sagefm.report.study_figure import ASIDE, SCORES, draw_study, finding

MODELS = {
    "e0": {"title": "ours", "pretrain_on": ["a", "b"], "training": {"epochs": 0}},
    "e5": {"continues": "e0", "training": {"epochs": 5}},
    "few": {"title": "ours", "pretrain_on": ["a"], "training": {"epochs": 5}},
    "other": {"title": "another", "pretrain_on": ["a", "b"], "training": {"epochs": 9}},
}
SECTIONS = {"e0": 29, "e5": 29, "few": 3, "other": 29}
VALUES = {"sagefm-e0": 0.1, "sagefm-e5": 0.3, "sagefm-few": 0.2, "sagefm-other": 0.5, "pca": 0.4}


@pytest.fixture
def tables(tmp_path) -> dict[str, pd.DataFrame]:
    """As a run keeps them; each score of a representation is its number of `VALUES`."""
    for model, sections in SECTIONS.items():
        folder = tmp_path / model
        folder.mkdir()
        facts = {
            "parameters": 7,
            "train_samples": sections,
            "train_spots": 100 * sections,
            "epochs": {"e0": 0, "other": 4}.get(model, 5),
            "best_epoch": 3,
            "converged": model == "other",
            "best_validation_loss": 0.25,
            "seconds": 1.5,
        }
        (folder / "training.json").write_text(json.dumps(facts))
    names, values = list(VALUES), np.array(list(VALUES.values()))
    interval = {"low": values - 0.05, "high": values + 0.05}
    clustering = pd.DataFrame({"representation": names, "mean": values, **interval})
    accuracy = {f"patient_balanced_accuracy_{k}": v for k, v in interval.items()}
    scored = pd.DataFrame(
        {
            "representation": names,
            "protocol": "held_out_patients",
            "classifier": "logistic",
            "patient_balanced_accuracy": values,
            **accuracy,
        }
    )
    recovery = pd.DataFrame(
        [
            {
                "model": model,
                "predictor": predictor,
                "patients_recovered": value,
                "patients_recovered_low": value - 0.05,
                "patients_recovered_high": value + 0.05,
                "share_given_depth": value / 10,
            }
            for model in MODELS
            for predictor, value in (
                ("model", VALUES[f"sagefm-{model}"]),
                ("neighbour_mean", 0.6),
                ("visible_depth", 0.8),
            )
        ]
    )
    both = [scored.assign(task=task, centred=False) for task in ("pathology", "tumour")]
    centred = [one.assign(centred=True, patient_balanced_accuracy=0.99) for one in both]
    return {
        "trainings": trainings(tmp_path),
        "clustering": clustering.assign(centred=False),
        "tasks": pd.concat(both + centred),
        "recovery": recovery,
    }


@pytest.fixture
def table(tables) -> pd.DataFrame:
    return claims_against_training(yaml.safe_load(json.dumps(MODELS)), tables)


def test_each_model_has_its_scores_beside_how_long_it_was_trained(table):
    own = table.set_index("model")
    assert list(own.index) == [*MODELS, "pca", "neighbour_mean", "visible_depth"]
    five = own.loc["e5"]
    assert (five["series"], five["epochs"], five["sections"], five["spots"]) == (
        "ours",
        5,
        29,
        2900,
    )
    for score in ("recovered", "ari", "pathology", "tumour"):
        bounds = [five[f"{score}{bound}"] for bound in ("", "_low", "_high")]
        assert bounds == pytest.approx([0.3, 0.25, 0.35])
    assert five["given_depth"] == pytest.approx(0.03)
    stopped = own.loc["other"]
    assert (stopped["epochs"], stopped["trained_epochs"], stopped["converged"]) == (9, 4, True)


def test_what_needs_no_training_has_no_epochs(table, tables):
    pca = table.set_index("model").loc["pca"]
    assert pca["series"] == UNTRAINED
    assert pd.isna(pca["epochs"])
    assert pd.isna(pca["recovered"])
    assert pca["tumour"] == 0.4
    for name in ("clustering", "tasks"):
        tables[name] = tables[name].replace({"representation": {"pca": "neighbour_mean"}})
    own = claims_against_training(yaml.safe_load(json.dumps(MODELS)), tables).set_index("model")
    assert own.loc["neighbour_mean", ["recovered", "ari"]].tolist() == [0.6, 0.4]
    assert own.loc["visible_depth", "recovered"] == 0.8
    assert pd.isna(own.loc["visible_depth", "ari"])


def test_a_cost_that_differs_from_machine_to_machine_is_not_kept(tables):
    assert "seconds" not in tables["trainings"]


def test_epochs_are_drawn_above_and_sections_below(table):
    figure = draw_study(table)
    above, below = figure.axes[0], figure.axes[len(SCORES)]
    lines = {line.get_label(): line.get_xydata().tolist() for line in above.get_lines()}
    assert lines["ours"] == [[0, 0.1], [5, 0.3]]
    # It stopped before the 9 that it may have had; it is drawn beside the first series.
    assert lines["another"] == [[4 * ASIDE, 0.5]]
    (own,) = (line for line in below.get_lines() if line.get_label() == "ours")
    assert own.get_xydata().tolist() == [[3, 0.2], [29, 0.3]]


def test_numbers_of_epochs_that_would_overlap_are_left_out(table):
    table.loc[table["model"] == "other", "trained_epochs"] = 6
    axis = draw_study(table).axes[0].xaxis
    places = axis.get_majorticklocs()
    named = axis.get_major_formatter().format_ticks(places)
    assert dict(zip(places, named, strict=True)) == {0: "0", 5: "", 6: "6"}


def test_the_title_counts_the_scores_above_what_needs_no_training(table):
    assert finding(table) == (
        "Ours, 5 epochs on 29 sections: better than all that needs no training in none of 4 scores"
    )
    table.loc[table["model"] == "e5", "ari"] = 0.7
    assert "in 1 of 4 scores" in finding(table)


def test_the_study_is_a_chain_of_more_and_more_epochs_on_sections_it_is_not_judged_on(repo):
    config = yaml.safe_load((repo / "config/study.yaml").read_text())
    complete_models(config["models"])
    assert config["claims"]["models"] == list(config["models"])
    for model in config["models"].values():
        assert not {"breast"} & {*model["pretrain_on"]}
    sheets = [
        pd.read_csv(repo / entry["samples"], sep="\t")
        for name, entry in config["cohorts"].items()
        if name != "breast"
    ]
    rows = pd.concat(sheets)
    assert [len(sheet) for sheet in sheets] == [5, 5, 10, 17]
    known = pd.read_csv(repo / "resources/demo/sections.tsv", sep="\t").set_index("sample")
    judged = pd.read_csv(repo / "config/samples/breast.tsv", sep="\t")["sample"]
    assert {*rows["sample"]} == {*known.index} - {*judged}
    assert rows["sample"].is_unique
    assert (known.loc[rows["sample"], "n_spots"].to_numpy() == rows["expected_spots"]).all()
    assert (rows["source"] == "hest").sum() == 20
