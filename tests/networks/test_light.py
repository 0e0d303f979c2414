"""The light network: its components, what is hidden from it, and what it predicts."""

import numpy as np
import pytest
import torch

from sagefm.networks.base import build_network, embed, predict
from sagefm.networks.checkpoint import load_network, save_checkpoint
from sagefm.networks.registry import describe
from sagefm.sections.dense import make_batch
from sagefm.sections.section import load_chunk
from support import small

GENES = 300


@pytest.fixture(scope="module")
def chunk(tmp_path_factory):
    """Two real sections on counts scaled to 10,000 a spot."""
    sections = small.write_sections(
        tmp_path_factory.mktemp("light"), ["heart-1", "SPA147"], genes=GENES
    )
    return load_chunk(sections, "log1p_cp10k")


@pytest.fixture(scope="module")
def network(chunk):
    """A network that has seen both."""
    network = build_network("light", GENES, seed=0)
    network.fit_input(lambda: chunk)
    return network


def batch(chunk, rows, hidden=()):
    mask = np.zeros((len(rows), GENES), dtype=bool)
    mask[:, list(hidden)] = True
    return make_batch([(chunk, rows)], "background", mask)


def test_its_facts_are_its_sizes(network):
    facts = describe("light")
    assert facts.embedding_width(()) == network.COMPONENTS == network.programmes.shape[1]
    assert facts.fixed == 2 * network.COMPONENTS
    trained = sum(parameter.numel() for parameter in network.parameters())
    assert trained == facts.parameters(GENES, ()) == GENES * network.COMPONENTS


def test_its_embedding_is_that_of_the_principal_components(chunk, network):
    """Distances between spots of a section are those of the dense analysis, up to the scale."""
    found = embed(network, batch(chunk, np.arange(len(chunk.spots)))).detach().numpy()
    assert found.shape[1] == network.COMPONENTS
    dense = chunk.expression.toarray()
    both = np.concatenate([dense, network.NEIGHBOURS * (chunk.others() @ dense)], axis=1)
    own = chunk.owner(np.arange(len(dense)))
    within = np.concatenate([both[own == i] - both[own == i].mean(axis=0) for i in (0, 1)])
    left, values, _ = np.linalg.svd(within.astype(float), full_matrices=False)
    scores = (left * values)[:, : network.COMPONENTS]
    scores /= scores[:, 0].std()
    # The background leaves the spot itself out: its difference is n / (n - 1) times that.
    for i in (0, 1):
        n = (own == i).sum()
        centred = found[own == i] - found[own == i].mean(axis=0)
        products, expected = centred @ centred.T, scores[own == i] @ scores[own == i].T
        np.testing.assert_allclose(products, expected, atol=8 / n * np.abs(expected).max())


def test_a_hidden_gene_does_not_enter(chunk, network):
    rows = np.arange(10)
    gene = int(np.asarray(chunk.expression[rows].sum(axis=0)).argmax())
    inputs = batch(chunk, rows, [gene]).inputs
    changed = inputs[0].clone()
    changed[:, gene] = inputs[2][:, gene]
    assert torch.equal(
        network.embed_background(*inputs), network.embed_background(changed, *inputs[1:])
    )


def test_an_average_spot_is_predicted_as_the_sections_mean(chunk, network):
    mean = batch(chunk, np.arange(10)).inputs[2]
    embedding = network.embed_background(mean, mean, mean)
    assert torch.equal(embedding, torch.zeros(10, network.COMPONENTS))
    torch.testing.assert_close(network.decode(embedding, mean), mean)


def test_it_begins_better_than_the_sections_mean(chunk, network):
    whole = batch(chunk, np.arange(len(chunk.spots)))
    with torch.no_grad():
        error = (predict(network, whole) - whole.target).square().mean()
        assert error < 0.95 * (whole.inputs[2] - whole.target).square().mean()


def test_it_is_saved_and_loaded(network, tmp_path):
    save_checkpoint(tmp_path / "best.pt", network)
    loaded = load_network(tmp_path / "best.pt", "light", GENES).state_dict()
    assert all(torch.equal(own, loaded[name]) for name, own in network.state_dict().items())
