"""The headline score: which classes and patients count, its interval, and paired differences."""

import numpy as np
import pandas as pd
import pytest

from sagefm.annotation.by_patient import headline_score, patient_table, task_comparisons
from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.annotation.scores import score
from sagefm.annotation.summary import summarise_task
from sagefm.annotation.terms import HEADLINE, KEYS
from sagefm.common.errors import InputError
from sagefm.representations.catalogue import Catalogue
from sagefm.stats.paired import holm, paired_difference, t_interval
from support.annotated import PLAN, labels_of, representation_of


def predicted(patients: dict[str, dict[str, tuple[int, int]]], representation: str = "sagefm-m"):
    """Predictions of patients, from the spots of each class and how many of them are right."""
    rows = [
        (patient, truth, truth if spot < right else "other")
        for patient, classes in patients.items()
        for truth, (spots, right) in classes.items()
        for spot in range(spots)
    ]
    table = pd.DataFrame(rows, columns=["patient", "truth", "predicted"])
    return table.assign(
        representation=representation,
        centred=False,
        classifier="logistic",
        protocol="held_out_patients",
        repeat=0,
        sample=table["patient"],
        spot=np.arange(len(table)).astype(str),
    )


# The model finds most spots of the large classes, the baseline one spot of `rare` and two of
# `scarce`: pooled over classes the baseline leads by the three spots alone.
MODEL = {
    "A": {"large": (100, 90), "small": (20, 14), "rare": (1, 0)},
    "B": {"large": (80, 72), "small": (10, 7), "scarce": (2, 0)},
    "C": {"large": (50, 45), "small": (5, 3)},
}
BASELINE = {
    "A": {"large": (100, 60), "small": (20, 6), "rare": (1, 1)},
    "B": {"large": (80, 48), "small": (10, 3), "scarce": (2, 2)},
    "C": {"large": (50, 30), "small": (5, 1)},
}


def test_a_class_of_one_spot_and_one_of_two_decide_nothing():
    model, baseline = predicted(MODEL), predicted(BASELINE, "mofa")
    pooled = [
        score(own, ["large", "other", "rare", "scarce", "small"])["balanced_accuracy"]
        for own in (model, baseline)
    ]
    assert pooled[1] > 0.7 > 0.5 > pooled[0]
    patients = patient_table(pd.concat([model, baseline]), {}, min_class_spots=5)
    own = patients.set_index(["representation", "patient"])
    np.testing.assert_allclose(own.loc["sagefm-m", HEADLINE], [0.8, 0.8, 0.75])
    np.testing.assert_allclose(own.loc["mofa", HEADLINE], [0.45, 0.45, 0.4])
    assert (patients["n_classes"] == 2).all()
    assert list(own.loc["sagefm-m", "n_spots"]) == [121, 92, 55]
    assert own.loc[("sagefm-m", "A"), "accuracy"] == pytest.approx(104 / 121)
    table = task_comparisons(patients, {"all": list("ABC")}, ["mofa"], {"mofa": True})
    row = table[(table["metric"] == HEADLINE) & (table["representation"] == "sagefm-m")].iloc[0]
    assert row["difference"] == pytest.approx(0.35) and row["better_in"] == 3
    every = patient_table(pd.concat([model, baseline]), {}, min_class_spots=1)
    wide = every.pivot(index="patient", columns="representation", values=HEADLINE)
    assert list(wide["mofa"] > wide["sagefm-m"]) == [True, True, False]


def test_a_class_counts_from_its_tested_spots_of_all_repeats_each_once():
    own = predicted({"A": {"a": (4, 4), "b": (5, 0)}})
    twice = pd.concat([own, own.assign(repeat=1)])
    (row,) = patient_table(twice, {}, min_class_spots=5).to_dict("records")
    assert (row["n_classes"], row["n_spots"], row[HEADLINE]) == (1, 9, 0)
    (row,) = patient_table(twice, {}, min_class_spots=4).to_dict("records")
    assert (row["n_classes"], row[HEADLINE]) == (2, 0.5)


def test_a_patient_of_one_class_has_its_recall_and_one_of_none_is_left_out():
    patients = patient_table(
        predicted({"A": {"a": (10, 7)}, "B": {"a": (10, 5), "b": (10, 10)}, "C": {"b": (4, 4)}}),
        {},
        min_class_spots=5,
    )
    np.testing.assert_allclose(patients[HEADLINE], [0.7, 0.75, np.nan])
    assert list(patients["n_classes"]) == [1, 2, 0]
    found = headline_score(patients)
    assert found["n_patients_counted"] == 2
    mean, low, high = t_interval(np.array([0.7, 0.75]))
    assert [found[HEADLINE], found[f"{HEADLINE}_low"], found[f"{HEADLINE}_high"]] == [
        mean, low, high,
    ]  # fmt: skip
    assert low < mean < high
    alone = headline_score(patients.iloc[:1])
    assert alone[HEADLINE] == pytest.approx(0.7) and np.isnan(alone[f"{HEADLINE}_low"])


def test_the_score_is_the_mean_of_the_patients_table_and_what_is_compared():
    labels = labels_of(patients=4)
    annotations = {
        name: annotate_task(representation_of(labels, name, noise, seed), labels, PLAN)
        for seed, (name, noise) in enumerate({"pca": 2.0, "sagefm-m": 0.4}.items())
    }
    found = summarise_task(
        labels, annotations, PLAN, min_class_spots=3, splits={}, rows=[],
        costs=pd.DataFrame(columns=["representation"]), headline="sagefm-m",
    )  # fmt: skip
    scores, patients = found["scores"].set_index(KEYS), found["patients"]
    for keys, own in patients.groupby(KEYS):
        assert scores.loc[keys, HEADLINE] == pytest.approx(own[HEADLINE].mean())
        expected = t_interval(own[HEADLINE].to_numpy())[1:]
        ends = scores.loc[keys, [f"{HEADLINE}_low", f"{HEADLINE}_high"]].to_numpy(dtype=float)
        np.testing.assert_allclose(ends, expected)
    comparisons = found["comparisons"]
    row = comparisons[
        (comparisons["representation"] == "sagefm-m")
        & (comparisons["protocol"] == "held_out_patients")
        & (comparisons["metric"] == HEADLINE)
    ].iloc[0]
    mine, other = (
        scores.loc[(name, False, "logistic", "held_out_patients"), HEADLINE]
        for name in ("sagefm-m", "pca")
    )
    assert row["difference"] == pytest.approx(mine - other)
    assert row["transductive"] and row["baseline_transductive"]
    with pytest.raises(InputError, match=r"no patient has 99 spots of a class\. Fix: lower"):
        summarise_task(
            labels, annotations, PLAN, min_class_spots=99, splits={}, rows=[],
            costs=pd.DataFrame(columns=["representation"]), headline="sagefm-m",
        )  # fmt: skip


def test_paired_differences_use_the_sign_flip_test_and_holm_over_the_references():
    labels = labels_of(patients=6)
    plan = AnnotationPlan(["held_out_patients"], ["logistic"])
    predictions = pd.concat(
        annotate_task(representation_of(labels, noise=noise, seed=i), labels, plan)[0].assign(
            representation=name
        )
        for i, (name, noise) in enumerate({"pca": 2.0, "banksy": 0.5, "sagefm-m": 0.3}.items())
    )
    seen = pd.Series([True, pd.NA, False, False, False, False], dtype="boolean")
    names = [f"p{i}" for i in range(6)]
    patients = patient_table(predictions, {"sagefm-m": seen.set_axis(names)}, 3)
    references = ["mofa", "pca", "banksy"]
    table = task_comparisons(patients, {"all": names}, references, {"pca": True, "banksy": False})
    own = table[(table["representation"] == "sagefm-m") & (table["metric"] == "accuracy")]
    assert list(own["baseline"]) == ["pca", "banksy"]
    assert (own["n_comparisons"] == 2).all()
    np.testing.assert_allclose(own["p_holm"], holm(own["p"].to_numpy()))
    assert list(own["baseline_transductive"]) == [True, False]
    wide = patients.pivot(index="patient", columns="representation", values="accuracy")
    expected = paired_difference((wide["sagefm-m"] - wide["pca"]).to_numpy())
    for name in ("difference", "low", "high", "p", "smallest_p", "better_in"):
        assert own.iloc[0][name] == pytest.approx(expected[name]), name
    assert own.iloc[0]["smallest_p"] == 2 / 2**6 and (own["n_patients"] == 6).all()
    seen_of_model = patients[patients["representation"] == "sagefm-m"].set_index("patient")["seen"]
    assert seen_of_model["p0"] and seen_of_model["p1"] is pd.NA and not seen_of_model["p2"]
    assert not patients.loc[patients["representation"] == "pca", "seen"].any()


def test_bounds_stand_in_the_tables_but_are_never_the_best():
    labels = labels_of(patients=4)
    annotations = {
        name: annotate_task(representation_of(labels, name, noise, seed), labels, PLAN)
        for seed, (name, noise) in enumerate(
            {"truth": 0.01, "depth": 0.3, "pca": 2.0, "sagefm-m": 3.0}.items()
        )
    }
    roles = {"truth": "ceiling", "depth": "control", "pca": "untrained"}
    catalogue = Catalogue({name: {"title": name, "role": role} for name, role in roles.items()})
    found = summarise_task(
        labels, annotations, PLAN, min_class_spots=3, splits={}, rows=[],
        costs=pd.DataFrame(columns=["representation"]), headline="sagefm-m", catalogue=catalogue,
    )  # fmt: skip
    assert set(annotations) < set(found["scores"]["representation"])
    shown = found["shown"].set_index("role")["representation"]
    assert shown["best"] == "pca"
    assert set(found["comparisons"]["baseline"]) == {"pca", "depth"}
