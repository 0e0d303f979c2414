"""How spots are split into training and test parts: at random, by block, sample, or patient."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from sklearn.model_selection import GroupKFold, StratifiedShuffleSplit

from sagefm.graphs.neighbourhoods import spot_spacing

TEST_SHARE = 0.2
"""Of `random_spots`."""

ONE_BY_ONE = 20
"""Groups up to which each is held out by itself; of more, a tenth at a time."""


BLOCKS = 4
"""Strips that `spatial_blocks` cuts a section into, each held out once."""

MARGIN = 2.5
"""Pitches of the array around a block whose spots are not trained on: two rings of neighbours."""


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
    coordinates: np.ndarray,
    *,
    repeats: int,
    seed: int,
) -> Iterator[Fold]:
    """The folds of a protocol; a protocol of held-out groups has none if there is one group only.

    `random_spots` takes a fifth of the spots, stratified by label, `repeats` times; its training
    part holds neighbours of nearly every test spot, so it says how well spots are distinguished
    within sections already labelled, not how well a new patient's are. `spatial_blocks` holds out a
    strip of every section at a time (`strips`), and trains on no spot of a section within `MARGIN`
    pitches of its strip: no neighbour of a test spot is in training, but its section is.

    Parameters
    ----------
    labels, samples, patients
        (spots,) each.
    coordinates
        (spots, 2) positions within the section, in any unit.
    """
    if protocol == "random_spots":
        split = StratifiedShuffleSplit(repeats, test_size=TEST_SHARE, random_state=seed)
        for repeat, (train, test) in enumerate(split.split(labels, labels)):
            yield Fold(protocol, repeat, "random", train, test)
        return
    if protocol == "spatial_blocks":
        blocks = strips(samples, coordinates)
        for number in range(BLOCKS):
            test = blocks == number
            train = ~test & ~_within_margin(samples, coordinates, test)
            name = f"block {number + 1}"
            yield Fold(protocol, 0, name, np.flatnonzero(train), np.flatnonzero(test))
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


def strips(samples: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The strip of each spot: `BLOCKS` of equal size along the longest axis of its section.

    That axis is the first principal axis of the spots' positions, so that strips cut across the
    tissue and touch two others at most.

    Returns
    -------
    ndarray
        int64 (spots,), 0 to `BLOCKS` - 1.
    """
    blocks = np.zeros(len(samples), dtype=np.int64)
    for sample in np.unique(samples):
        own = np.flatnonzero(samples == sample)
        centred = coordinates[own] - coordinates[own].mean(axis=0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        # Rounded, so that spots of one row of the array keep the order that they have in the table.
        along = np.round(centred @ axes[:, -1], 6)
        place = np.argsort(np.argsort(along, kind="stable"), kind="stable")
        blocks[own] = place * BLOCKS // len(own)
    return blocks


def _within_margin(samples: np.ndarray, coordinates: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Which spots are within `MARGIN` pitches of a test spot of their section: bool (spots,)."""
    near = np.zeros(len(samples), dtype=bool)
    for sample in np.unique(samples[test]):
        own = samples == sample
        if own.sum() > 1:
            reach = MARGIN * spot_spacing(coordinates[own])
            away, _ = cKDTree(coordinates[own & test]).query(coordinates[own])
            near[own] = away <= reach
    return near
