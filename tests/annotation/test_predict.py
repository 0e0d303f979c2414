"""Annotation: no leaks, complete, scores equal to scikit-learn's, and skipped fits listed."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_fscore_support,
    roc_auc_score,
)

from sagefm.annotation.by_patient import patient_subsets, patients_of_models
from sagefm.annotation.predict import (
    AnnotationPlan,
    annotate_task,
    majority_predictions,
    task_folds,
)
from sagefm.annotation.scores import score, tally
from sagefm.annotation.summary import summarise_task
from sagefm.annotation.tables import class_table
from sagefm.annotation.terms import TEXT
from sagefm.common.errors import InputError
from sagefm.common.io import read_table, write_table
from sagefm.common.on_demand import OnDemand
from sagefm.representations.files import Representation
from sagefm.stats.resampling import resampling
from support.annotated import CLASSES, PLAN, PROTOCOLS, labels_of, representation_of


@pytest.fixture(scope="module")
def annotated() -> tuple:
    labels = labels_of()
    return labels, *annotate_task(representation_of(labels), labels, PLAN)


# Predictions


def test_every_spot_of_the_task_is_predicted_once_while_its_patient_is_held_out(annotated):
    labels, predictions, fits = annotated
    own = predictions[predictions["protocol"] == "held_out_patients"]
    assert len(own) == labels["label"].notna().sum()
    assert not own.duplicated(["sample", "spot"]).any()
    assert (own["fold"] == own["patient"]).all()
    merged = own.merge(labels, on=["sample", "spot"])
    assert (merged["truth"] == merged["label"]).all()
    probability = own[[f"p_{name}" for name in CLASSES]].to_numpy()
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=1e-4)
    assert (np.array(CLASSES)[probability.argmax(axis=1)] == own["predicted"]).mean() > 0.99
    assert fits["transductive"].all() and not fits["spatial_method"].any()
    assert (fits["n_train"] + fits["n_test"] == len(own)).all()


def test_a_copy_of_a_held_out_section_is_held_out_with_it():
    labels = labels_of()
    labels["section"] = labels["sample"].replace("s3", "s1")
    plan = AnnotationPlan(["held_out_samples"], ["logistic"])
    found = {fold.name: fold for fold, _ in task_folds(labels, plan)}
    assert list(found) == ["s0", "s1", "s2"]
    assert set(labels["sample"].iloc[found["s1"].test]) == {"s1", "s3"}
    assert set(labels["sample"].iloc[found["s1"].train]) == {"s0", "s2"}
    alone = task_folds(labels.drop(columns="section"), plan)
    assert [fold.name for fold, _ in alone] == ["s0", "s1", "s2", "s3"]


def test_what_is_held_out_changes_nothing_that_was_learned():
    """Other labels and values of the patient held out: its predictions come of the same model."""
    labels = labels_of(patients=3)
    representation = representation_of(labels)
    plan = AnnotationPlan(["held_out_patients"], ["logistic", "knn"])
    before, _ = annotate_task(representation, labels, plan)
    held = (labels["patient"] == "p1").to_numpy()
    changed = labels.copy()
    changed.loc[held & labels["label"].notna(), "label"] = "a"
    after, _ = annotate_task(representation, changed, plan)
    columns = [f"p_{name}" for name in CLASSES]
    own = (before["fold"] == "p1").to_numpy()
    pd.testing.assert_frame_equal(before.loc[own, columns], after.loc[own, columns])
    # And the values of other test spots than itself play no role for a spot.
    values = representation.values.copy()
    first = np.flatnonzero(held & labels["label"].notna())[0]
    values[held & (np.arange(len(values)) != first)] += 100
    moved = Representation("pca", values, representation.obs, representation.spatial, True, False)
    again, _ = annotate_task(moved, labels, plan)
    spot = (before["fold"] == "p1") & (before["spot"] == labels["spot"][first])
    pd.testing.assert_frame_equal(before.loc[spot, columns], again.loc[spot, columns])


def test_csr_values_give_the_predictions_of_dense_ones():
    labels = labels_of()
    dense = representation_of(labels)
    thin = Representation(
        "raw", sp.csr_matrix(dense.values), dense.obs, dense.spatial, False, False
    )
    plan = AnnotationPlan(PROTOCOLS, ["logistic"], centred=[False, True], repeats=1)
    first, second = (annotate_task(own, labels, plan)[0] for own in (dense, thin))
    columns = [f"p_{name}" for name in CLASSES]
    np.testing.assert_allclose(first[columns], second[columns], atol=0.02)
    assert set(first["centred"]) == {False, True}


def test_only_the_first_classifier_sees_the_second_centring():
    labels = labels_of(patients=2)
    plan = AnnotationPlan(["held_out_patients"], ["logistic", "knn"], centred=[False, True])
    predictions, _ = annotate_task(representation_of(labels), labels, plan)
    found = set(predictions.groupby(["classifier", "centred"]).groups)
    assert found == {("logistic", False), ("logistic", True), ("knn", False)}


def test_a_class_that_training_lacks_is_counted_as_wrong_and_told():
    labels = labels_of()
    only = (labels["label"] == "c") & (labels["patient"] != "p2")
    labels.loc[only, "label"] = "b"
    predictions, fits = annotate_task(representation_of(labels), labels, PLAN)
    own = predictions[(predictions["protocol"] == "held_out_patients")]
    unseen = own[own["truth"] == "c"]
    assert len(unseen) > 0 and set(unseen["patient"]) == {"p2"}
    assert (unseen["predicted"] != "c").all() and (unseen["p_c"] == 0).all()
    row = fits[(fits["protocol"] == "held_out_patients") & (fits["fold"] == "p2")].iloc[0]
    assert row["classes_unseen"] == "c" and row["n_unseen"] == len(unseen)


def test_a_fold_with_one_class_in_training_is_skipped_and_told():
    labels = labels_of(patients=2)
    labels.loc[(labels["patient"] == "p0") & labels["label"].notna(), "label"] = "a"
    predictions, fits = annotate_task(representation_of(labels), labels, PLAN)
    held = fits[fits["protocol"] == "held_out_patients"].set_index("fold")
    assert held.loc["p1", "skipped"] == "the training part has `a` alone"
    assert held.loc["p0", "skipped"] == ""
    assert set(predictions.loc[predictions["protocol"] == "held_out_patients", "fold"]) == {"p0"}


def test_one_patient_only_skips_the_protocol():
    labels = labels_of(patients=1, spots=60)
    spots = labels.dropna(subset=["label"]).reset_index(drop=True)
    reasons = [why for _, why in task_folds(spots, PLAN) if why]
    assert reasons == ["the cohort has one patient only"]
    predictions, _ = annotate_task(representation_of(labels), labels, PLAN)
    assert set(predictions["protocol"]) == {"random_spots"}


def test_labels_of_other_spots_are_refused():
    labels = labels_of()
    with pytest.raises(InputError, match="its spots are not those of the cohort"):
        annotate_task(representation_of(labels), labels.iloc[::-1].reset_index(drop=True), PLAN)


# Scores


def test_scores_are_those_of_scikit_learn(annotated):
    _, predictions, _ = annotated
    own = predictions[predictions["protocol"] == "held_out_patients"]
    found = score(own, CLASSES)
    truth, predicted = own["truth"], own["predicted"]
    probability = own[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, predicted))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, predicted, average="macro"))
    one_against_rest = np.mean(
        [roc_auc_score(truth == name, p) for name, p in zip(CLASSES, probability.T, strict=True)]
    )
    assert found["auroc"] == pytest.approx(one_against_rest)
    assert found["n_spots"] == len(own) and found["n_patients"] == 4
    for metric in ("accuracy", "balanced_accuracy", "macro_f1", "auroc"):
        assert found[f"{metric}_low"] <= found[metric] <= found[f"{metric}_high"]


def test_a_resampled_score_is_that_of_the_patients_drawn(annotated):
    """Weights of patients against scikit-learn on the rows repeated as often."""
    _, predictions, _ = annotated
    own = predictions[predictions["protocol"] == "held_out_patients"]
    names = sorted(own["patient"].unique())
    weights = np.array([2.0, 0.0, 1.0, 1.0])
    found = tally(own, CLASSES, names).scores(weights[None])
    rows = pd.concat(
        own[own["patient"] == name] for name, n in zip(names, weights, strict=True)
        for _ in range(int(n))
    )  # fmt: skip
    truth, predicted = rows["truth"], rows["predicted"]
    assert found["accuracy"][0] == pytest.approx(accuracy_score(truth, predicted))
    assert found["balanced_accuracy"][0] == pytest.approx(balanced_accuracy_score(truth, predicted))
    expected = np.mean([roc_auc_score(truth == name, rows[f"p_{name}"]) for name in CLASSES])
    assert found["auroc"][0] == pytest.approx(expected)


def test_repeats_are_averaged(annotated):
    _, predictions, _ = annotated
    own = predictions[predictions["protocol"] == "random_spots"]
    each = [accuracy_score(part["truth"], part["predicted"]) for _, part in own.groupby("repeat")]
    assert len(each) == 2
    assert score(own, CLASSES)["accuracy"] == pytest.approx(np.mean(each))


def test_the_bootstrap_is_seeded_and_one_patient_has_no_interval(annotated):
    np.testing.assert_array_equal(resampling(5, 10, 1), resampling(5, 10, 1))
    assert (resampling(5, 10, 1) != resampling(5, 10, 2)).any()
    assert (resampling(5, 10, 1).sum(axis=1) == 5).all()
    _, predictions, _ = annotated
    own = predictions[predictions["fold"] == "p1"]
    found = score(own, CLASSES)
    assert np.isnan(found["accuracy_low"]) and found["n_patients"] == 1


def test_class_scores_are_those_of_scikit_learn(annotated):
    _, predictions, _ = annotated
    own = predictions[predictions["protocol"] == "held_out_patients"]
    table = class_table(own.assign(representation="pca")).set_index("class")
    expected = precision_recall_fscore_support(own["truth"], own["predicted"], labels=CLASSES)
    for column, values in zip(("precision", "recall", "f1", "n_spots"), expected, strict=True):
        np.testing.assert_allclose(table.loc[list(CLASSES), column], values)


def test_the_majority_is_that_of_the_training_part():
    labels = labels_of()
    labels.loc[labels["patient"] == "p0", "label"] = "b"
    spots = labels.dropna(subset=["label"]).reset_index(drop=True)
    found = majority_predictions(spots, AnnotationPlan(["held_out_patients"], ["logistic"]))
    for patient, own in found.groupby("patient"):
        others = spots.loc[spots["patient"] != patient, "label"]
        assert set(own["predicted"]) == {others.value_counts().idxmax()}
    assert np.isnan(score(found, CLASSES)["auroc"])


def test_the_majority_is_scored_on_the_folds_of_the_others():
    labels = labels_of(patients=2)
    labels.loc[(labels["patient"] == "p0") & labels["label"].notna(), "label"] = "a"
    others, _ = annotate_task(representation_of(labels), labels, PLAN)
    found = majority_predictions(labels.dropna(subset=["label"]).reset_index(drop=True), PLAN)
    spots = ["protocol", "repeat", "fold", "sample", "spot"]
    pd.testing.assert_frame_equal(
        found[spots].sort_values(spots, ignore_index=True),
        others[spots].sort_values(spots, ignore_index=True),
    )


# Patients seen, subsets, paired differences


def test_patients_seen_and_the_subset_that_was_not():
    rows = pd.DataFrame(
        {"cohort": "x", "sample": ["s0", "s1", "s2"], "dataset": "d", "patient": ["A", "B", ""]}
    )
    seen = patients_of_models({"strict": split_of("A", "B")}, rows)
    assert list(seen) == ["sagefm-strict"]
    strict = seen["sagefm-strict"]
    assert strict.dropna().to_dict() == {"A": True, "B": False} and pd.isna(strict["s2"])
    assert patient_subsets(["A", "B", "s2"], seen) == {
        "all": ["A", "B", "s2"],
        "unseen by sagefm-strict": ["B"],
    }
    assert list(patient_subsets(["A"], seen)) == list(patient_subsets(["A", "s2"], seen)) == ["all"]


def split_of(train: str, test: str, dataset: str = "d") -> pd.DataFrame:
    """A model that was trained on one patient and tested on another."""
    return pd.DataFrame(
        {"cohort": "y", "sample": ["t0", "t1"], "dataset": dataset, "patient": [train, test],
         "group": [f"{dataset}:{train}", f"{dataset}:{test}"], "part": ["train", "test"]}
    )  # fmt: skip


def test_patients_seen_go_by_the_names_of_the_labels():
    """Two data sets whose patients are both called P1: two persons, as in a cohort's obs."""
    rows = pd.DataFrame(
        {"cohort": "x", "sample": ["s0", "s1"], "dataset": ["d", "e"], "patient": "P1"}
    )
    seen = patients_of_models({"m": split_of("P1", "P2", dataset="e")}, rows)["sagefm-m"]
    assert seen.to_dict() == {"d:P1": False, "e:P1": True}


# All tables together


def test_summary_sets_everything_side_by_side():
    labels = labels_of()
    annotations = {
        name: annotate_task(representation_of(labels, name, noise, seed), labels, PLAN)
        for seed, (name, noise) in enumerate(
            {"pca": 1.0, "neighbour_mean": 2.0, "sagefm-m": 0.5}.items()
        )
    }
    rows = [
        {"cohort": "x", "sample": f"s{i}", "dataset": "d", "patient": f"p{i}"} for i in range(4)
    ]
    split = split_of("p0", "p9")
    costs = pd.DataFrame({"representation": ["pca"], "seconds": [3.0], "peak_mib": [100.0]})
    found = summarise_task(
        labels, annotations, PLAN, min_class_spots=5, splits={"m": split}, rows=rows, costs=costs,
        headline="sagefm-m",
    )  # fmt: skip
    scores = found["scores"]
    assert set(scores["representation"]) == {"pca", "neighbour_mean", "sagefm-m", "majority"}
    assert set(scores["subset"]) == {"all", "unseen by sagefm-m"}
    mine = scores[(scores["representation"] == "sagefm-m") & (scores["subset"] == "all")]
    assert (mine["patients_seen"] == 1).all() and (mine["patients_unknown"] == 0).all()
    unseen = scores[scores["subset"] != "all"]
    assert (unseen["patients_seen"] == 0).all() and (unseen["n_patients"] == 3).all()
    pca = scores[scores["representation"] == "pca"]
    assert (pca["representation_seconds"] == 3).all() and (pca["peak_mib"] == 100).all()
    assert found["skipped"].empty
    assert list(found["shown"]["role"]) == ["headline", "best", "baseline"]
    assert list(found["shown"]["representation"]) == ["sagefm-m", "pca", "neighbour_mean"]
    maps = found["maps"]
    assert len(maps) == len(labels)
    assert maps["headline"].notna().equals(labels["label"].notna())
    counted = found["confusion"].groupby(["representation", "protocol"])["n_spots"].sum()
    assert counted["pca", "held_out_patients"] == labels["label"].notna().sum()


def test_classes_and_spots_called_by_numbers_come_back_from_files(tmp_path):
    labels = labels_of()
    numbered = labels.assign(
        label=labels["label"].map({"a": "1", "b": "2", "c": "10"}),
        patient=labels["patient"].str.removeprefix("p"),
        spot=[f"0{i}" for i in range(len(labels))],
    )
    values = representation_of(labels).values
    obs = numbered[["sample", "patient", "spot"]]
    obs = obs.set_index(obs["sample"] + ":" + obs["spot"])
    spatial = labels[["x_pixels", "y_pixels"]].to_numpy()
    write_table(numbered, tmp_path / "labels.tsv.gz")
    read = read_table(tmp_path / "labels.tsv.gz", dtype=TEXT)
    representation = Representation("pca", values, obs, spatial, True, False)
    for name, table in zip(("predictions", "fits"), annotate_task(representation, read, PLAN),
                           strict=True):  # fmt: skip
        write_table(table, tmp_path / f"{name}.tsv")
    found = summarise_task(
        read,
        {"pca": [read_table(tmp_path / f"{n}.tsv", dtype=TEXT) for n in ("predictions", "fits")]},
        PLAN, min_class_spots=5, splits={}, headline="sagefm-m",
        costs=pd.DataFrame(columns=["representation"]),
        rows=[{"cohort": "x", "sample": "s0", "dataset": "d", "patient": "0"}],
    )  # fmt: skip
    assert set(found["per_class"]["class"]) == {"1", "2", "10"}
    own = found["scores"].set_index(["representation", "protocol"])
    assert own.loc[("pca", "held_out_patients"), "accuracy"] > 0.4
    assert own.loc[("pca", "held_out_patients"), "auroc"] > 0.6
    write_table(found["maps"], tmp_path / "maps.tsv")
    maps = read_table(tmp_path / "maps.tsv", dtype=TEXT).dropna(subset=["best"])
    assert set(maps["best"]) | set(maps["label"]) == {"1", "2", "10"}


def test_predictions_of_one_representation_are_held_at_a_time():
    labels = labels_of()
    annotations = {
        name: annotate_task(representation_of(labels, name, noise), labels, PLAN)
        for name, noise in {"pca": 1.0, "neighbour_mean": 2.0, "sagefm-m": 0.5}.items()
    }
    held, most = [], []

    def read(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        gc.collect()
        most.append(sum(one() is not None for one in held))
        predictions, fits = (table.copy() for table in annotations[name])
        held.append(weakref.ref(predictions))
        return predictions, fits

    rest = {"min_class_spots": 5, "splits": {}, "rows": [], "headline": "sagefm-m"}
    rest["costs"] = pd.DataFrame(columns=["representation"])
    names = OnDemand({name: name for name in annotations}, read)
    found = summarise_task(labels, names, PLAN, **rest)
    assert len(most) > len(annotations)  # maps ask for two of them again
    assert most == [0] * len(most)
    for name, table in summarise_task(labels, annotations, PLAN, **rest).items():
        pd.testing.assert_frame_equal(found[name], table)


def test_nothing_to_score_is_told():
    labels = labels_of(patients=1, spots=60)
    plan = AnnotationPlan(["held_out_patients"], ["logistic"])
    annotations = {"pca": annotate_task(representation_of(labels), labels, plan)}
    with pytest.raises(InputError, match=r"no fold could be scored \(the cohort has one patient"):
        summarise_task(
            labels, annotations, plan, min_class_spots=5, splits={}, rows=[],
            costs=pd.DataFrame(), headline="pca",
        )  # fmt: skip
