"""Protocols: no group on both sides, every spot tested once, and limits on the number of groups."""

import numpy as np
import pytest

from sagefm.annotation.protocols import BLOCKS, MARGIN, folds, strips
from sagefm.annotation.terms import PROTOCOLS
from sagefm.graphs.neighbourhoods import spot_spacing
from support import helpers


def cohort(patients: int = 4, samples: int = 2, spots: int = 15) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    patient = np.repeat([f"p{i}" for i in range(patients)], samples * spots)
    sample = np.repeat([f"s{i}" for i in range(patients * samples)], spots)
    labels = rng.choice(["a", "b", "c"], len(patient), p=[0.6, 0.3, 0.1])
    place = np.tile(np.arange(spots), patients * samples)
    return labels, sample, patient, np.column_stack([place // 3, place % 3]).astype(float)


@pytest.mark.parametrize(
    ("protocol", "column", "n"), [("held_out_samples", 1, 8), ("held_out_patients", 2, 4)]
)
def test_held_out_groups_are_on_one_side_and_tested_once(protocol, column, n):
    data = cohort()
    found = [*folds(protocol, *data, repeats=3, seed=1)]
    assert len(found) == n
    for fold in found:
        assert not set(data[column][fold.train]) & set(data[column][fold.test])
        assert set(data[column][fold.test]) == {fold.name}
    tested = np.concatenate([fold.test for fold in found])
    np.testing.assert_array_equal(np.sort(tested), np.arange(len(data[0])))


def test_many_patients_are_held_out_a_tenth_at_a_time():
    data = cohort(patients=25, samples=1)
    found = [*folds("held_out_patients", *data, repeats=1, seed=1)]
    assert len(found) == 10
    for fold in found:
        assert not set(data[2][fold.train]) & set(data[2][fold.test])
    assert sum(len(fold.test) for fold in found) == len(data[0])


def test_random_spots_are_stratified_repeated_and_seeded():
    data = cohort()
    found, again = ([*folds("random_spots", *data, repeats=3, seed=1)] for _ in range(2))
    assert [fold.repeat for fold in found] == [0, 1, 2]
    for fold, same in zip(found, again, strict=True):
        np.testing.assert_array_equal(fold.test, same.test)
        assert not set(fold.train) & set(fold.test)
        assert len(fold.test) == pytest.approx(0.2 * len(data[0]), abs=1)
        for name in "abc":
            share = np.mean(data[0][fold.test] == name)
            assert share == pytest.approx(np.mean(data[0] == name), abs=0.02)
    assert not np.array_equal(found[0].test, found[1].test)


def test_one_group_cannot_be_held_out():
    data = cohort(patients=1, samples=1)
    assert [*folds("held_out_patients", *data, repeats=1, seed=0)] == []
    assert PROTOCOLS == ("random_spots", "spatial_blocks", "held_out_samples", "held_out_patients")


def sections(*samples: str):
    """Labels, samples, patients and coordinates of bundled sections."""
    found = [helpers.demo_section(name) for name in samples]
    place = np.vstack([own.obsm["spatial"] for own in found]).astype(float)
    sample = np.repeat(samples, [own.n_obs for own in found])
    return np.where(np.arange(len(sample)) % 2, "a", "b"), sample, sample, place


def test_blocks_of_real_sections_have_a_margin_and_are_tested_once():
    data = sections("SPA124", "heart-2")
    found = [*folds("spatial_blocks", *data, repeats=3, seed=1)]
    assert [fold.name for fold in found] == ["block 1", "block 2", "block 3", "block 4"]
    tested = np.concatenate([fold.test for fold in found])
    np.testing.assert_array_equal(np.sort(tested), np.arange(len(data[0])))
    for sample in np.unique(data[1]):
        pitch = spot_spacing(data[3][data[1] == sample])
        for fold in found:
            train, test = (
                data[3][part[data[1][part] == sample]] for part in (fold.train, fold.test)
            )
            away = np.linalg.norm(train[:, None] - test[None], axis=2)
            assert away.min() > MARGIN * pitch
            size = (data[1] == sample).sum()
            assert len(test) == pytest.approx(size / BLOCKS, abs=1)
            assert len(train) > size / 5
            # No more is left out than the margin: what is neither is near the block.
            rest = np.setdiff1d(np.flatnonzero(data[1] == sample), [*fold.train, *fold.test])
            near = np.linalg.norm(data[3][rest][:, None] - test[None], axis=2).min(axis=1)
            assert (near <= MARGIN * pitch).all()


def test_strips_cut_a_section_across_its_longest_axis():
    place = np.stack(np.meshgrid(np.arange(20.0), np.arange(5.0)), axis=-1).reshape(-1, 2)
    samples = np.repeat("s", 100)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    for coordinates in (place, place @ turn):
        found = strips(samples, coordinates)
        np.testing.assert_array_equal(np.bincount(found), [25] * BLOCKS)
        # Whole columns, in order, from one end or the other.
        columns = [set(found[place[:, 0] == x]) for x in range(20)]
        assert all(len(own) == 1 for own in columns)
        order = [own.pop() for own in columns]
        assert order in (sorted(order), sorted(order, reverse=True))


def test_a_section_too_small_for_a_margin_trains_on_the_others():
    labels, samples, patients, place = cohort(patients=2, samples=1)
    for fold in folds("spatial_blocks", labels, samples, patients, place, repeats=1, seed=0):
        assert len(fold.test) and not set(fold.test) & set(fold.train)
