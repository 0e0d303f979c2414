"""What a network takes from its training sections, where some did not measure all genes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sagefm.networks.base import build_network
from sagefm.sections.section import load_chunk
from support import small

GENES = 120


@pytest.fixture(scope="module")
def chunk(tmp_path_factory):
    return load_chunk(small.write_sections(tmp_path_factory.mktemp("s"), genes=GENES), "log1p")


def test_a_gene_that_a_section_lacks_counts_as_its_mean_in_the_others(chunk):
    """It would otherwise be a component by itself, and tell the section from the rest."""
    measured = np.ones((len(chunk.starts), GENES), dtype=bool)
    lacking = np.arange(GENES) < GENES // 2
    measured[0, lacking] = False
    first = chunk.owner(np.arange(len(chunk.spots))) == 0
    values = chunk.expression.toarray()
    values[np.ix_(first, lacking)] = 0
    changed = replace(chunk, expression=type(chunk.expression)(values))
    network, as_zero = (build_network("contrast", GENES, (8,)) for _ in range(2))
    network.fit_input(lambda: replace(changed, measured=measured))
    as_zero.fit_input(lambda: changed)
    expected = values.mean(axis=0)
    np.testing.assert_allclose(as_zero.centre_mean, expected, atol=1e-5)
    expected[lacking] = values[~first][:, lacking].mean(axis=0)
    np.testing.assert_allclose(network.centre_mean, expected, atol=1e-5)
    assert not torch.equal(network.centre_components, as_zero.centre_components)


def test_where_all_was_measured_nothing_changes(chunk):
    network, plain = (build_network("contrast", GENES, (8,)) for _ in range(2))
    network.fit_input(lambda: replace(chunk, measured=np.ones((len(chunk.starts), GENES), bool)))
    plain.fit_input(lambda: chunk)
    for name in ("centre", "neighbours"):
        found, own = (getattr(one, f"{name}_components") for one in (network, plain))
        np.testing.assert_allclose(found, own, atol=1e-4)
