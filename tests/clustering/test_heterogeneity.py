"""Heterogeneity without clusters: purity against brute force, silhouette against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances, silhouette_samples

from sagefm.clustering.heterogeneity import Surroundings


def brute(values, groups, k, patients):
    """Shares of neighbours and of all others in a spot's group, one spot at a time."""
    distances = pairwise_distances(values)
    shares, chances = [], []
    for i in range(len(values)):
        others = [
            j for j in range(len(values))
            if j != i and (patients is None or patients[j] != patients[i])
        ]  # fmt: skip
        near = sorted(others, key=lambda j: distances[i, j])[:k]
        shares.append(np.mean([groups[j] == groups[i] for j in near]))
        chances.append(np.mean([groups[j] == groups[i] for j in others]))
    return shares, chances


def scored(values, groups, samples, patients=None, neighbours=15, spots=10):
    """Of `Surroundings.scores`; without patients, not across them."""
    across = patients is not None
    where = Surroundings(
        values, samples, patients if across else samples, neighbours, spots, seed=0
    )
    return where.scores(groups, across)


def purity(values, groups, samples, patients=None, metric="purity"):
    table = scored(values, groups, samples, patients)
    return table[table["metric"] == metric].set_index("section")["value"]


@pytest.mark.parametrize("across", [False, True])
def test_shares_by_brute_force(across):
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=(50, 3)), rng.integers(3, size=50)
    values[:, 0] += groups
    patients = rng.integers(4, size=50) if across else None
    where = Surroundings(values, np.zeros(50), patients, 7, 10, seed=0)
    found = where.shares_across(groups) if across else where.shares(groups)
    np.testing.assert_allclose(found, brute(values, groups, 7, patients))


def test_purity_is_one_for_groups_apart_and_none_for_noise():
    rng = np.random.default_rng(1)
    groups, one = np.repeat([0, 1], 400), np.repeat("one", 800)
    noise = rng.normal(size=(800, 4))
    assert purity(noise + 50 * groups[:, None], groups, one)["one"] == 1
    assert purity(noise, groups, one)["one"] == pytest.approx(0, abs=0.03)


def test_noise_is_no_purity_in_a_section_of_the_commonest_group():
    """What is chance there is not what it is in the whole cohort."""
    rng = np.random.default_rng(4)
    samples = np.repeat(["common", "rare"], 1000)
    groups = (rng.random(2000) < np.where(samples == "common", 0.05, 0.5)).astype(int)
    noise = rng.normal(size=(2000, 4))
    for metric, patients in (("purity", None), ("purity_across", samples)):
        found = purity(noise, groups, samples, patients, metric)
        assert list(found.index) == ["common", "rare"]
        np.testing.assert_allclose(found, 0, atol=0.04)


def test_groups_that_no_other_patient_has_are_not_pure_and_a_single_one_is_not_scored():
    rng = np.random.default_rng(5)
    samples = np.repeat(["a", "b", "c"], 20)
    groups = (samples == "c").astype(int)
    found = purity(rng.normal(size=(60, 3)), groups, samples, samples == "c", "purity_across")
    assert (found == 0).all()  # neither group is found in the other patient
    same = np.zeros(60, dtype=int)
    assert not len(purity(rng.normal(size=(60, 3)), same, samples))


def test_a_batch_effect_raises_purity_but_not_that_across_patients():
    rng = np.random.default_rng(2)
    patients = np.repeat([0, 1], 150)
    groups = (rng.random(300) < np.where(patients == 0, 0.9, 0.1)).astype(int)
    values = rng.normal(size=(300, 3)) + 30 * patients[:, None]
    assert (purity(values, groups, np.repeat("one", 300)) > 0.4).all()
    across = purity(values, groups, np.repeat("one", 300), patients, "purity_across")
    assert (across < 0.05).all()


def test_scores_are_means_over_each_samples_spots():
    rng = np.random.default_rng(3)
    values, groups = rng.normal(size=(60, 3)), rng.integers(2, size=60)
    samples = np.repeat(["b", "a", "c"], 20)
    table = scored(values, groups, samples, samples, neighbours=5, spots=1000)
    found = table.set_index(["metric", "section"])["value"]
    assert found.loc["group_silhouette", "a"] == pytest.approx(
        silhouette_samples(values, groups)[20:40].mean()
    )
    share, chance = (
        own[40:].mean() for own in Surroundings(values, samples, samples, 5, 10, 0).shares(groups)
    )
    assert found.loc["purity", "c"] == pytest.approx((share - chance) / (1 - chance))
    assert set(table["metric"]) == {"purity", "purity_across", "group_silhouette"}
    alone = scored(values, groups, samples, neighbours=5, spots=1000)
    assert set(alone["metric"]) == {"purity", "group_silhouette"}
