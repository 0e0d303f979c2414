"""A task's tables: all representations side by side, paired differences, confusion, maps."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from sagefm.annotation.classifiers import mean_recall
from sagefm.annotation.scores import score
from sagefm.annotation.terms import KEYS
from sagefm.stats.paired import holm, paired_difference
from sagefm.stats.patients import seen_patients
from sagefm.training.seen import mark_seen

COMPARED = ("accuracy", "balanced_accuracy")

COSTS = ("seconds", "peak_mib", "training_seconds")


def patient_subsets(patients: Sequence[str], seen: Mapping[str, pd.Series]) -> dict[str, list[str]]:
    """Patients scored together: `all`, and those that a model has not seen, if that is not all.

    Those of whom it is unknown whether the model has seen them are in `all` alone.

    Returns
    -------
    dict
        Name (`all`, `unseen by {representation}`) to patients; of models that lack the same ones,
        the first gives its name.
    """
    subsets = {"all": sorted(patients)}
    for name, known in seen.items():
        unseen = sorted(set(patients) & set(known.index[known.eq(False)]))
        if unseen and len(unseen) < len(subsets["all"]) and unseen not in subsets.values():
            subsets[f"unseen by {name}"] = unseen
    return subsets


def _groups(predictions: pd.DataFrame) -> Iterator[tuple[dict, pd.DataFrame]]:
    for keys, own in predictions.groupby(KEYS, sort=False):
        yield dict(zip(KEYS, keys, strict=True)), own


def task_scores(
    predictions: pd.DataFrame,
    fits: pd.DataFrame,
    seen: Mapping[str, pd.Series],
    costs: pd.DataFrame,
    seed: int,
) -> pd.DataFrame:
    """Scores of every representation, classifier, centring and protocol.

    Parameters
    ----------
    predictions, fits
        Of `predict.annotate`, with a column representation; of predictions also those of
        `predict.majority_predictions`.
    seen
        Of `patients_of_models`.
    costs
        representation, and `COSTS` as far as known.
    seed
        Of the bootstrap.

    Returns
    -------
    DataFrame
        `KEYS`, subset (of patients), `METRICS` each with `_low` and `_high`, n_spots, n_patients,
        n_classes, patients_seen, patients_unknown (whether they were seen), n_folds, n_train
        (median), n_unseen (spots of classes that training lacked: counted as wrong), transductive,
        spatial_method, fit_seconds, and of the representation representation_seconds, peak_mib,
        training_seconds (as it was made of all genes, also where the task withholds some).
    """
    classes = np.unique(predictions["truth"].to_numpy(dtype=str))
    subsets = patient_subsets(predictions["patient"].unique(), seen)
    fitted = fits[fits["skipped"].fillna("") == ""]
    rows = []
    for keys, own in _groups(predictions):
        mine = fitted[(fitted[KEYS] == pd.Series(keys)).all(axis=1)]
        for subset, patients in subsets.items():
            part = own[own["patient"].isin(patients)]
            if len(part):
                known = _seen(seen, keys["representation"], part["patient"].unique())
                row = {**keys, "subset": subset, **score(part, classes, seed)}
                row |= {"patients_seen": known.sum(), "patients_unknown": known.isna().sum()}
                rows.append(row | _fit_facts(mine))
    table = pd.DataFrame(rows)
    costs = costs.reindex(columns=["representation", *COSTS])
    costs = costs.rename(columns={"seconds": "representation_seconds"})
    return table.merge(costs, on="representation", how="left")


def _fit_facts(fits: pd.DataFrame) -> dict:
    """What the fits behind a row of scores come to; missing for the majority class."""
    first = fits.iloc[0] if len(fits) else {}
    return {
        "n_folds": len(fits) or np.nan,
        "n_train": fits["n_train"].median(),
        "n_unseen": fits["n_unseen"].sum() if len(fits) else np.nan,
        "transductive": first.get("transductive"),
        "spatial_method": first.get("spatial_method"),
        "fit_seconds": fits["seconds"].sum() if len(fits) else np.nan,
    }


def class_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall and F1 of each class; of repeats, all spots pooled.

    Returns
    -------
    DataFrame
        `KEYS`, class, precision (NaN if never predicted), recall, f1, n_spots, n_predicted.
    """
    rows = []
    for keys, own in _groups(predictions):
        truth, predicted = own["truth"].to_numpy(), own["predicted"].to_numpy()
        for name in np.unique(truth):
            true, called = truth == name, predicted == name
            hits = int((true & called).sum())
            rows.append(
                {
                    **keys,
                    "class": name,
                    "precision": hits / called.sum() if called.any() else np.nan,
                    "recall": hits / true.sum(),
                    "f1": 2 * hits / (true.sum() + called.sum()),
                    "n_spots": int(true.sum()),
                    "n_predicted": int(called.sum()),
                }
            )
    return pd.DataFrame(rows)


def confusion_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Spots by true and predicted class: `KEYS`, truth, predicted, n_spots (repeats pooled)."""
    counts = predictions.groupby([*KEYS, "truth", "predicted"], sort=False).size()
    return counts.rename("n_spots").reset_index()


def patient_table(predictions: pd.DataFrame, seen: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Scores of each patient: `KEYS`, patient, seen, n_spots, n_classes, `COMPARED`.

    `seen` is missing where it is unknown whether the model has seen the patient. Balanced accuracy
    is over the classes that the patient has.
    """
    rows = []
    for keys, own in _groups(predictions):
        for patient, part in own.groupby("patient"):
            truth, predicted = part["truth"].to_numpy(), part["predicted"].to_numpy()
            rows.append(
                {
                    **keys,
                    "patient": patient,
                    "seen": _seen(seen, keys["representation"], [patient]).iloc[0],
                    "n_spots": len(part.drop_duplicates(["sample", "spot"])),
                    "n_classes": len(np.unique(truth)),
                    "accuracy": float(np.mean(truth == predicted)),
                    "balanced_accuracy": mean_recall(truth, predicted),
                }
            )
    return pd.DataFrame(rows)


def task_comparisons(
    patients: pd.DataFrame, subsets: Mapping[str, Sequence[str]], baselines: Sequence[str]
) -> pd.DataFrame:
    """Each representation against each of some baselines, patient by patient.

    Like is compared with like: the same classifier, centring, protocol and patients.

    Parameters
    ----------
    patients
        Of `patient_table`.
    subsets
        Of `patient_subsets`.
    baselines
        Of `Catalogue.references`; those that were not scored are passed over.

    Returns
    -------
    DataFrame
        `KEYS`, baseline, metric, subset, and of `paired.paired_difference` over patients:
        difference, low, high, p, smallest_p, n_patients, better_in (patients); p_holm is over the
        representations compared with one baseline.
    """
    rows = []
    for subset, names in subsets.items():
        part = patients[patients["patient"].isin(names)]
        for keys, own in part.groupby(KEYS[1:], sort=False):
            settings = dict(zip(KEYS[1:], keys, strict=True)) | {"subset": subset}
            for metric in COMPARED:
                wide = own.pivot(index="patient", columns="representation", values=metric)
                for baseline in (name for name in baselines if name in wide):
                    found = [
                        {"representation": name, **settings, "baseline": baseline, "metric": metric}
                        | paired_difference((wide[name] - wide[baseline]).to_numpy())
                        for name in wide
                        if name != baseline
                    ]
                    for row, p in zip(found, holm([row["p"] for row in found]), strict=True):
                        rows.append(row | {"p_holm": p})
    columns = [*KEYS, "baseline", "metric", "subset", "difference", "low", "high"]
    columns += ["p", "p_holm", "smallest_p", "n_patients", "better_in"]
    return pd.DataFrame(rows).rename(columns={"n": "n_patients"}).reindex(columns=columns)


def map_table(
    spots: pd.DataFrame, predictions: pd.DataFrame, chosen: Mapping[str, Mapping]
) -> pd.DataFrame:
    """True and predicted classes on the tissue.

    Parameters
    ----------
    spots
        `TaskLabels.spots`; those without label are kept, as background.
    predictions
        Of all representations.
    chosen
        Column to the values of `KEYS` that pick one prediction a spot.

    Returns
    -------
    DataFrame
        sample, patient, spot, x_pixels, y_pixels, label, and a column of predicted classes for
        each of `chosen`.
    """
    columns = ["sample", "patient", "spot", "x_pixels", "y_pixels", "label"]
    table = spots[columns]
    for column, keys in chosen.items():
        own = predictions[(predictions[KEYS] == pd.Series(dict(keys))[KEYS]).all(axis=1)]
        own = own.drop_duplicates(["sample", "spot"])[["sample", "spot", "predicted"]]
        table = table.merge(
            own.rename(columns={"predicted": column}), on=["sample", "spot"], how="left"
        )
    return table


def patients_of_models(
    splits: Mapping[str, pd.DataFrame], rows: pd.DataFrame
) -> dict[str, pd.Series]:
    """Of each model's representation, whether its pretraining has seen each patient.

    Parameters
    ----------
    splits
        Model to its split, of `split.split_samples`.
    rows
        The cohort's sheet: cohort, sample, dataset, patient.

    Returns
    -------
    dict
        Representation to `patients.seen_patients`. Of a cohort that the model was trained on, all
        samples count.
    """
    return {
        f"sagefm-{model}": seen_patients(mark_seen(split, rows)) for model, split in splits.items()
    }


def _seen(seen: Mapping[str, pd.Series], representation: str, patients: Sequence[str]) -> pd.Series:
    """Whether a representation's model has seen some patients; without a model: none."""
    nobody = pd.Series(False, index=patients, dtype="boolean")
    return seen.get(representation, nobody).reindex(patients)
