"""The networks: size, seeds, and the exact collapse of cliques."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from sagefm.networks.base import build_network, embed, network_class
from sagefm.networks.collapsed import collapses
from sagefm.networks.contrast import Network as Contrast
from sagefm.networks.registry import describe, names
from sagefm.sections.dense import make_batch
from sagefm.sections.masks import gene_mask
from sagefm.sections.section import load_chunk
from support import small

WIDTHS = (64, 32, 32, 32, 64)
GENES = 300


@pytest.fixture(scope="module")
def chunks(tmp_path_factory):
    """Two real patches: one with room for 15 neighbours, one of 9 spots in all."""
    folder = tmp_path_factory.mktemp("model")
    large = small.write_sections(folder / "large", ["heart-1", "SPA147"], genes=GENES)
    tiny = small.write_sections(folder / "tiny", ["heart-2"], spots=9, genes=GENES)
    return {"large": load_chunk(large, "log1p"), "tiny": load_chunk(tiny, "log1p")}


def masks(rows, n_genes=GENES):
    mask = np.zeros((len(rows), n_genes), dtype=bool)
    for out, row in zip(mask, rows, strict=True):
        gene_mask(1, 0, 2, int(row), n_genes, 0.3, out)
    return mask


def test_parameters_at_the_papers_width():
    with torch.device("meta"):
        network = network_class("gcn")(14_558)
    assert sum(p.numel() for p in network.parameters()) == 31_405_790


def test_parameters_have_the_released_names_and_shapes():
    shapes = {
        k: tuple(v.shape) for k, v in build_network("gcn", GENES, WIDTHS).state_dict().items()
    }
    wide = [GENES, *WIDTHS]
    expected = {"fc_gene.weight": (GENES, 64), "fc_gene.bias": (GENES,)}
    for i in range(5):
        expected[f"conv{i + 1}.lin.weight"] = (wide[i + 1], wide[i])
        expected[f"conv{i + 1}.bias"] = (wide[i + 1],)
    assert shapes == expected


def run(network, batch):
    """Embedding, prediction, loss and the gradient of every parameter."""
    network.zero_grad()
    embedding = embed(network, batch)
    prediction = network.decode(embedding)
    error, hidden = network.loss(embedding, batch.target, batch.mask)
    loss = error / hidden
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in network.named_parameters()}
    return {"embedding": embedding, "prediction": prediction, "loss": loss} | gradients


@pytest.mark.parametrize(("section", "masked"), [("large", True), ("large", False), ("tiny", True)])
def test_collapsed_and_general_path_agree_on_cliques(chunks, section, masked):
    chunk = chunks[section]
    rows = np.arange(chunk.expression.shape[0])[::-3].copy()
    mask = masks(rows)
    network = build_network("gcn", GENES, WIDTHS, seed=3)
    collapsed, general = (make_batch([(chunk, rows)], how, mask) for how in ("mean", "subgraphs"))
    if not masked:  # the same loss entries, but nothing hidden from the network
        nothing = np.zeros_like(mask)
        for batch in (collapsed, general):
            batch.inputs = make_batch([(chunk, rows)], batch.layout, nothing).inputs
    ours, pyg = run(network, collapsed), run(network, general)
    assert len(ours) == 3 + 12
    for name, value in ours.items():
        assert value.abs().max() > 0, name
        torch.testing.assert_close(value, pyg[name], atol=1e-5, rtol=1e-5, msg=name)


def test_collapse_holds_at_the_papers_width(panel):
    """Three spots of a real section on the whole panel; 31 million parameters."""
    from sagefm.cohorts.ingest import ingest
    from sagefm.graphs.neighbourhoods import build_graph
    from support import helpers

    source = helpers.REPO / "resources/demo/st/heart-1.h5ad"
    row = {"sample": "heart-1", "cohort": "atlas", "format": "hest", "path_or_id": str(source)}
    sample = ingest(source, row, panel, helpers.QC, helpers.HARMONISE)
    graph = build_graph(sample.obsm["spatial"], "knn_clique")
    x = sample.X.astype(np.float32).log1p()
    spots = np.array([0, 40, 90])
    nodes, edges, centre = graph.subgraphs(spots)
    network = build_network("gcn", len(panel), seed=1)
    with torch.inference_mode():
        mean = torch.from_numpy((graph.mean_operator() @ x)[spots].toarray())
        ours = network.embed_mean(mean)
        dense, edges, centre = map(torch.from_numpy, (x[nodes].toarray(), edges, centre))
        pyg = network.embed_subgraphs(dense, edges, centre)
        torch.testing.assert_close(ours, pyg, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(network.decode(ours), network.decode(pyg), atol=1e-5, rtol=1e-5)
    assert ours.std(dim=0).max() > 1e-3  # the three spots are told apart


def test_a_graph_that_is_no_clique_does_not_collapse(tmp_path):
    sections = small.write_sections(tmp_path, ["heart-1"], genes=GENES, kind="star", size=15)
    chunk = load_chunk(sections, "log1p")
    rows = np.arange(10)
    network = build_network("gcn", GENES, WIDTHS, seed=3)
    mean, star = (make_batch([(chunk, rows)], how, masks(rows)) for how in ("mean", "subgraphs"))
    assert (embed(network, mean) - embed(network, star)).abs().max() > 1e-3


def test_slope_of_the_non_linearity_and_none_after_the_last_layer():
    network = build_network("gcn", 5, (4, 3), seed=0)
    x = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    hidden = x @ network.conv1.lin.weight.T + network.conv1.bias
    hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
    embedding = hidden @ network.conv2.lin.weight.T + network.conv2.bias
    assert (embedding < 0).any()
    torch.testing.assert_close(network.embed_mean(x), embedding)
    prediction = network.decode(embedding)
    assert (prediction >= 0).all()
    assert (prediction == 0).any()


def test_two_channel_network_sees_centre_and_neighbours_apart(chunks):
    chunk = chunks["large"]
    rows = np.array([3, 0, 50])
    mask = masks(rows)
    network = build_network("two_channel", GENES, WIDTHS, seed=5)
    batch = make_batch([(chunk, rows)], "channels", mask)
    x = chunk.expression.toarray()
    ego = chunk.ego.reshape(-1, 15)[rows]
    centre = torch.from_numpy(np.where(mask, 0, x[rows]))
    others = torch.from_numpy(x[ego[:, 1:]].mean(axis=1))
    hidden = centre @ network.centre.weight.T + network.centre.bias
    hidden = hidden + others @ network.neighbours.weight.T
    for layer in network.hidden:
        hidden = functional.leaky_relu(hidden) @ layer.weight.T + layer.bias
    torch.testing.assert_close(embed(network, batch), hidden, atol=1e-5, rtol=1e-5)
    swapped = network.embed_channels(*reversed(batch.inputs))
    assert (swapped - hidden).abs().max() > 1e-3


def test_two_channel_network_has_one_more_first_layer():
    count = {
        name: sum(p.numel() for p in build_network(name, GENES, WIDTHS).parameters())
        for name in names()
    }
    assert count["two_channel"] == count["gcn"] + GENES * WIDTHS[0]


@pytest.mark.parametrize("network", names())
def test_a_seed_fixes_the_weights_and_leaves_global_state_alone(network):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    one = build_network(network, 50, small.WIDTHS, seed=1).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    same = build_network(network, 50, small.WIDTHS, seed=1).state_dict()
    other = build_network(network, 50, small.WIDTHS, seed=2).state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    weights = [name for name in one if name.endswith("weight")]
    assert not any(torch.equal(one[name], other[name]) for name in weights)


def test_without_a_seed_the_global_state_is_used():
    torch.manual_seed(7)
    one = build_network("gcn", 50, small.WIDTHS)
    torch.manual_seed(7)
    two = build_network("gcn", 50, small.WIDTHS)
    assert torch.equal(one.fc_gene.weight, two.fc_gene.weight)
    assert not torch.equal(
        build_network("gcn", 50, small.WIDTHS).fc_gene.weight, one.fc_gene.weight
    )


@pytest.mark.parametrize("kind", ["knn_clique", "grid", "radius", "star"])
@pytest.mark.parametrize("name", names())
def test_each_network_has_the_method_its_layout_names(name, kind):
    facts, network = describe(name), build_network(name, 6, (4, 3))
    layout = facts.layout(kind)
    assert callable(getattr(network, f"embed_{layout}"))
    assert collapses(network, layout) == facts.collapses_on(kind)


def test_the_papers_network_collapses_on_cliques_alone():
    kinds = ("knn_clique", "grid", "radius", "star")
    layouts = {name: [describe(name).layout(kind) for kind in kinds] for name in names()}
    assert layouts["gcn"] == ["mean", *["subgraphs"] * 3]
    assert layouts["two_channel"] == ["channels"] * 4
    assert layouts["contrast"] == ["background"] * 4


# The contrast network


@pytest.fixture(scope="module")
def contrast(chunks):
    """A network that has seen real expression, its weights drawn wide, and a batch for it."""
    chunk = chunks["large"]
    network = build_network("contrast", GENES, (16,), seed=2)
    network.fit_input(lambda: chunk)
    with torch.no_grad():
        network.fc_gene.weight.normal_(std=0.3, generator=torch.Generator().manual_seed(0))
    rows = np.arange(chunk.expression.shape[0])[::-3].copy()
    return network, make_batch([(chunk, rows)], "background", masks(rows)), chunk, rows


def test_contrast_reads_the_background_of_other_spots(contrast):
    _, batch, chunk, rows = contrast
    dense = chunk.expression.toarray()
    owner = chunk.owner(rows)
    for i, row in enumerate(rows):
        others = np.flatnonzero(chunk.owner(np.arange(len(dense))) == owner[i])
        others = others[others != row]
        background, rate, depth = (part[i].numpy() for part in batch.context)
        np.testing.assert_allclose(background, dense[others].mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(rate, np.expm1(dense[others]).mean(axis=0), rtol=1e-3, atol=1e-3)
        assert depth == 1  # log1p of counts
        hidden = batch.mask[i].numpy()
        np.testing.assert_allclose(batch.inputs[0][i].numpy()[hidden], background[hidden])
        np.testing.assert_allclose(batch.inputs[0][i].numpy()[~hidden], dense[row][~hidden])


def test_an_average_spot_is_predicted_as_the_sections_mean(contrast):
    network, batch, *_ = contrast
    background = batch.context[0]
    average = network.embed_background(background, background)
    predicted = network.decode(average, *batch.context)
    torch.testing.assert_close(predicted, background, atol=1e-5, rtol=1e-4)
    assert (network.decode(embed(network, batch), *batch.context) >= 0).all()


def test_contrast_predicts_rates_that_add_up(contrast):
    """Where genes are rare the prediction is background times fold, and shares sum to one."""
    network, batch, *_ = contrast
    background, rate, depth = batch.context
    embedding = embed(network, batch)
    fold = network.log_fold(embedding, background).double().exp()
    share = (rate + network.RATE_FLOOR).double()
    share = share / share.sum(dim=1, keepdim=True)
    fold = fold / (fold * share).sum(dim=1, keepdim=True)
    tiny = torch.full_like(rate, 1e-6 - network.RATE_FLOOR)  # with the floor, a rate of 1e-6
    assert torch.allclose((fold * share).sum(dim=1), torch.ones(len(fold), dtype=torch.double))
    uniform = network.log_fold(embedding, background).double().exp()
    expected = uniform / uniform.mean(dim=1, keepdim=True) * background
    found = network.decode(embedding, background, tiny, depth)
    torch.testing.assert_close(found.double(), expected, rtol=2e-2, atol=1e-5)


def test_contrasts_loss_is_the_multinomials(contrast):
    from scipy import stats

    network, batch, chunk, rows = contrast
    embedding = embed(network, batch)
    found, weight = network.loss(embedding, batch.target, batch.mask, *batch.context)
    counts = np.expm1(chunk.expression[rows].toarray()).round().astype(int)
    mask = batch.mask.numpy()
    logits = network.log_fold(embedding, batch.context[0]) + (batch.context[1] + 1e-3).log()
    logits = logits.detach().double().numpy()
    expected = 0.0
    for spot in range(len(rows)):
        hidden, z = counts[spot, mask[spot]], logits[spot, mask[spot]]
        share = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        whole = stats.multinomial.logpmf(hidden, hidden.sum(), share)
        # The loss leaves out how many orders the counts could have come in.
        orders = stats.multinomial.logpmf(hidden, hidden.sum(), np.full(len(z), 1 / len(z)))
        expected -= whole - (orders + hidden.sum() * np.log(len(z)))
    assert int(weight.round()) == counts[mask].sum()
    assert found.item() == pytest.approx(expected, rel=1e-4)


def test_contrasts_input_is_principal_components(contrast):
    from sklearn.decomposition import PCA

    network, _, chunk, _ = contrast
    centre, neighbours = (
        part.toarray().astype(float) for part in (chunk.expression, chunk.neighbour_mean())
    )
    for values, name in ((centre, "centre"), (neighbours, "neighbours")):
        components = getattr(network, f"{name}_components").double().numpy()
        found = (values - getattr(network, f"{name}_mean").double().numpy()) @ components
        fitted = PCA(50, svd_solver="full").fit_transform(values)
        assert found[:, 0].std() == pytest.approx(1, rel=1e-3)
        ratio = found[:, :10].std(axis=0) / fitted[:, :10].std(axis=0)
        np.testing.assert_allclose(ratio, 1 / fitted[:, 0].std(), rtol=1e-3)
    assert isinstance(network, Contrast)
    assert {name for name, _ in network.named_parameters()}.isdisjoint(
        dict(network.named_buffers())
    )
