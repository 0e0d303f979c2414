"""Methods of the registry: one row per spot, seeded, offline, and blind to withheld genes."""

import logging
import random
import socket
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from torch.nn import functional
from torch_geometric.nn import GATConv
from torch_geometric.utils import softmax

from sagefm.common.errors import InputError
from sagefm.common.h5ad import write_h5ad
from sagefm.common.io import write_table
from sagefm.graphs.nearest import nearest
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.representations.isolation import isolated
from sagefm.representations.methods import banksy, graphst, mofa, stagate
from sagefm.representations.registry import load_method, names, read_options
from sagefm.sections.cohort import Cohort, cohort_obs
from sagefm.stats.variable_genes import variable_genes
from support import small

SIZES = {"heart-2": 40, "SPA147": 36, "heart-1": 44}
"""Spots by sample, in an order that is no sorted one."""
GENES = 90
METHODS = [name for name in names() if name != "matrix"]
"""Those that compute something from the cohort; a matrix comes from a file."""
QUICK = {
    "banksy": {"components": 5},
    "depth": {"rings": 2},
    "graphst": {"components": 5, "epochs": 20},
    "hops": {"components": 5, "rings": 2},
    "mofa": {"factors": 4},
    "neighbour_mean": {"components": 5},
    "niche_channels": {"components": 5},
    "niche_pca": {"components": 5},
    "pca": {"components": 5},
    "random": {"components": 5},
    "stagate": {"components": 5, "width": 16, "epochs": 20},
}
WIDTHS = {"raw": GENES, "mofa": 4, "depth": 3, "hops": 15, "niche_channels": 10, "labels": 3}
"""Features of each representation, where they are not 5."""
BLIND = {"random", "labels"}
"""Methods that read no expression."""


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Whatever wants the network fails."""

    def refuse(*args, **kwargs):
        raise AssertionError("a method wants the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def write_cohort(folder: Path, change=None, withheld=()) -> Cohort:
    """Patches of three sections on disk, each handed to `change` first, and their graphs."""
    samples, graphs = [], []
    for sample, spots in SIZES.items():
        section = small.patch(sample, spots, GENES)
        facts = dict.fromkeys(("sample", "patient"), sample)
        facts |= {"dataset": "test", "organ": "Heart", "disease_state": ""}
        section.uns["provenance"] = facts
        if change is not None:
            change(section)
        samples.append(folder / f"{sample}.h5ad")
        graphs.append(folder / f"{sample}.npz")
        write_h5ad(section, samples[-1])
        save_graph(build_graph(section.obsm["spatial"], "knn_clique", size=7), graphs[-1])
    labels = cohort_obs(samples)[["sample", "spot"]].assign(label=label_cycle)
    write_table(labels.dropna(), folder / "labels.tsv")
    rows = tuple({"sample": name, "dataset": "test", "patient": name} for name in SIZES)
    return Cohort(tuple(samples), tuple(graphs), frozenset(withheld), rows, folder / "labels.tsv")


def label_cycle(spots: pd.DataFrame) -> list[str | None]:
    """A label for three spots of four; another number of each label in every sample."""
    cycles = {"heart-2": "aab", "SPA147": "abc", "heart-1": "bcc"}
    return [
        (*cycles[sample], None)[row % 4]
        for row, sample in zip(
            spots.groupby("sample", observed=True).cumcount(), spots["sample"], strict=True
        )
    ]


def represent(name: str, cohort: Cohort, seed: int = 1, **options) -> np.ndarray:
    entry = QUICK.get(name, {}) | options
    values = load_method(name).represent(cohort, read_options(name, entry), seed)
    return values.toarray() if sp.issparse(values) else values


def same_up_to_signs(found: np.ndarray, expected: np.ndarray) -> bool:
    signs = np.sign((found * expected).sum(axis=0))
    return np.allclose(found * signs, expected, atol=1e-3 * np.abs(expected).max())


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    return write_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def results(cohort) -> dict[str, np.ndarray]:
    """Every method's representation of the cohort."""
    return {name: represent(name, cohort) for name in METHODS}


@pytest.mark.parametrize("name", METHODS)
def test_a_row_a_spot(name, results):
    values = results[name]
    assert values.shape[0] == sum(SIZES.values())
    assert values.shape[1] == WIDTHS.get(name, 5)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert (values.std(axis=0) > 0).any()


@pytest.mark.parametrize("name", METHODS)
def test_rows_follow_the_order_of_the_samples(name, cohort):
    # GraphST shuffles rows at random: with no step to speak of it is its fixed first network.
    options = {"graphst": {"learning_rate": 1e-12, "epochs": 1}, "mofa": {"convergence": "slow"}}
    turned = replace(cohort, samples=cohort.samples[::-1], graphs=cohort.graphs[::-1])
    parts = np.split(represent(name, turned, **options.get(name, {})), [44, 80])
    expected = represent(name, cohort, **options.get(name, {}))
    assert same_up_to_signs(np.concatenate(parts[::-1]), expected)


@pytest.mark.parametrize("name", METHODS)
def test_the_seed_decides(name, cohort, results):
    np.random.seed(99)
    torch.manual_seed(99)
    np.testing.assert_array_equal(represent(name, cohort), results[name])


@pytest.mark.parametrize("name", ["graphst", "stagate"])
def test_another_seed_trains_another_network(name, cohort, results):
    assert not same_up_to_signs(represent(name, cohort, seed=2), results[name])


@pytest.mark.parametrize("name", METHODS)
def test_withheld_genes_leave_no_trace(name, results, tmp_path):
    genes = small.patch("heart-1", 40, GENES).var_names[:60:3]

    def change(section):
        counts = section.X.toarray()
        columns = section.var_names.get_indexer(genes)
        counts[:, columns] = counts[::-1, columns] * 3 + 1
        section.X = sp.csr_matrix(counts, dtype=np.int32)

    withheld = represent(name, write_cohort(tmp_path / "a", withheld=genes))
    changed = represent(name, write_cohort(tmp_path / "b", change, genes))
    np.testing.assert_allclose(changed, withheld, atol=1e-4)
    if name == "raw":
        assert withheld.shape[1] == GENES - len(genes)
    if name in BLIND:
        return
    seen = represent(name, write_cohort(tmp_path / "c", change))
    same_width = seen.shape == results[name].shape
    assert not (same_width and np.allclose(seen, results[name], atol=1e-3))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_whether_neighbours_enter(name, results, tmp_path):
    def change(section):
        order = np.random.default_rng(3).permutation(section.n_obs)
        section.obsm["spatial"] = section.obsm["spatial"][order]
        columns = ["array_row", "array_col"]
        section.obs[columns] = section.obs[columns].to_numpy()[order]

    moved = represent(name, write_cohort(tmp_path, change))
    assert np.allclose(moved, results[name], atol=1e-4) != load_method(name).description.spatial


@pytest.mark.parametrize("name", [m for m in METHODS if load_method(m).description.spatial])
def test_sections_are_graphs_by_themselves(name, results, tmp_path):
    def change(section):
        # Whole pixels, so that no distance changes by a rounding error.
        if section.uns["provenance"]["sample"] == "SPA147":
            section.obsm["spatial"] = section.obsm["spatial"] + 2.0**20

    moved = represent(name, write_cohort(tmp_path, change))
    np.testing.assert_allclose(moved, results[name], atol=1e-3)


@pytest.mark.parametrize("name", METHODS)
def test_the_process_is_left_as_it_was(name, cohort):
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()
    filters = list(warnings.filters)
    represent(name, cohort)
    assert random.getstate() == before[0]
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])
    assert torch.equal(torch.get_rng_state(), before[2])
    assert warnings.filters == filters


def group_means(values: np.ndarray) -> np.ndarray:
    return np.stack(
        [part.mean(axis=0) for part in np.split(values, np.cumsum([*SIZES.values()]))[:3]]
    )


def test_mofa_centres_its_groups_or_not(cohort, results):
    assert np.abs(group_means(results["mofa"])).max() < 1e-3 * results["mofa"].std()
    kept = represent("mofa", cohort, centre_groups=False)
    assert np.ptp(group_means(kept), axis=0).max() > 0.5 * kept.std()


def test_mofa_says_whether_it_converged(cohort, caplog):
    with caplog.at_level(logging.INFO, "sagefm"):
        represent("mofa", cohort)
        assert "MOFA converged (fast)" in caplog.text
        caplog.clear()
        represent("mofa", cohort, iterations=4)
    warned = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["MOFA did not converge (fast) in 4 iterations, its bound"]


def test_mofa_that_gives_up_is_an_error(cohort, monkeypatch):
    def fail(self):
        raise TypeError("which mofapy2 turns into a silent exit")

    monkeypatch.setattr("mofapy2.core.BayesNet.BayesNet.iterate", fail)
    with pytest.raises(RuntimeError, match="MOFA gave up"):
        represent("mofa", cohort)


def test_mofa_finds_the_factors_of_made_up_data(tmp_path):
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(150, 2))
    values = truth @ rng.normal(size=(2, 60)) + 0.3 * rng.normal(size=(150, 60))
    samples = np.repeat(["b", "a"], 75)
    with isolated(0):
        network = mofa._fit(values, pd.Series(samples), mofa.Options(factors=4), 0)
    found = network.nodes["Z"].getExpectation()
    # Each true factor is a sum of the found ones, row by row: their order is that of the values.
    centred = truth - np.repeat([truth[:75].mean(axis=0), truth[75:].mean(axis=0)], 75, axis=0)
    fitted = found @ np.linalg.lstsq(found, centred, rcond=None)[0]
    assert 1 - (centred - fitted).var() / centred.var() > 0.97


def test_banksy_is_own_and_neighbours_expression():
    rng = np.random.default_rng(0)
    spatial, values = rng.uniform(size=(30, 2)), rng.poisson(3.0, size=(30, 5)).astype(float)
    with isolated(0):
        found = banksy._matrix(values, spatial, banksy.Options())
    around = nearest(spatial, 7)[:, 1:]
    distance = np.linalg.norm(spatial[around] - spatial[:, None], axis=2)
    weights = np.exp(-((distance / np.median(distance, axis=1, keepdims=True)) ** 2))
    weights /= weights.sum(axis=1, keepdims=True)
    means = np.einsum("ij,ijk->ik", weights, values[around])
    parts = [(part - part.mean(axis=0)) / part.std(axis=0) for part in (values, means)]
    expected = np.concatenate([np.sqrt(0.8) * parts[0], np.sqrt(0.2) * parts[1]], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-8)
    with isolated(0):
        found = banksy._matrix(values, spatial, banksy.Options(gradient=True))
    assert found.shape == (30, 15)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("epochs", [1, 30])
def test_graphst_is_trained_as_its_package_does(epochs):
    from anndata import AnnData
    from GraphST.GraphST import GraphST

    rng = np.random.default_rng(0)
    features = rng.poisson(0.6, size=(80, 50)).astype(np.float32)
    nearest_spots = np.array([rng.choice(np.delete(np.arange(80), i), 3, False) for i in range(80)])
    ties = sp.csr_matrix((np.ones(240), nearest_spots.ravel(), np.arange(81) * 3), shape=(80, 80))
    with isolated(3):
        found, _ = graphst.train(features, ties, graphst.Options(epochs=epochs), 3)
    around = ties.toarray()
    adata = AnnData(
        features,
        obsm={
            "feat": features,
            "feat_a": features,
            "graph_neigh": around,
            "adj": np.maximum(around, around.T),
            "label_CSL": np.tile([1.0, 0.0], (80, 1)),
        },
    )
    adata.var["highly_variable"] = True
    with isolated(3), torch.random.fork_rng():
        package = GraphST(adata, random_seed=3, epochs=epochs).train()
    np.testing.assert_allclose(found, package.obsm["emb"], atol=1e-4)


class Attention(GATConv):
    """A layer of STAGATE: scores pass a sigmoid, and its attention can be that of another layer."""

    def __init__(self, *widths):
        super().__init__(*widths, add_self_loops=False, bias=False)
        self.other = None

    def edge_updater(self, edge_index, alpha, **others):
        self.scores = alpha if self.other is None else self.other.scores
        return super().edge_updater(edge_index, alpha=self.scores, **others)

    def edge_update(self, alpha_j, alpha_i, edge_attr, index, ptr, dim_size):
        return softmax(torch.sigmoid(alpha_j + alpha_i), index, ptr, dim_size)


@pytest.mark.parametrize("epochs", [1, 30])
def test_stagate_is_trained_as_its_authors_do(epochs):
    rng = np.random.default_rng(0)
    features = rng.poisson(0.6, size=(80, 50)).astype(np.float32)
    tied = rng.random((80, 80)) < 0.04
    linked = np.stack(np.nonzero(tied | tied.T | np.eye(80, dtype=bool)))
    options = stagate.Options(width=12, components=4, epochs=epochs, clip=0.02)
    found, loss = stagate.train(features, linked, options, 3)

    x, links = torch.as_tensor(features), torch.as_tensor(linked)
    wide, narrow, source, target = (
        part.detach() for part in stagate._initial(50, options, 3, torch.device("cpu"))
    )
    # Layers of two libraries, as its authors write them: two with attention, two without.
    first, third = Attention(50, 12), Attention(4, 12)
    second, last = torch.nn.Linear(12, 4, bias=False), torch.nn.Linear(12, 50, bias=False)
    third.other = first
    first.att_src.data, first.att_dst.data = source.view(1, 1, -1), target.view(1, 1, -1)
    weights = [first.lin.weight, first.att_src, first.att_dst]
    weights += [second.weight, third.lin.weight, last.weight]
    # `Linear` keeps weights transposed. Encoder and decoder share their memory.
    for weight, value in zip(
        (weights[0], *weights[3:]), (wide.T, narrow.T, narrow, wide), strict=True
    ):
        weight.data = value
    optimiser = torch.optim.Adam(weights, 0.001, weight_decay=0.0001)
    for _ in range(epochs):
        optimiser.zero_grad()
        narrowest = second(functional.elu(first(x, links)))
        rebuilt = last(functional.elu(third(narrowest, links)))
        error = functional.mse_loss(rebuilt, x)
        error.backward()
        torch.nn.utils.clip_grad_norm_(weights, 0.02)
        optimiser.step()
    expected = second(functional.elu(first(x, links))).detach()
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert loss == pytest.approx(error.item(), rel=1e-4)
    assert not np.allclose(found, stagate.train(features, linked, replace(options, epochs=2), 3)[0])


@pytest.mark.parametrize(("shift", "height", "neighbours"), [(0, 1, 8), (0.5, 3**0.5 / 2, 6)])
def test_stagate_links_the_spots_around(shift, height, neighbours):
    """On a square array corners too, which are 1.41 spacings away, and on a hexagonal one."""
    row, column = np.divmod(np.arange(25), 5)
    places = 100 * np.stack([column + shift * (row % 2), row * height], axis=1)
    links = stagate.linked(places, 1.5)
    assert set(map(tuple, links.T)) == set(map(tuple, links[::-1].T))
    assert np.bincount(links[1])[12] == neighbours + 1
    assert (12, 12) in set(map(tuple, links.T))


def test_variable_genes_vary_within_samples():
    rng = np.random.default_rng(0)
    samples = np.repeat(["a", "b"], 100)
    counts = rng.poisson(np.linspace(1, 8, 400), size=(200, 400))
    counts[:, 7] = rng.poisson(np.where(samples == "a", 2, 6))  # its mean differs, no more
    counts[:, 8] *= rng.choice([0, 5], 200)
    counts[:, 9] = 0
    expression = sp.csr_matrix(np.log1p(counts).astype(np.float32))
    chosen = variable_genes(expression, samples, 40)
    assert chosen.sum() == 40
    assert chosen[[7, 8, 9]].tolist() == [False, True, False]
    assert variable_genes(expression, np.repeat("a", 200), 40)[[7, 8, 9]].tolist() == [
        True,
        True,
        False,
    ]
    assert np.flatnonzero(~variable_genes(expression, samples, 2000)).tolist() == [9]


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("banksy", {"neighbour_share": 2}, "`neighbour_share` is 2, but a share is from 0 to 1"),
        ("graphst", {"epochs": 0}, "`epochs` is 0, but there must be one at least"),
        ("hops", {"rings": -1}, "`rings` is -1, but cannot be negative"),
        ("stagate", {"epochs": 0}, "`epochs` is 0, but there must be one at least"),
        ("stagate", {"reach": 0.5}, "`reach` is 0.5, but nearest spots are at a distance of 1"),
        ("depth", {"rings": -1}, "`rings` is -1, but cannot be negative"),
        ("pca", {"harmony": "organ"}, "takes 'sample' or 'patient' or null"),
    ],
)
def test_options_out_of_range_are_refused(name, entry, message):
    with pytest.raises(InputError, match=message):
        read_options(name, entry)
