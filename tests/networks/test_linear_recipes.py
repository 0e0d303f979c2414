"""Recipes tried before the light network: the first is the network, and the others differ."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bench.decoders import SeesNeighbours
from bench.linear_recipes import LIGHT, RECIPES, Spots, embeddings
from sagefm.networks.base import build_network, embed, predict
from sagefm.sections.cohort import Cohort, cohort_obs
from sagefm.sections.dense import make_batch
from sagefm.sections.section import load_chunk
from support import small

GENES = 120


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    folder, graph = tmp_path_factory.mktemp("recipes"), {"kind": "star", "size": 9}
    sizes = {"heart-1": 40, "SPA147": 60}
    return [
        section
        for name, number in sizes.items()
        for section in small.write_sections(folder, [name], number, GENES, **graph)
    ]


@pytest.fixture(scope="module")
def spots(sections):
    paths = tuple(section.counts_path for section in sections)
    return Spots(Cohort(paths), cohort_obs(paths))


@pytest.fixture(scope="module")
def own(spots):
    """Embeddings of the first recipe."""
    return embeddings(spots, [spots], LIGHT)[0]


@pytest.fixture(scope="module")
def light(sections):
    """A light network fitted to the sections, and the batch of all their spots."""
    chunk = load_chunk(sections, "log1p_cp10k")
    network = build_network("light", GENES, seed=0)
    network.fit_input(lambda: chunk)
    rows = np.arange(len(chunk.spots))
    nothing = np.zeros((len(rows), GENES), dtype=bool)
    return network, make_batch([(chunk, rows)], "background", nothing)


def test_the_first_recipe_is_the_light_network(spots, own, light):
    expected = embed(*light).detach().numpy()
    # The network's first component has variance 1, and its background leaves the spot itself out.
    for sample in dict.fromkeys(spots.samples):
        rows = spots.samples == sample
        centred = (part[rows] - part[rows].mean(axis=0) for part in (own, expected))
        products = [(part @ part.T).ravel() for part in centred]
        assert np.corrcoef(products)[0, 1] > 0.999


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe != LIGHT])
def test_every_other_recipe_is_another_embedding(spots, own, name):
    recipe = RECIPES[name]
    # Few genes are there to be chosen from.
    recipe = replace(recipe, genes=80 if recipe.genes != LIGHT.genes else LIGHT.genes)
    (found,) = embeddings(spots, [spots], recipe)
    assert found.shape == (len(spots.samples), recipe.components)
    assert np.isfinite(found).all()
    assert found.shape != own.shape or np.abs(found - own).max() > 1e-3 * np.abs(own).max()


def test_a_decoder_that_sees_the_neighbours_adds_a_share_of_their_difference(light):
    network, batch = light
    seeing = SeesNeighbours(GENES)
    seeing.load_state_dict(network.state_dict())
    torch.testing.assert_close(predict(seeing, batch), predict(network, batch))
    seeing.share = 0.5
    _, neighbours, background = batch.inputs
    plain = background + network.fc_gene(embed(network, batch))
    expected = (plain + (neighbours - background) / 2).relu()
    torch.testing.assert_close(predict(seeing, batch), expected)
