"""The mean Jacobian equals autograd and finite differences, and is restored from its file."""

import numpy as np
import pytest
import torch
from torch.func import jacrev

from sagefm.common.errors import InputError
from sagefm.networks.base import build_network
from sagefm.networks.collapsed import Readout
from sagefm.screen.jacobian import Jacobian, left_factor, mean_jacobian, write_jacobian
from sagefm.screen.spots import Drawn
from sagefm.sections.dense import make_batch
from sagefm.sections.section import load_chunk
from support import small
from support.models import fitted

GENES = 40
CONTEXTS = {"first": np.array([0, 1, 17, 39, 20]), "both": np.array([2, 17, 41, 60, 79])}


def prepared(folder, name="gcn", widths=small.WIDTHS):
    """Two sections, and a network some of whose predictions are open at some spots alone."""
    sections = small.write_sections(folder, small.SAMPLES[:2], 40, GENES, kind="knn_clique", size=7)
    network = build_network(name, GENES, widths, seed=3).eval()
    drawn = Drawn(sections, CONTEXTS)
    return fitted(network, name), drawn


def shifted(network, layout, neighbours, centre, size, shift):
    """Predictions with every neighbour's genes shifted; `neighbours` is their mean."""
    if layout == "mean":
        return network.decode(
            network.embed_mean((centre + (size - 1) * (neighbours + shift)) / size)
        )
    return network.decode(network.embed_channels(centre, neighbours + shift))


@pytest.mark.parametrize("widths", [(16,), (16, 8), (16, 8, 12), small.WIDTHS])
@pytest.mark.parametrize("name", ["gcn", "two_channel"])
def test_equals_autograd(tmp_path, name, widths):
    model, drawn = prepared(tmp_path, name, widths)
    network, layout = model.network, model.layout
    left = mean_jacobian(model, drawn)
    assert list(left) == list(CONTEXTS)
    chunk = load_chunk(drawn.sections, "log1p")
    for context, rows in CONTEXTS.items():
        batch = make_batch([(chunk, rows)], "channels", np.zeros((len(rows), GENES), dtype=bool))
        centre, neighbours = batch.inputs

        def mean(shift, neighbours=neighbours, centre=centre):
            return shifted(network, layout, neighbours, centre, 7, shift).mean(dim=0)

        expected = jacrev(mean)(torch.zeros(GENES))
        assert left[context].shape == (GENES, widths[0])
        found = torch.from_numpy(left[context]) @ network.neighbour_weights
        torch.testing.assert_close(found, expected.detach(), atol=1e-6, rtol=1e-5)
        assert expected.abs().max() > 1e-4


def test_gates_that_differ_from_spot_to_spot_are_mended():
    """Each sort there is: always open, mostly, sometimes, never."""
    network = build_network("gcn", 200, small.WIDTHS, seed=0)
    readout = Readout.of(network)
    generator = torch.Generator().manual_seed(1)
    hidden, gain = torch.randn(21, 16, generator=generator) * 8, torch.rand(21, generator=generator)
    with torch.inference_mode():
        found = left_factor(readout, hidden, gain)
        share = (readout(hidden.clone()) > 0).float().mean(dim=0)
    assert share.min() == 0
    assert share.max() == 1
    assert ((share > 0) & (share < 0.5)).any()
    assert ((share > 0.5) & (share < 1)).any()

    def predicted(own):
        return network.decode(network.finish(own))

    own = [weight * jacrev(predicted)(spot) for weight, spot in zip(gain, hidden, strict=True)]
    expected = torch.stack(own).mean(dim=0).detach()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_equals_small_doses(tmp_path):
    """Responses to a small step up and down, in double precision, over its size."""
    model, drawn = prepared(tmp_path)
    network = model.network
    left = mean_jacobian(model, drawn)["both"]
    found = left @ network.neighbour_weights.detach().numpy()
    parts = list(drawn.neighbourhoods(model, ()))
    network, step = network.double(), 1e-5
    outputs = torch.arange(GENES)
    for gene in (0, 13, 31):
        total = torch.zeros(GENES, dtype=torch.float64)
        for batch, own in parts:
            batch.readout = Readout.of(network)
            batch.hidden, batch.second = batch.hidden.double(), None  # which is single precision
            for level, sign in ((step, 1), (-step, -1)):
                # A level that lies a step from each spot's own mean: a shift of the step.
                batch.neighbour_mean = torch.zeros_like(batch.neighbour_mean).double()
                levels = torch.tensor([level], dtype=torch.float64)
                with torch.inference_mode():
                    response = batch.respond(gene, levels, outputs)[0]
                total += sign * response[own == 1].sum(dim=0)
        expected = total / (2 * step * len(CONTEXTS["both"]))
        np.testing.assert_allclose(found[:, gene], expected, atol=2e-6)


def test_a_network_without_factors_is_an_error(tmp_path):
    model, drawn = prepared(tmp_path)
    with pytest.raises(InputError, match="Jacobian of a `gcn` network on a `grid` graph cannot be"):
        mean_jacobian(fitted(model.network, kind="grid"), drawn)


def test_file_gives_pairs_rows_columns_and_blocks(tmp_path):
    model, drawn = prepared(tmp_path)
    genes, network = [f"GENE{i}" for i in range(GENES)], model.network
    model = fitted(network, panel=genes)
    left = mean_jacobian(model, drawn)
    write_jacobian(tmp_path / "jacobian.h5", left, model, drawn.sizes)
    file = Jacobian(tmp_path / "jacobian.h5")
    assert file.contexts == ["first", "both"]
    assert file.spots == [5, 5]
    assert file.genes == genes
    for context in file.contexts:
        whole = left[context] @ network.neighbour_weights.detach().numpy()
        close = {"rtol": 1e-5, "atol": 1e-8}
        assert file.pair("GENE3", "GENE20", context) == pytest.approx(whole[3, 20], rel=1e-5)
        np.testing.assert_allclose(file.row("GENE3", context), whole[3], **close)
        np.testing.assert_allclose(file.column("GENE20", context), whole[:, 20], **close)
        block = file.block(["GENE9", "GENE1"], ["GENE4", "GENE4", "GENE0"], context)
        np.testing.assert_allclose(block, whole[[9, 1]][:, [4, 4, 0]], **close)


def test_few_rows_are_read_without_the_rest(tmp_path):
    """As many genes as make one row at a time the better way."""
    network = build_network("gcn", 200, (4, 4), seed=0)
    left = {"all": np.random.default_rng(0).normal(size=(200, 4)).astype(np.float32)}
    genes = [f"GENE{i}" for i in range(200)]
    write_jacobian(tmp_path / "jacobian.h5", left, fitted(network, panel=genes), {"all": 1})
    whole = left["all"] @ network.neighbour_weights.detach().numpy()
    found = Jacobian(tmp_path / "jacobian.h5").block(genes[::-1], genes[7:10], "all")
    np.testing.assert_allclose(found, whole[::-1, 7:10], rtol=1e-5, atol=1e-8)
