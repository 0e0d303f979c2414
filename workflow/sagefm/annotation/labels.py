"""Labels of a task: their source, the classes kept, and why others were dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sagefm.annotation.gene_sets import found_genes, highest_set, module_scores
from sagefm.annotation.set_tables import read_gene_sets
from sagefm.annotation.terms import UNASSIGNED, check_named, spot_sections
from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.sections.cohort import Cohort, cohort_spatial
from sagefm.sections.labels import join_labels, read_spots


@dataclass(frozen=True)
class TaskLabels:
    """Result of `label_task`.

    Attributes
    ----------
    spots
        All spots of the cohort: sample, section (one name for copies of a sample), patient (from
        `patients.name_patients`), spot, x_pixels, y_pixels, source_label, label (missing for
        excluded spots). Derived labels also have margin and `score_{set}`.
    classes
        Columns class, n_spots, n_patients, n_samples, kept, note, spots_by_patient.
    genes
        For derived labels: set, gene, in_panel, found, withheld. Otherwise empty.
    """

    spots: pd.DataFrame
    classes: pd.DataFrame
    genes: pd.DataFrame

    def withheld(self) -> list[str]:
        """Return the genes withheld from the task's representations, sorted."""
        return sorted(set(self.genes.loc[self.genes["withheld"].astype(bool), "gene"]))


def label_task(
    cohort: Cohort,
    obs: pd.DataFrame,
    labels: Mapping,
    *,
    name: str,
    drop: Sequence[str] = (),
    merge: Mapping[str, Sequence[str]] | None = None,
    min_spots: int = 20,
    seed: int = 0,
) -> TaskLabels:
    """Label the spots of a cohort for a task.

    Parameters
    ----------
    obs
        Spots of the cohort, from `cohort.describe_spots`, with a column section if samples are
        copies of each other.
    labels
        `source` is `cohort` (the cohort's own labels), `table` (`path`, `column`, `sample_column`,
        `spot_column`; joined as in `labels.join_labels`) or `module_scores` (`gene_sets`, `margin`,
        `withhold`).
    drop
        Classes left out, named as in the source. With derived labels, `unassigned` is always left
        out unless it is merged.
    merge
        Source classes that each new class replaces.
    min_spots
        Minimum number of spots; smaller classes, after merging, are left out.
    name, seed
        Name of the task for errors, and seed of the control genes of derived labels.

    Raises
    ------
    InputError
        If no spot is labelled, a named class does not exist, or fewer than two classes are left.
    """
    try:
        return _label(cohort, obs, labels, drop, merge or {}, min_spots, seed)
    except InputError as error:
        raise InputError(f"task `{name}`: {error}") from error


def _label(cohort, obs, labels, drop, merge, min_spots, seed) -> TaskLabels:
    """Run `label_task` with errors that do not yet name the task."""
    spots = _spots(cohort, obs)
    genes = pd.DataFrame(columns=["set", "gene", "in_panel", "found", "withheld"])
    if labels["source"] == "module_scores":
        genes = found_genes(cohort, read_gene_sets(labels["gene_sets"]))
        genes["withheld"] = genes["in_panel"] & bool(labels["withhold"])
        scores = module_scores(cohort, genes, seed)
        derived = highest_set(scores, labels["margin"])
        spots = spots.assign(source_label=derived["label"], margin=derived["margin"])
        spots = spots.join(scores.add_prefix("score_"))
    elif labels["source"] == "table":
        spots["source_label"] = _from_table(cohort, labels)
    else:
        spots["source_label"] = _own(obs)
    if spots["source_label"].isna().all():
        raise InputError(
            "no spot of the cohort has a label. Fix: name the cohort's `labels` in the config, "
            "or give the task a label table whose samples and spots are the cohort's."
        )
    notes = dict.fromkeys(drop, "dropped by the config")
    if labels["source"] == "module_scores":
        if UNASSIGNED not in [old for olds in merge.values() for old in olds]:
            notes[UNASSIGNED] = f"left out: no set leads by {labels['margin']:g}"
        there = {*spots["source_label"], UNASSIGNED}
    else:
        there = set(spots["source_label"].dropna())
    check_named(there, drop, merge)
    label = spots["source_label"].where(~spots["source_label"].isin(notes))
    label = label.replace({old: new for new, olds in merge.items() for old in olds})
    classes = _classes(spots.assign(label=label), min_spots)
    kept = classes.loc[classes["kept"], "class"]
    if len(kept) < 2:
        raise InputError(
            f"only {len(kept)} classes have {min_spots} spots or more, but a task needs two. "
            "Fix: lower `min_spots`, or merge classes."
        )
    spots.insert(7, "label", label.where(label.isin(kept)))
    dropped = _dropped(spots, notes)
    return TaskLabels(spots, pd.concat([classes, dropped], ignore_index=True), genes)


def _spots(cohort: Cohort, obs: pd.DataFrame) -> pd.DataFrame:
    x, y = cohort_spatial(cohort.samples).T
    return pd.DataFrame(
        {
            "sample": obs["sample"].to_numpy(dtype=str),
            "section": spot_sections(obs),
            "patient": obs["patient"].to_numpy(dtype=str),
            "spot": obs["spot"].to_numpy(),
            "x_pixels": x,
            "y_pixels": y,
            "source_label": None,
        }
    )


def _own(obs: pd.DataFrame) -> pd.Series:
    if "label" not in obs:
        return pd.Series(index=range(len(obs)), dtype=object)
    return obs["label"].astype(object).map(str, na_action="ignore").reset_index(drop=True)


def _from_table(cohort: Cohort, labels: Mapping) -> pd.Series:
    path = Path(labels["path"])
    table = read_table(path, dtype=str)
    columns = {labels[f"{name}_column"]: name for name in ("sample", "spot")}
    columns[labels["column"]] = "label"
    if missing := [name for name in columns if name not in table.columns]:
        raise InputError(
            f"{path}: has no column `{missing[0]}` (it has {', '.join(table.columns)}). "
            "Fix: add it, or correct the path."
        )
    table = table[list(columns)].rename(columns=columns)
    joined = []
    for sample in cohort.samples:
        spots, kept = read_spots(sample)
        try:
            joined.append(join_labels(spots, table, sample.stem).astype(object)[:kept])
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    return pd.concat(joined, ignore_index=True)


def _classes(spots: pd.DataFrame, min_spots: int) -> pd.DataFrame:
    rows = []
    for name, own in spots.groupby("label"):
        patients = own["patient"].nunique()
        note = ""
        if len(own) < min_spots:
            note = f"dropped: fewer than {min_spots} spots"
        elif patients == 1:
            note = "one patient only: cannot be predicted when that patient is held out"
        rows.append(_class_row(str(name), own, len(own) >= min_spots, note))
    return pd.DataFrame(rows, columns=list(_class_row("", spots, False, "")))


def _dropped(spots: pd.DataFrame, notes: Mapping[str, str]) -> pd.DataFrame:
    """Return rows of the classes left out, with their notes, and of spots without a label."""
    rows = [
        _class_row(name, spots[spots["source_label"] == name], False, note)
        for name, note in notes.items()
    ]
    unlabelled = spots[spots["source_label"].isna()]
    if len(unlabelled):
        rows.append(_class_row("(no label)", unlabelled, False, "no label in the source"))
    return pd.DataFrame(rows, columns=list(_class_row("", spots, False, "")))


def _class_row(name: str, own: pd.DataFrame, kept: bool, note: str) -> dict:
    by_patient = own["patient"].value_counts().sort_index()
    return {
        "class": name,
        "n_spots": len(own),
        "n_patients": own["patient"].nunique(),
        "n_samples": own["sample"].nunique(),
        "kept": kept,
        "note": note,
        "spots_by_patient": ", ".join(f"{p}: {n}" for p, n in by_patient.items()),
    }
