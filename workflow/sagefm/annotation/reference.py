"""A reference: a spot classifier fitted once on labelled sections, saved with its calibration.

It is the annotation chapter's logistic regression. Its accuracy is measured on the reference's own
patients, each held out once, before the final fit on all of them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import softmax

from sagefm.annotation.by_patient import headline_score, patient_table
from sagefm.annotation.calibration import (
    calibration_error,
    calls_table,
    fit_temperature,
    heated,
    held_out_temperatures,
    reliability_table,
)
from sagefm.annotation.classifiers import fit_classifier, fit_scaling
from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.annotation.protocols import BLOCKS
from sagefm.annotation.terms import spot_sections
from sagefm.common.errors import InputError
from sagefm.common.io import atomic
from sagefm.representations.files import Representation

CLASSIFIER = "logistic"

UNROUNDED = 17
"""Decimals of held-out probabilities; fitting the temperature needs the small ones."""

PUBLISHED = 5
"""Decimals of probabilities in tables, to limit their size."""

ARRAYS = ("classes", "mean", "scale", "weights", "intercept")
"""Arrays in the saved file; all else is plain JSON in the same file."""

TABLES = ("reliability", "calls")


@dataclass(frozen=True)
class Reference:
    """A classifier of spots from a representation, with its measured errors.

    Attributes
    ----------
    classes
        str (classes,).
    mean, scale
        float64 (features,): scaling of each feature. `scale` is infinite for features left out.
    weights, intercept
        float64 (features, classes) and (classes,), for scaled features.
    temperature
        Divisor of the logits.
    facts
        Data and accuracy: `protocol` (what was held out), `n_patients`, `n_sections`, `n_spots`,
        `patient_balanced_accuracy` with `_low` and `_high`, `accuracy`, `calibration_error`
        (expected, with the temperature) and `calibration_error_before` (without), `chosen` (the
        classifier's hyperparameter), and facts added by the caller.
    reliability, calls
        Results of `calibration.reliability_table` and `calibration.calls_table` on held-out spots.
    """

    classes: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray
    temperature: float
    facts: Mapping[str, Any]
    reliability: pd.DataFrame
    calls: pd.DataFrame

    @classmethod
    def fit(
        cls,
        representation: Representation,
        labels: pd.DataFrame,
        min_class_spots: int,
        seed: int,
        class_weight: str | None = None,
    ) -> "Reference":
        """Measure accuracy on held-out patients, then fit on all labelled spots.

        Parameters
        ----------
        representation
            Dense values of the labelled sections.
        labels
            Labels of the same spots: sample, patient, spot, x_pixels, y_pixels, label (missing if a
            spot has none).
        min_class_spots
            Minimum number of spots for a class to count in a patient.
        seed, class_weight
            Seed and class weights of the classifier.

        Raises
        ------
        InputError
            If fewer than two classes are labelled, or no part of the sections can be held out.
        """
        inside = labels["label"].notna().to_numpy()
        known = labels[inside]
        classes = known["label"].unique()
        if len(classes) < 2:
            raise InputError(
                "all labelled spots are of one class, but a classifier needs two. "
                "Fix: name another column of labels, or add labelled sections."
            )
        protocol = protocol_of(known)
        plan = AnnotationPlan(
            [protocol], [CLASSIFIER], seed=seed, class_weight=class_weight, digits=UNROUNDED
        )
        predictions, fits = annotate_task(representation, labels, plan)
        if predictions.empty:
            raise InputError(
                f"the reference cannot be judged: {fits['skipped'].iloc[0]}. Fix: add labelled "
                "sections, whose classes others have too."
            )
        quality = _quality(predictions, min_class_spots)
        values = np.asarray(representation.values, dtype=np.float32)[inside]
        scaling = fit_scaling(values)
        fitted = fit_classifier(
            CLASSIFIER,
            scaling.transform(values),
            known["label"].to_numpy(dtype=str),
            known["patient"].to_numpy(dtype=str),
            spot_sections(known),
            seed,
            class_weight,
        )
        # The steps after scaling are affine, so their values at the unit vectors define them.
        units = np.eye(values.shape[1], dtype=np.float32)
        rest = scaling[1:].transform if len(scaling) > 1 else np.asarray
        at_zero = np.asarray(rest(np.zeros_like(units[:1])), dtype=np.float64)
        turned = np.asarray(rest(units), dtype=np.float64) - at_zero
        weights = fitted.model.weights_
        facts = {
            "protocol": protocol,
            "n_patients": int(known["patient"].nunique()),
            "n_sections": int(known["sample"].nunique()),
            "n_spots": len(known),
            "chosen": fitted.chosen,
        }
        return cls(
            classes=fitted.model.classes_.astype(str),
            mean=scaling[0].mean_,
            scale=scaling[0].scale_,
            weights=turned @ weights[:-1],
            intercept=(at_zero @ weights[:-1])[0] + weights[-1],
            facts=facts | quality.pop("facts"),
            **quality,
        )

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Return calibrated class probabilities: float64 (spots, classes).

        Raises
        ------
        InputError
            If the values have a different number of features.
        """
        if values.shape[1] != len(self.mean):
            raise InputError(
                f"the reference was fitted on {len(self.mean)} features, but there are "
                f"{values.shape[1]}. Fix: use the model that it was fitted with."
            )
        scaled = (values - self.mean) / self.scale
        return softmax((scaled @ self.weights + self.intercept) / self.temperature, axis=1)

    def classify(self, representation: Representation, confidence: float) -> pd.DataFrame:
        """Classify each spot of a representation made by the same model.

        Parameters
        ----------
        confidence
            Minimum probability of the most probable class for a spot to count as confident.

        Returns
        -------
        DataFrame
            Columns sample, spot, predicted (the most probable class), confident, and `p_{class}`,
            the calibrated probability of each class, with `PUBLISHED` decimals.

        Raises
        ------
        InputError
            If the values have a different number of features.
        """
        values = np.asarray(representation.values, dtype=np.float64)
        found = self.probabilities(values).round(PUBLISHED)  # first: columns then agree
        table = representation.obs[["sample", "spot"]].reset_index(drop=True).astype(str)
        table["predicted"] = self.classes[found.argmax(axis=1)]
        table["confident"] = found.max(axis=1) >= confidence
        columns = [f"p_{name}" for name in self.classes]
        return table.join(pd.DataFrame(found, columns=columns))

    def quality(self) -> pd.DataFrame:
        """Return `facts` and the temperature as one row."""
        return pd.DataFrame([{**self.facts, "temperature": self.temperature}])

    def with_facts(self, **facts: Any) -> "Reference":
        """Return a copy with further plain facts."""
        return replace(self, facts={**self.facts, **facts})

    def save(self, path: str | Path) -> None:
        """Write one `.npz` of plain arrays and JSON; reading it executes no code."""
        path = Path(path)
        if path.suffix != ".npz":
            raise InputError(f"{path}: a reference is a .npz file. Fix: give it a name in .npz.")
        tables = {name: getattr(self, name).to_dict("list") for name in TABLES}
        words = {"temperature": self.temperature, "facts": dict(self.facts), **tables}
        with atomic(path) as temporary:
            arrays = {name: getattr(self, name) for name in ARRAYS}
            np.savez(temporary, allow_pickle=False, json=np.array(json.dumps(words)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> "Reference":
        """Read a file written by `save`.

        Raises
        ------
        InputError
            If the file does not exist or is not a reference.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                words = json.loads(str(file["json"]))
                arrays = {name: file[name] for name in ARRAYS}
            tables = {name: pd.DataFrame(words[name]) for name in TABLES}
            return cls(temperature=words["temperature"], facts=words["facts"], **arrays, **tables)
        except FileNotFoundError as error:
            raise InputError(
                f"{path}: there is no such reference. Fix: correct its path."
            ) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: is not a reference ({error}). Fix: name a .npz that was written by "
                "`Reference.save` or by `sagefm annotate --save-reference`."
            ) from error


def protocol_of(labels: pd.DataFrame) -> str:
    """Return the protocol that labelled spots allow: by patient, else by section, else by block."""
    for column in ("patient", "sample"):
        if labels[column].nunique() > 1:
            return f"held_out_{column}s"
    return "spatial_blocks"


HELD_OUT = {
    "held_out_patients": "patients held out one after another",
    "held_out_samples": "sections held out one after another, of one patient (optimistic)",
    "spatial_blocks": f"{BLOCKS} parts of the one section held out in turn (optimistic)",
}
"""Descriptions of the protocols of `protocol_of`."""


def _quality(predictions: pd.DataFrame, min_class_spots: int) -> dict[str, Any]:
    """Compute temperature, tables and facts from held-out predictions."""
    columns = [name for name in predictions if name.startswith("p_")]
    classes = np.array([name.removeprefix("p_") for name in columns])
    probabilities = predictions[columns].to_numpy(dtype=float)
    truth = np.searchsorted(classes, predictions["truth"].to_numpy(dtype=str))
    groups = predictions["fold"].to_numpy(dtype=str)
    right = (predictions["truth"] == predictions["predicted"]).to_numpy()
    own = held_out_temperatures(probabilities, truth, groups)
    confidence = heated(probabilities, own[:, None]).max(axis=1)
    reliability = reliability_table(confidence, right)
    before = calibration_error(reliability_table(probabilities.max(axis=1), right))
    scored = patient_table(predictions.assign(representation=CLASSIFIER), {}, min_class_spots)
    facts = headline_score(scored) | {
        "accuracy": float(right.mean()),
        "calibration_error": calibration_error(reliability),
        "calibration_error_before": before,
    }
    return {
        "temperature": fit_temperature(probabilities, truth),
        "reliability": reliability,
        "calls": calls_table(confidence, right),
        "facts": facts,
    }
