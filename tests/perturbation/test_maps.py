"""Maps of the response to a perturbation."""

import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.common.h5ad import read_h5ad
from sagefm.networks.base import build_network
from sagefm.networks.perturbed import neighbourhoods
from sagefm.perturbation.maps import pairs_to_map, response_map
from sagefm.sections.gene_summary import levels_between, summarise_genes
from sagefm.sections.section import load_chunk, spot_positions
from support import small
from support.models import fitted

PANEL = [f"g{i}" for i in range(50)]
PAIRS = pd.DataFrame(
    {
        "input": ["g1", "g1", "g2", "g3"],
        "output": ["g4", "g5", "g4", "g6"],
        "sign": [1, 1, -1, 1],
        "slope": [0.1, 3.0, -2.0, 0.5],
        "slope_expression_matched": [0.0, 0.0, 0.5, 0.5],
    }
)


def pairs_of(table):
    return list(zip(table["input"], table["output"], strict=True))


@pytest.mark.parametrize(
    ("named", "number", "chosen"),
    [
        ([], 2, [("g1", "g5"), ("g2", "g4")]),  # each input once
        ([["g3", "g6"], ["g9", "g4"]], 2, [("g1", "g5"), ("g3", "g6")]),  # one is not in the table
        ([["g1", "g4"]], 2, [("g1", "g5"), ("g2", "g4")]),  # its input is there already
        ([], 9, [("g1", "g5"), ("g2", "g4"), ("g3", "g6")]),
    ],
)
def test_a_named_pair_has_a_place_beside_the_strongest(named, number, chosen):
    assert pairs_of(pairs_to_map(PAIRS, named, number)) == chosen


def test_a_map_is_the_responses_of_the_largest_section(tmp_path):
    sections = small.write_sections(tmp_path / "a", ["heart-1"], 30, 50)
    sections += small.write_sections(tmp_path / "b", ["heart-2"], 35, 50)
    network = build_network("gcn", 50, small.WIDTHS, seed=3)
    torch.nn.init.constant_(network.fc_gene.bias, 0.5)
    model = fitted(network, panel=PANEL)
    genes = summarise_genes(sections, "log1p")
    table = response_map(model, sections, genes, PAIRS.iloc[[1, 3]], [["g4", "g5", "g6"]] * 2)
    assert len(table) == 2 * 35 and set(table["sample"]) == {"heart-2"}
    largest = sections[1]
    rows = np.arange(35)
    spots = next(neighbourhoods(model, largest, rows, [4, 5, 6]))
    neighbours = load_chunk([largest], "log1p").neighbour_mean().toarray()
    for (gene, output), (_, own) in zip(
        [(1, 5), (3, 6)], table.groupby("output", sort=False), strict=True
    ):
        levels = torch.from_numpy(levels_between(genes, [gene], 2)[0])
        with torch.inference_mode():
            low, high = spots.respond(gene, levels, torch.tensor([output]))[..., 0].numpy()
        np.testing.assert_allclose(own["low"], low, rtol=1e-5)
        np.testing.assert_allclose(own["response"], high - low, atol=1e-6)
        np.testing.assert_allclose(own["input_neighbours"], neighbours[:, gene], rtol=1e-6)
        positions = spot_positions(largest.counts_path)[0]
        np.testing.assert_array_equal(own[["x_pixels", "y_pixels"]].to_numpy(), positions)
        assert own["spot"].tolist() == read_h5ad(largest.counts_path).obs_names.tolist()
