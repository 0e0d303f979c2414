"""How a network treats genes that sections did not measure, in training and afterwards."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import load_network, save_checkpoint
from sagefm.networks.perturbed import neighbourhoods
from sagefm.sections.batch import CPU
from sagefm.sections.batches import Batches
from sagefm.sections.resident import ResidentBatches
from sagefm.sections.section import Section, load_chunk
from sagefm.training.trainer import Recipe, Trainer
from support import small
from support.models import fitted

GENES, LACKING = 120, np.arange(0, 120, 3)
STEPS = {"contrast": "background", "from_mean": "background", "from_components": "channels"}


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
    assert torch.equal(network.unmeasured, network.centre_mean)
    assert as_zero.unmeasured is None
    assert not torch.equal(network.centre_components, as_zero.centre_components)


def test_where_all_was_measured_nothing_changes(chunk):
    network, plain = (build_network("contrast", GENES, (8,)) for _ in range(2))
    network.fit_input(lambda: replace(chunk, measured=np.ones((len(chunk.starts), GENES), bool)))
    plain.fit_input(lambda: chunk)
    for name in ("centre", "neighbours"):
        found, own = (getattr(one, f"{name}_components") for one in (network, plain))
        assert torch.equal(found, own)


@pytest.fixture(scope="module")
def sections(tmp_path_factory) -> list[Section]:
    """The first lacks every third gene."""
    own = small.write_sections(tmp_path_factory.mktemp("lacking"), genes=GENES)
    lack(own[0], LACKING)
    return own


def lack(section: Section, genes: np.ndarray) -> None:
    """Write a section as if its source had not measured some genes."""
    adata = read_h5ad(section.counts_path)
    counts = adata.X.toarray()
    counts[:, genes] = 0
    adata.X = type(adata.X)(counts)
    adata.var["measured"] = ~np.isin(np.arange(GENES), genes)
    write_h5ad(adata, section.counts_path)


@pytest.fixture(params=STEPS)
def model(request, sections, monkeypatch, repo):
    """Fitted on sections of which one lacks genes; its small layers and decoder are drawn."""
    monkeypatch.setenv("SAGEFM_PATH", str(repo / "config/ladder"))
    network = build_network(request.param, GENES, (8,), seed=0)
    layout = STEPS[request.param]
    network.fit_input(Batches(sections, layout, "log1p", every_gene=False).first_chunk)
    torch.nn.init.normal_(network.fc_gene.weight, generator=torch.Generator().manual_seed(0))
    return fitted(network, request.param, "star")


def as_zero(model):
    """The same weights, of a network that reads unmeasured genes as 0."""
    network = build_network(model.recipe.network, GENES, (8,))
    network.load_state_dict(model.network.state_dict())
    network.fill.zero_()
    return fitted(network, model.recipe.network, "star")


def test_unmeasured_genes_bring_nothing_to_an_embedding(model, sections):
    """As if the components were of the measured genes alone, about the same means."""
    found = np.concatenate([*model.embedded_rows(sections[0])])
    plain = as_zero(model)
    zeroed = np.concatenate([*plain.embedded_rows(sections[0])])
    near, far = (getattr(plain.network, f"{name}_mean") for name in ("centre", "neighbours"))
    # What is left of a gene that is the same at a spot and around it: of the mean among neighbours.
    left = (near - far)[LACKING] @ plain.network.neighbours_components[LACKING]
    for name in ("centre", "neighbours"):
        getattr(plain.network, f"{name}_components")[LACKING] = 0
    own = plain.network
    batch = plain.batch(plain.chunk(sections[:1]), np.arange(40), np.zeros((40, GENES), bool))
    centre, neighbours = batch.inputs[:2]
    components = torch.cat(
        [
            (centre - own.centre_mean) @ own.centre_components,
            (neighbours - own.neighbours_mean) @ own.neighbours_components + left,
        ],
        dim=1,
    )
    hidden = components
    for i, layer in enumerate(own.hidden):
        hidden = layer(torch.nn.functional.leaky_relu(hidden) if i else hidden)
    expected = (components + hidden).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(zeroed - expected).max() > 0.1


def test_sections_that_measured_all_are_read_to_the_bit_as_before(model, sections):
    plain = as_zero(model)
    for section in sections[1:]:
        for one, two in zip(*(m.embedded_rows(section) for m in (model, plain)), strict=True):
            np.testing.assert_array_equal(one, two)
        for one, two in zip(*(m.batches([section]).epoch(0) for m in (model, plain)), strict=True):
            assert torch.equal(model.predict(one), plain.predict(two))
            assert torch.equal(one.mask, two.mask)


def test_withheld_genes_are_as_those_that_a_section_lacks(model, sections, tmp_path):
    whole, cut = (small.write_sections(tmp_path / name, genes=GENES)[1] for name in "ab")
    lack(cut, LACKING)
    one = np.concatenate([*model.embedded_rows(whole, withheld=tuple(LACKING))])
    np.testing.assert_array_equal(one, np.concatenate([*model.embedded_rows(cut)]))
    if model.layout == "background":
        (batch,) = model.batches([cut], mask_share=0.0).epoch(0)
        lacking = model.predict(batch)[:, LACKING]
        assert (lacking == 0).all() or model.recipe.network == "from_mean"


def test_a_device_makes_the_same_batches_of_them(model, sections):
    streamed = model.batches(sections, batch_size=16)
    held = ResidentBatches.of(streamed, CPU)
    pairs = zip(streamed.epoch(1, order="shuffled"), held.epoch(1, order="shuffled"), strict=True)
    for one, two in pairs:
        for first, second in zip(one.tensors(), two.tensors(), strict=True):
            torch.testing.assert_close(first, second, atol=1e-5, rtol=0)


def test_a_perturbed_gene_has_the_level_that_is_set(model, sections):
    """Set to what it counts as, an unmeasured gene changes nothing."""
    gene, outputs = int(LACKING[1]), torch.arange(1, GENES)
    level = model.network.unmeasured[gene]
    (spots,) = neighbourhoods(model, sections[0], np.arange(5), [])
    same, other = spots.respond(gene, torch.stack([level, level + 2]), outputs)
    nothing = np.zeros((5, GENES), dtype=bool)
    batch = model.batch(model.chunk(sections[:1]), np.arange(5), nothing)
    torch.testing.assert_close(same, model.predict(batch)[:, 1:])
    assert not torch.allclose(other, same)


@pytest.mark.parametrize("genes", ["measured", "all_as_in_the_paper"])
def test_a_training_reads_them_as_they_were_fitted(sections, tmp_path, genes):
    plain = Batches(sections, "background", "log1p", 120, every_gene=genes != "measured")
    recipe = Recipe("contrast", (8,), epochs=1, batch_size=120, genes=genes)
    trainer = Trainer(recipe, plain, plain, tmp_path, device=CPU)
    (batch,) = trainer.training.epoch(0)
    lacking = batch.inputs[1][: sections[0].n_spots(), LACKING]
    if genes == "measured":
        assert torch.equal(lacking, trainer.network.centre_mean[LACKING].expand_as(lacking))
        assert trainer.training.filling(trainer.network.centre_mean) is trainer.training
    else:
        assert (lacking == 0).all()
        assert trainer.training is plain


def test_a_checkpoint_has_what_they_count_as_and_an_older_one_zeros(model, tmp_path):
    save_checkpoint(tmp_path / "now.pt", model.network)
    assert torch.equal(
        load_network(tmp_path / "now.pt", model.recipe.network, GENES).unmeasured,
        model.network.unmeasured,
    )
    state = model.network.state_dict()
    del state["fill"]
    torch.save(state, tmp_path / "old.pt")
    assert load_network(tmp_path / "old.pt", model.recipe.network, GENES).unmeasured is None
