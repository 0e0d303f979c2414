"""A cohort's samples together: order, labels, expression, withheld genes."""

import numpy as np
import pytest
import scipy.sparse as sp

from sagefm.common.h5ad import read_h5ad
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.sections.cohort import FACTS, Cohort, cohort_obs, cohort_of_files, describe_spots
from support import cohorts

SPOTS, SAMPLES = cohorts.SPOTS, cohorts.SAMPLES


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    return cohorts.write_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def stacked(cohort) -> np.ndarray:
    """The samples' counts, dense, one below the other."""
    return np.concatenate([read_h5ad(p).X.toarray() for p in cohort.samples])


def test_facts_and_labels_are_joined_to_the_spots(cohort, tmp_path):
    spots = cohort_obs(cohort.samples)
    assert list(spots) == ["sample", "spot"] and len(spots) == SPOTS * len(SAMPLES)
    obs = cohorts.described(cohort, cohorts.write_labels(cohort, tmp_path / "labels.tsv.gz"))
    assert list(obs) == [*FACTS, "spot", "label"]
    assert obs.index.equals(spots.index) and obs["spot"].equals(spots["spot"])
    assert (obs["label"] == "tumour").sum() == 10
    assert set(obs.loc[obs["label"] == "tumour", "sample"]) == {"SPA147"}
    assert obs["label"].isna().sum() == len(obs) - 10
    assert list(obs["patient"].unique()) == [f"P-{sample}" for sample in SAMPLES]
    assert list(obs.index) == [f"{s}:{x}" for s, x in zip(obs["sample"], obs["spot"], strict=True)]
    assert list(cohorts.described(cohort)) == [*FACTS, "spot"]


def test_spots_have_the_facts_that_rows_have(cohort):
    rows = [{"sample": name, "dataset": "d", "patient": "P"} for name in SAMPLES]
    rows[0]["dataset"] = "e"
    obs = describe_spots(cohort_obs(cohort.samples), rows)
    assert list(obs) == ["sample", "dataset", "patient", "spot"]
    assert list(obs["patient"].unique()) == ["e:P", "d:P"]
    # Of one sample, no other has the name.
    alone = describe_spots(cohort_obs(cohort.samples[:1]), rows)
    assert list(alone["patient"].unique()) == ["P"]


def test_counts_are_stacked_in_the_samples_order(cohort, stacked):
    found = cohort.counts()
    np.testing.assert_array_equal(found.X.toarray(), stacked)
    assert list(found.obs["sample"]) == list(np.repeat(SAMPLES, SPOTS))
    np.testing.assert_allclose(cohort.expression("log1p").toarray(), np.log1p(stacked), rtol=1e-6)


def test_neighbour_mean_is_the_mean_of_the_neighbourhood(cohort, stacked):
    found = sp.csr_matrix(cohort.mean_operator() @ cohort.expression("log1p"))
    assert sp.issparse(found)
    for i, path in enumerate(cohort.graphs):
        graph, own = load_graph(path), np.log1p(stacked[i * SPOTS : (i + 1) * SPOTS])
        for spot in range(SPOTS):
            near = graph.ego[graph.indptr[spot] : graph.indptr[spot + 1]]
            assert len(near) == 15
            mean = own[near].mean(axis=0)
            np.testing.assert_allclose(found[i * SPOTS + spot].toarray()[0], mean, atol=1e-5)


def test_withheld_genes_enter_nothing(cohort, stacked, tmp_path):
    names = list(read_h5ad(cohort.samples[0]).var_names)
    listed = tmp_path / "withheld.txt"
    listed.write_text(f"{names[7]}\n{names[3]}\nNOTINTHEPANEL\n")
    without = cohort_of_files(cohort.samples, cohort.graphs, [listed])
    assert without.withheld_columns() == (3, 7)
    kept = np.delete(stacked, [3, 7], axis=1)
    found = without.counts()
    np.testing.assert_array_equal(found.X.toarray(), kept)
    assert list(found.var_names) == [name for name in names if name not in (names[3], names[7])]
    # Scaled to the depth that is left: a withheld gene must not show in that of the others.
    scaled = np.log1p(kept * np.float32(1e4) / kept.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(without.expression("log1p_cp10k").toarray(), scaled, rtol=1e-5)
    assert without.expression("log1p").shape[1] == kept.shape[1]
    assert cohort_of_files(cohort.samples).withheld_columns() == ()
