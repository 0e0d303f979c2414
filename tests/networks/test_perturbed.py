"""Perturbing neighbours: the collapsed path equals brute force over subgraphs."""

import numpy as np
import pytest
import torch

from sagefm.networks.base import build_network
from sagefm.networks.perturbed import (
    Collapsed,
    General,
    across_sections,
    choose_spots,
    neighbourhoods,
)
from sagefm.sections.expression import NORMALISATIONS
from sagefm.sections.section import Section, load_chunk, read_counts
from support import small
from support.models import fitted

GENES = 120
LEVELS = torch.tensor([0.0, 0.4, 1.5])
HIDDEN = [3, 17, 40, 41]
GRAPHS = {
    "knn_clique": {"kind": "knn_clique", "size": 7},
    "star": {"kind": "star", "size": 6},
    "grid": {"kind": "grid", "rings": 1},
    "radius": {"kind": "radius", "radius_spacings": 1.1},
}


def section(folder, kind: str, spots: int = 80) -> Section:
    return small.write_sections(folder, ["heart-1"], spots, GENES, **GRAPHS[kind])[0]


def model_of(name: str, one: Section, kind: str = "knn_clique", how: str = "log1p"):
    widths = (6,) if name == "contrast" else small.WIDTHS
    network = build_network(name, GENES, widths, seed=1)
    if name == "contrast":
        chunk = load_chunk([one], how)
        network.fit_input(lambda: chunk)
    else:  # away from the ReLU that ends the network, so that no difference hides at 0
        torch.nn.init.constant_(network.fc_gene.bias, 0.5)
    return fitted(network, name, kind, how)


def centre_of(one: Section, row: int, how: str) -> torch.Tensor:
    """A spot's expression, `HIDDEN` genes hidden before it is scaled: (1, genes)."""
    hidden = np.isin(np.arange(GENES), HIDDEN)[None]
    counts = read_counts(one.counts_path)[[row]].toarray()
    return torch.from_numpy(small.normalised(counts, how, hidden))


def brute_force(network, one: Section, rows, gene: int, level: float, how: str):
    """Each spot by itself: its subgraph written out, one gene set in its neighbours' rows."""
    chunk = load_chunk([one], how)
    predicted = []
    for row in rows:
        nodes, edges, centre = chunk.subgraphs(np.array([row]))
        dense = torch.from_numpy(chunk.expression[nodes].toarray())
        others = torch.arange(len(dense)) != int(centre[0])
        dense[others, gene] = level
        dense[centre] = centre_of(one, row, how)
        embedding = network.embed_subgraphs(
            dense, torch.from_numpy(edges), torch.from_numpy(centre)
        )
        predicted.append(network.decode(embedding)[0])
    return torch.stack(predicted)


def all_responses(model, one, rows, gene, outputs, **more):
    parts = neighbourhoods(model, one, rows, HIDDEN, **more)
    with torch.inference_mode():
        return torch.cat([part.respond(gene, LEVELS, outputs) for part in parts], dim=1)


@pytest.mark.parametrize("how", NORMALISATIONS)
@pytest.mark.parametrize("kind", GRAPHS)
def test_paths_equal_brute_force(tmp_path, kind, how):
    one = section(tmp_path, kind)
    model = model_of("gcn", one, kind, how)
    rows, outputs = np.array([0, 5, 11, 79]), torch.arange(GENES)
    for gene in (0, 17, 60):  # 17 is hidden at the centre, and perturbed in the neighbours
        found = all_responses(model, one, rows, gene, outputs)
        with torch.inference_mode():
            expected = torch.stack(
                [brute_force(model.network, one, rows, gene, float(level), how) for level in LEVELS]
            )
        assert expected[0].std() > 0
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_clique_takes_the_fast_path_and_others_the_general_one(tmp_path):
    one = section(tmp_path, "knn_clique")
    for name, kind, path in [
        ("gcn", "knn_clique", Collapsed),
        ("two_channel", "knn_clique", Collapsed),
        ("gcn", "grid", General),
        ("contrast", "knn_clique", General),
    ]:
        parts = neighbourhoods(model_of(name, one, kind), one, np.arange(3), [])
        assert all(isinstance(part, path) for part in parts)


@pytest.mark.parametrize("how", NORMALISATIONS)
@pytest.mark.parametrize("name", ["two_channel", "contrast"])
def test_channels_are_those_of_neighbours_whose_gene_is_set(tmp_path, name, how):
    """The neighbours' mean is computed anew from rows whose gene was set, without the library."""
    one = section(tmp_path, "star")
    model = model_of(name, one, "star", how)
    chunk = load_chunk([one], how)
    rows, gene, outputs = np.array([2, 7, 30]), 5, torch.tensor([4, 99, 40])
    found = all_responses(model, one, rows, gene, outputs)
    for spot, row in enumerate(rows):
        nodes, _, _ = chunk.subgraphs(np.array([row]))
        dense = chunk.expression[nodes].toarray()
        dense[1:, gene] = LEVELS[2]
        neighbours = torch.from_numpy(dense[1:].mean(axis=0, keepdims=True))
        own, context = centre_of(one, row, how), ()
        if name == "contrast":
            background, rate = map(torch.from_numpy, chunk.background(np.array([row]), dense[:1]))
            own[:, HIDDEN] = background[:, HIDDEN]
            context = (background, rate, torch.from_numpy(chunk.depth[[row]]))
        embedding = getattr(model.network, f"embed_{model.layout}")(own, neighbours)
        expected = model.network.decode(embedding, *context)[0, outputs]
        torch.testing.assert_close(found[2, spot], expected, atol=1e-5, rtol=1e-5)


def test_unchanged_level_gives_the_unperturbed_prediction(tmp_path):
    """Where every neighbour has the level already, nothing moves."""
    one = section(tmp_path, "knn_clique")
    model = model_of("gcn", one)
    chunk = load_chunk([one], "log1p")
    neighbours = chunk.neighbour_mean().toarray()
    row, gene = 3, int(np.argmax(neighbours[3]))
    parts = list(neighbourhoods(model, one, np.array([row]), []))
    level = torch.tensor([float(neighbours[row, gene])])
    with torch.inference_mode():
        found = parts[0].respond(gene, level, torch.arange(GENES))[0]
        mean = torch.from_numpy(
            chunk.expression[
                chunk.graphs[0].ego[chunk.graphs[0].indptr[row] : chunk.graphs[0].indptr[row + 1]]
            ].toarray()
        ).mean(dim=0, keepdim=True)
        expected = model.network.decode(model.network.embed_mean(mean))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_general_path_leaves_its_input_as_it_was(tmp_path):
    one = section(tmp_path, "grid")
    part = next(neighbourhoods(model_of("gcn", one, "grid"), one, np.arange(4), HIDDEN))
    before = part.values.clone()
    with torch.inference_mode():
        first = part.respond(8, LEVELS, torch.arange(5))
        assert torch.equal(part.respond(8, LEVELS, torch.arange(5)), first)
    assert torch.equal(part.values, before)


def test_batches_do_not_matter(tmp_path):
    one = section(tmp_path, "knn_clique")
    model = model_of("gcn", one)
    rows, outputs = np.arange(17), torch.tensor([1, 2])
    whole = all_responses(model, one, rows, 9, outputs)
    parts = all_responses(model, one, rows, 9, outputs, batch_size=5)
    torch.testing.assert_close(parts, whole, atol=1e-6, rtol=1e-6)


def test_spots_are_drawn_evenly_and_by_seed(tmp_path):
    sections = small.write_sections(tmp_path, small.SAMPLES[:3], 40, GENES)
    chosen = choose_spots(sections, 30, seed=4)
    assert [len(rows) for rows in chosen] == [10, 10, 10]
    assert all(len(set(rows)) == 10 and max(rows) < 40 for rows in chosen)
    again = choose_spots(sections, 30, seed=4)
    other = choose_spots(sections, 30, seed=5)
    assert all(np.array_equal(a, b) for a, b in zip(chosen, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(chosen, other, strict=True))
    assert [len(rows) for rows in choose_spots(sections, 1000, seed=4)] == [40, 40, 40]


@pytest.mark.parametrize("kind", ["knn_clique", "grid"])
def test_spots_of_several_sections_answer_as_they_do_alone(tmp_path, kind):
    sections = small.write_sections(tmp_path, ["heart-1", "heart-2"], 60, GENES, **GRAPHS[kind])
    model = model_of("gcn", sections[0], kind)
    rows, outputs = [np.array([3, 50, 7]), np.array([0, 9])], torch.arange(5)
    with torch.inference_mode():
        for batch_size in (2, 64):
            parts = list(across_sections(model, sections, rows, HIDDEN, batch_size))
            found = torch.cat([part.respond(60, LEVELS, outputs) for part, _ in parts], dim=1)
            owners = torch.cat([owner for _, owner in parts])
            assert owners.tolist() == [0, 0, 0, 1, 1]
            for number, one in enumerate(sections):
                alone = all_responses(model, one, rows[number], 60, outputs)
                torch.testing.assert_close(found[:, owners == number], alone, rtol=1e-5, atol=1e-6)
    assert len(parts) == (1 if kind == "knn_clique" else 2)
