"""A reference: the annotation classifier saved to a file, with a reliable calibration."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from sagefm.annotation.calibration import (
    calibration_error,
    calls_table,
    fit_temperature,
    heated,
    held_out_temperatures,
    reliability_table,
)
from sagefm.annotation.classifiers import fit_classifier, fit_scaling
from sagefm.annotation.reference import Reference, protocol_of
from sagefm.common.errors import InputError
from sagefm.representations.files import Representation

CLASSES = np.array(["cortex", "medulla", "pelvis"])


def drawn(patients: int = 4, spots: int = 60, features: int = 6, seed: int = 0):
    """Spots of three classes, shifted by patient; as many columns as asked for."""
    rng = np.random.default_rng(seed)
    number = rng.integers(3, size=patients * spots)
    who = np.repeat(np.arange(patients), spots)
    centres, shifts = rng.normal(size=(3, features)), rng.normal(size=(patients, features)) / 2
    values = centres[number] + shifts[who] + rng.normal(size=(len(number), features))
    labels = pd.DataFrame(
        {
            "sample": [f"s{w}" for w in who],
            "patient": [f"p{w}" for w in who],
            "spot": [str(row) for row in range(len(who))],
            "x_pixels": np.tile(np.arange(spots, dtype=float), patients),
            "y_pixels": 0.0,
            "label": CLASSES[number],
        }
    )
    obs = labels[["sample", "spot"]].set_index(labels["sample"] + ":" + labels["spot"])
    places = labels[["x_pixels", "y_pixels"]].to_numpy()
    values = values.astype(np.float32)
    return Representation("x", values, obs, places, False, True), labels


# The temperature


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_overconfident_probabilities_is_found(temperature):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, 3)) * 2
    honest = softmax(logits, axis=1)
    truth = (rng.random((len(honest), 1)) > honest.cumsum(axis=1)).sum(axis=1)
    found = fit_temperature(softmax(logits * temperature, axis=1), truth)
    assert found == pytest.approx(temperature, rel=0.05)
    np.testing.assert_allclose(heated(softmax(logits * 2, axis=1), 2.0), honest, atol=1e-9)


def test_a_class_that_was_not_seen_keeps_probability_0_and_sets_no_temperature():
    probabilities = np.array([[0.7, 0.3, 0.0], [0.4, 0.6, 0.0], [0.9, 0.1, 0.0]])
    assert (heated(probabilities, 5.0)[:, 2] == 0).all()
    with_unseen = fit_temperature(probabilities, np.array([0, 0, 2]))
    assert with_unseen == fit_temperature(probabilities[:2], np.array([0, 0]))
    assert fit_temperature(probabilities, np.array([2, 2, 2])) == 1


def test_a_patients_temperature_does_not_read_the_patients_own_spots():
    rng = np.random.default_rng(2)
    probabilities = softmax(rng.normal(size=(90, 3)) * 4, axis=1)
    truth, groups = rng.integers(3, size=90), np.repeat(["a", "b", "c"], 30)
    before = held_out_temperatures(probabilities, truth, groups)
    changed = truth.copy()
    changed[:30] = probabilities[:30].argmax(axis=1)
    after = held_out_temperatures(probabilities, changed, groups)
    assert before[0] == after[0] and before[30] != after[30]


# Reliability and calls


def test_reliability_by_hand():
    confidence = np.array([0.95, 1.0, 0.91, 0.55, 0.51])
    right = np.array([True, True, False, True, False])
    table = reliability_table(confidence, right)
    assert table["n_spots"].tolist() == [2, 3]
    assert table["confidence_low"].tolist() == [0.5, 0.9]
    np.testing.assert_allclose(table["accuracy"], [1 / 2, 2 / 3])
    gaps = np.abs(np.array([0.53, 2.86 / 3]) - [1 / 2, 2 / 3])
    assert calibration_error(table) == pytest.approx((2 * gaps[0] + 3 * gaps[1]) / 5)
    calls = calls_table(confidence, right, (0.0, 0.9, 1.01))
    np.testing.assert_allclose(calls["share_called"], [1, 0.6, 0])
    np.testing.assert_allclose(calls["accuracy_called"], [0.6, 2 / 3, np.nan])


# The reference


@pytest.mark.parametrize("features", [6, 70, 300])
def test_it_is_the_chapters_classifier_at_its_temperature(features):
    """Plain, rotated to principal components, and in the span of fewer spots than features."""
    representation, labels = drawn(features=features)
    reference = Reference.fit(representation, labels, 5, seed=0)
    values = representation.values
    scaling = fit_scaling(values)
    groups = (labels[name].to_numpy(dtype=str) for name in ("label", "patient", "sample"))
    fitted = fit_classifier("logistic", scaling.transform(values), *groups, seed=0)
    expected = heated(fitted.model.predict_proba(scaling.transform(values)), reference.temperature)
    np.testing.assert_allclose(reference.probabilities(values), expected, atol=1e-3)
    assert reference.facts["chosen"] == fitted.chosen
    assert [*reference.classes] == [*CLASSES]


def test_it_is_measured_on_held_out_patients():
    representation, labels = drawn()
    facts = Reference.fit(representation, labels, 5, seed=0).facts
    assert facts["protocol"] == "held_out_patients"
    assert (facts["n_patients"], facts["n_sections"], facts["n_spots"]) == (4, 4, 240)
    assert 0.4 < facts["patient_balanced_accuracy"] < 0.95
    mixed = labels.assign(label=np.random.default_rng(0).permutation(labels["label"]))
    chance = Reference.fit(representation, mixed, 5, seed=0).facts
    assert chance["patient_balanced_accuracy"] < 0.45


def test_spots_of_another_cohort_are_classified_and_the_doubtful_marked():
    representation, labels = drawn()
    reference = Reference.fit(representation, labels, 5, seed=0)
    other, _ = drawn(patients=1, seed=3)
    table = reference.classify(other, 0.7)
    assert list(table) == ["sample", "spot", "predicted", "confident", *(f"p_{c}" for c in CLASSES)]
    assert list(table["sample"] + ":" + table["spot"]) == list(other.obs.index)
    shares = table.filter(regex="^p_").to_numpy()
    np.testing.assert_allclose(shares, reference.probabilities(other.values), atol=6e-6)
    assert (table["predicted"] == CLASSES[shares.argmax(axis=1)]).all()
    assert (table["confident"] == (shares.max(axis=1) >= 0.7)).all()
    assert 0 < table["confident"].sum() < len(table)
    row = reference.quality().iloc[0]
    assert row["temperature"] == reference.temperature and row["n_spots"] == 240


def test_classes_may_weigh_the_same():
    representation, labels = drawn()
    rare = labels.assign(label=labels["label"].where(labels.index % 9 == 0, "cortex"))
    found = [
        Reference.fit(representation, rare, 5, seed=0, class_weight=weight).classify(
            representation, 0.5
        )["predicted"]
        for weight in (None, "balanced")
    ]
    assert (found[1] != "cortex").sum() > (found[0] != "cortex").sum()


def test_a_saved_reference_is_the_same_and_plain(tmp_path):
    representation, labels = drawn()
    labels.loc[:20, "label"] = None
    reference = Reference.fit(representation, labels, 5, seed=0).with_facts(model="m")
    reference.save(tmp_path / "r.npz")
    with np.load(tmp_path / "r.npz", allow_pickle=False) as file:
        assert {name for name in file if file[name].dtype == object} == set()
    again = Reference.load(tmp_path / "r.npz")
    values = representation.values
    np.testing.assert_array_equal(again.probabilities(values), reference.probabilities(values))
    assert again.facts == reference.facts and again.facts["n_spots"] == 219
    pd.testing.assert_frame_equal(again.reliability, reference.reliability)
    pd.testing.assert_frame_equal(again.calls, reference.calls)


def test_what_can_be_held_out():
    _, labels = drawn()
    assert protocol_of(labels) == "held_out_patients"
    assert protocol_of(labels.assign(patient="p")) == "held_out_samples"
    assert protocol_of(labels[labels["sample"] == "s0"]) == "spatial_blocks"


def test_what_cannot_be_a_reference(tmp_path):
    representation, labels = drawn()
    with pytest.raises(InputError, match=r"are of one class.*Fix: name another column"):
        Reference.fit(representation, labels.assign(label="cortex"), 5, seed=0)
    by_patient = labels.assign(label=labels["patient"].where(labels["patient"].isin(["p0", "p1"])))
    with pytest.raises(InputError, match="cannot be judged: the training part has `p1` alone"):
        Reference.fit(representation, by_patient, 5, seed=0)
    reference = Reference.fit(representation, labels, 5, seed=0)
    with pytest.raises(InputError, match="fitted on 6 features, but there are 5"):
        reference.probabilities(representation.values[:, :5])
    with pytest.raises(InputError, match=r"a name in \.npz"):
        reference.save(tmp_path / "r.json")
    with pytest.raises(InputError, match="there is no such reference"):
        Reference.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=r"is not a reference .*Fix: name a \.npz"):
        Reference.load(tmp_path / "bad.npz")
