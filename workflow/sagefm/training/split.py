"""Training, validation and test samples, with each patient in one part only."""

import hashlib
import math
import random
from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError
from sagefm.common.text import count
from sagefm.stats.patients import join_copies, name_patients, patient_keys

PARTS = ("train", "validation", "test")


def split_samples(
    samples: pd.DataFrame,
    *,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 9001,
    held_out_patients: list[str] | None = None,
    duplicates: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Assign samples to parts, keeping samples of one patient, and duplicates, together.

    A group is a patient of `patient_keys`; a known duplicate merges the groups of both sections.
    Groups are taken in an order that depends only on the seed and their names. They fill first
    `test`, then `validation`, as long as a part does not exceed its share (rounded up) of samples.

    Parameters
    ----------
    samples
        Columns cohort, sample, dataset, patient (empty where unnamed).
    validation, test
        Shares of samples.
    held_out_patients
        Patients, named as by `name_patients`, whose groups go to `test` for any seed.
    duplicates
        Columns sample, duplicate_of: sections known to be the same tissue (see `join_copies`).

    Returns
    -------
    DataFrame
        Columns cohort, sample, dataset, patient (both as given), group, part; sorted by cohort and
        sample.

    Raises
    ------
    InputError
        If there are too few groups for three parts.
    """
    table = samples[["cohort", "sample", "dataset", "patient"]].reset_index(drop=True)
    table["group"] = join_copies(patient_keys(table), table, duplicates)
    sizes = table["group"].value_counts()
    turn = sorted(sizes.index, key=lambda group: _rank(seed, group))
    part = dict.fromkeys(turn, "train")
    forced = table.loc[name_patients(table).isin(held_out_patients or []), "group"].unique()
    part.update(dict.fromkeys(forced, "test"))
    for name, share in (("test", test), ("validation", validation)):
        # Rounded first, because 0.1 of 70 samples would otherwise give 8.
        room = math.ceil(round(share * len(table), 6))
        room -= sum(sizes[group] for group in turn if part[group] == name)
        free = [group for group in turn if part[group] == "train"]
        fitting = [group for group in free if sizes[group] <= room]
        if not fitting and name not in part.values():
            fitting = sorted(free, key=lambda group: sizes[group])[:1]
            room = max(room, sizes[fitting[0]]) if fitting else 0
        for group in fitting:
            if sizes[group] <= room:
                part[group] = name
                room -= sizes[group]
    table["part"] = table["group"].map(part)
    if missing := [name for name in PARTS if name not in set(table["part"])]:
        groups = f"{count(len(sizes), 'patient')} or unnamed sample{'s' * (len(sizes) != 1)}"
        groups += f", {len(forced)} of them held out by name," if len(forced) else ""
        raise InputError(
            f"the split has no {missing[0]} sample: {groups} {'is' if len(sizes) == 1 else 'are'} "
            "too few, for training, validation and test take one each at least. Fix: add samples "
            "of others to the sheet, or shorten `held_out_patients`."
        )
    return table.sort_values(["cohort", "sample"], ignore_index=True)


def _rank(seed: int, group: str) -> str:
    return hashlib.sha256(f"{seed}:{group}".encode()).hexdigest()


def in_released_order(split: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return a split's rows in the order in which the released code would read its files.

    The released code shuffles the list of all files once, before splitting it (15fe51f, class
    DataGenerator). Its list has the order of the disk; here it starts in the order of the table.
    """
    order = list(range(len(split)))
    random.Random(seed).shuffle(order)
    return split.iloc[order].reset_index(drop=True)


def paths_of_part(split: pd.DataFrame, paths: list[str], part: str) -> list[Path]:
    """Select the files of one part from per-sample files `{cohort}/{sample}.*`, in split order."""
    by_sample = {(Path(path).parent.name, Path(path).stem): Path(path) for path in paths}
    chosen = split[split["part"] == part]
    return [by_sample[key] for key in zip(chosen["cohort"], chosen["sample"], strict=True)]
