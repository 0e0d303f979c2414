"""Splits of spots into training and test parts: at random, by block, by sample or by patient."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from sklearn.model_selection import GroupKFold, StratifiedShuffleSplit

from sagefm.graphs.neighbourhoods import spot_spacing

TEST_SHARE = 0.2
"""Test share of `random_spots`."""

ONE_BY_ONE = 20
"""Maximum number of groups held out one at a time; of more, a tenth is held out at a time."""


BLOCKS = 4
"""Number of strips into which `spatial_blocks` cuts a section; each is held out once."""

MARGIN = 2.5
"""Width of the untrained margin around a block, in array pitches: two rings of neighbours."""


@dataclass(frozen=True)
class Fold:
    """Row numbers (int64) of a training and a test part.

    `name` is the held-out sample or patient, or otherwise the number of the fold.
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
    """Yield the folds of a protocol; held-out protocols have none if there is only one group.

    `random_spots` takes a fifth of the spots, stratified by label, `repeats` times. Nearly every
    test spot has neighbours in the training part. The score therefore shows how well spots are
    distinguished within labelled sections, not in a new patient. `spatial_blocks` holds out one
    strip of every section at a time (`strips`) and does not train on spots within `MARGIN` pitches
    of it. No neighbour of a test spot is then in training, but its section is.

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
    """Return the strip of each spot: `BLOCKS` equal parts along the longest axis of its section.

    That axis is the first principal axis of the spots' positions. Strips then cut across the tissue
    and touch at most two others.

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
        # Rounded, so that spots of one array row keep their order in the table.
        along = np.round(centred @ axes[:, -1], 6)
        place = np.argsort(np.argsort(along, kind="stable"), kind="stable")
        blocks[own] = place * BLOCKS // len(own)
    return blocks


def _within_margin(samples: np.ndarray, coordinates: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Mark spots within `MARGIN` pitches of a test spot of their section: bool (spots,)."""
    near = np.zeros(len(samples), dtype=bool)
    for sample in np.unique(samples[test]):
        own = samples == sample
        if own.sum() > 1:
            reach = MARGIN * spot_spacing(coordinates[own])
            away, _ = cKDTree(coordinates[own & test]).query(coordinates[own])
            near[own] = away <= reach
    return near
