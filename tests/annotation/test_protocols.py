"""Protocols: no group on two sides, every spot tested once, the rules for many groups."""

import numpy as np
import pytest

from sagefm.annotation.protocols import PROTOCOLS, folds


def cohort(patients: int = 4, samples: int = 2, spots: int = 15) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(0)
    patient = np.repeat([f"p{i}" for i in range(patients)], samples * spots)
    sample = np.repeat([f"s{i}" for i in range(patients * samples)], spots)
    return rng.choice(["a", "b", "c"], len(patient), p=[0.6, 0.3, 0.1]), sample, patient


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
    assert set(PROTOCOLS) == {"random_spots", "held_out_samples", "held_out_patients"}
