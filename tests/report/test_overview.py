"""The tables of figure 1, on a real section and a small network."""

import numpy as np
import pandas as pd
import pytest

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.networks.base import build_network
from sagefm.networks.registry import names
from sagefm.report.overview import layers_table, neighbourhood_table, parts_counted, sections_table
from support import small


def test_sections_have_the_part_of_the_split_and_spots():
    rows = pd.DataFrame(
        {"cohort": ["x", "x", "y"], "sample": ["1", "2", "1"], "dataset": ["d", "e", "e"],
         "patient": ["A", "A", ""], "organ": ["Heart", "Liver", "Liver"]}
    )  # fmt: skip
    qc = [part[["cohort", "sample"]].assign(spots_kept=n) for n, part in
          ((5, rows[:1]), (6, rows[1:2]), (7, rows[2:]))]  # fmt: skip
    split = pd.DataFrame({"cohort": ["x", "x"], "sample": ["1", "2"], "part": ["test", "train"]})
    table = sections_table(rows, qc, split)
    assert list(table) == ["cohort", "sample", "patient", "organ", "n_spots", "part"]
    assert list(table["part"]) == ["test", "train", "scored only"]
    assert list(table["n_spots"]) == [5, 6, 7]
    assert list(table["patient"]) == ["d:A", "e:A", "1"]  # two people of one name


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            ["train", "test", "train", "validation"],
            "2 for training, 1 for validation, 1 for testing",
        ),
        (["train", "scored only"], "1 for training, 1 only scored"),
        (["scored only"], "1 only scored"),
    ],
)
def test_sections_are_counted_by_what_they_are_for(parts, words):
    number = f"{len(parts)} section{'s' * (len(parts) > 1)}"
    assert parts_counted(pd.DataFrame({"part": parts})) == f"Of {number}: {words}"


def test_the_neighbourhood_is_that_of_the_spot_in_the_middle(tmp_path):
    small.write_sections(tmp_path, ("SPA147",))
    sample, graph = tmp_path / "samples/demo/SPA147.h5ad", tmp_path / "graphs/demo/SPA147.npz"
    adata = read_h5ad(sample)
    adata.obs["n_counts"] = np.arange(adata.n_obs, dtype=np.int32)
    write_h5ad(adata, sample)
    table = neighbourhood_table(sample, graph)
    assert (table["role"] == "centre").sum() == 1
    assert (table["role"] == "neighbour").sum() == 14
    at = table[["x_pixels", "y_pixels"]].to_numpy()
    centre = int(np.flatnonzero(table["role"] == "centre")[0])
    distance = np.linalg.norm(at - at.mean(axis=0), axis=1)
    assert distance[centre] == distance.min()
    whole = load_graph(graph)
    ego = whole.ego[whole.indptr[centre] : whole.indptr[centre + 1]]
    assert set(ego) == set(np.flatnonzero(table["role"] != "other"))
    assert list(table["counts"]) == list(range(adata.n_obs))
    assert set(table["sample"]) == {"SPA147"} and list(table["spot"]) == list(adata.obs_names)


def test_layers_add_up_to_the_network_and_end_with_the_decoder():
    for name in names():
        network = build_network(name, 30, (8, 4, 6))
        weights = [(key, tuple(own.shape)) for key, own in network.named_parameters()]
        table = layers_table(weights)
        assert table["parameters"].sum() == sum(own.numel() for own in network.parameters())
        assert table["layer"].iloc[-1] == "fc_gene"
        assert table["outputs"].iloc[-1] == 30
    table = layers_table([("fc_gene.weight", (30, 8)), ("conv1.lin.weight", (8, 30))])
    assert list(table["inputs"]) == [30, 8]
