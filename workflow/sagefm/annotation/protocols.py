"""How spots are split into training and test parts: at random, by sample, or by patient."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold, StratifiedShuffleSplit

PROTOCOLS = ("random_spots", "held_out_samples", "held_out_patients")

TEST_SHARE = 0.2
"""Of `random_spots`."""

ONE_BY_ONE = 20
"""Groups up to which each is held out by itself; of more, a tenth at a time."""


@dataclass(frozen=True)
class Fold:
    """Row numbers (int64) of a training and a test part.

    `name` is the sample or patient held out, or the fold's number where there is no one of these.
    """

    protocol: str
    repeat: int
    name: str
    train: np.ndarray
    test: np.ndarray


def folds(
    protocol: str,
    labels: np.ndarray,
    samples: np.ndarray,
    patients: np.ndarray,
    *,
    repeats: int,
    seed: int,
) -> Iterator[Fold]:
    """The folds of a protocol; a protocol of held-out groups has none if there is one group only.

    `random_spots` takes a fifth of the spots, stratified by label, `repeats` times; its training
    part holds neighbours of nearly every test spot, so it says how well spots are distinguished
    within sections already labelled, not how well a new patient's are.

    Parameters
    ----------
    labels, samples, patients
        (spots,) each.
    """
    if protocol == "random_spots":
        split = StratifiedShuffleSplit(repeats, test_size=TEST_SHARE, random_state=seed)
        for repeat, (train, test) in enumerate(split.split(labels, labels)):
            yield Fold(protocol, repeat, "random", train, test)
        return
    groups = {"held_out_samples": samples, "held_out_patients": patients}[protocol]
    names = np.unique(groups)
    if len(names) < 2:
        return
    if len(names) <= ONE_BY_ONE:
        for name in names:
            test = groups == name
            yield Fold(protocol, 0, str(name), np.flatnonzero(~test), np.flatnonzero(test))
        return
    split = GroupKFold(10, shuffle=True, random_state=seed).split(labels, groups=groups)
    for number, (train, test) in enumerate(split, start=1):
        yield Fold(protocol, 0, f"fold {number}", train, test)
