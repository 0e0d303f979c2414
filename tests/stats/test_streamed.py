"""Sections read one after another give the genes and components of those held together."""

import numpy as np
import pytest
import scipy.sparse as sp

from sagefm.stats.components import principal_components
from sagefm.stats.streamed import streamed_components, streamed_variable_genes
from sagefm.stats.variable_genes import variable_genes
from support import helpers

SECTIONS, GENES = ("SPA141", "SPA147", "heart-1"), 900


@pytest.fixture(scope="module")
def sections() -> list[sp.csr_matrix]:
    """Three bundled sections on the scale of logarithms; their shared genes, one of which is 0."""
    found = [helpers.demo_section(name) for name in SECTIONS]
    shared = sorted(set.intersection(*(set(section.var_names) for section in found)))[:GENES]
    made = []
    for section in found:
        counts = sp.csr_matrix(section[:, shared].X, dtype=np.float32).tolil()
        counts[:, 5] = 0
        made.append(counts.tocsr().log1p())
    return made


@pytest.mark.parametrize("count", [1, 200, GENES])
def test_the_chosen_genes_are_those_of_the_cohort_as_a_whole(sections, count):
    samples = np.repeat(SECTIONS, [section.shape[0] for section in sections])
    expected = variable_genes(sp.vstack(sections, format="csr"), samples, count)
    found = streamed_variable_genes(lambda: sections, count)
    np.testing.assert_array_equal(found, expected)
    assert not found[5] and found.sum() == min(count, expected.sum())


def test_the_components_are_those_of_the_cohort_as_a_whole(sections):
    expected = principal_components(sp.vstack(sections, format="csr"), 20, seed=0)[0]
    found = streamed_components(lambda: iter(sections), 20)
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected[:, 0].std())


def test_there_are_fewer_components_than_spots_or_genes(sections):
    few = [section[:4, :3] for section in sections]
    assert streamed_components(lambda: few, 50).shape == (12, 2)
    assert streamed_components(lambda: [sections[0][:4]], 50).shape == (4, 3)
