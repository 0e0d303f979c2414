"""Heterogeneity without clusters: purity by brute force, silhouette by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances, silhouette_samples

from sagefm.heterogeneity import heterogeneity_scores, purity


def brute(values, groups, k, patients):
    """Purity and its chance, a spot and a neighbour at a time."""
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
    chance = np.mean(chances)
    return (np.array(shares) - chance) / (1 - chance)


@pytest.mark.parametrize("across", [False, True])
def test_purity_by_brute_force(across):
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=(50, 3)), rng.integers(3, size=50)
    values[:, 0] += groups
    patients = rng.integers(4, size=50) if across else None
    np.testing.assert_allclose(
        purity(values, groups, 7, patients), brute(values, groups, 7, patients)
    )


def test_purity_is_one_for_groups_apart_and_none_for_noise():
    rng = np.random.default_rng(1)
    groups = np.repeat([0, 1], 400)
    noise = rng.normal(size=(800, 4))
    assert purity(noise + 50 * groups[:, None], groups, 15).mean() == 1
    assert purity(noise, groups, 15).mean() == pytest.approx(0, abs=0.03)


def test_a_batch_effect_raises_purity_but_not_that_across_patients():
    rng = np.random.default_rng(2)
    patients = np.repeat([0, 1], 150)
    groups = (rng.random(300) < np.where(patients == 0, 0.9, 0.1)).astype(int)
    values = rng.normal(size=(300, 3)) + 30 * patients[:, None]
    assert purity(values, groups, 15).mean() > 0.4
    assert purity(values, groups, 15, patients).mean() < 0.05


def test_scores_are_means_over_each_samples_spots():
    rng = np.random.default_rng(3)
    values, groups = rng.normal(size=(60, 3)), rng.integers(2, size=60)
    samples = np.repeat(["b", "a", "c"], 20)
    table = heterogeneity_scores(values, groups, samples, samples, 5, 1000, 0)
    found = table.set_index(["metric", "section"])["value"]
    assert found.loc["group_silhouette", "a"] == pytest.approx(
        silhouette_samples(values, groups)[20:40].mean()
    )
    assert found.loc["purity", "c"] == pytest.approx(purity(values, groups, 5)[40:].mean())
    assert set(table["metric"]) == {"purity", "purity_across", "group_silhouette"}
    alone = heterogeneity_scores(values, groups, samples, None, 5, 1000, 0)
    assert set(alone["metric"]) == {"purity", "group_silhouette"}
