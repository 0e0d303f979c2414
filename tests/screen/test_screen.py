"""The screen equals perturbing gene by gene, by either path, and resumes if interrupted."""

import logging
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.io import write_table
from sagefm.networks.base import build_network
from sagefm.screen import screen
from sagefm.screen.screen import (
    CollapsedScreen,
    GeneralScreen,
    ScreenPlan,
    build_screen,
    run_screen,
)
from sagefm.screen.spots import Drawn, sample_spots, screened_genes, spots_of_cohort
from sagefm.screen.tables import by_context, screen_table, top_outputs
from sagefm.sections.gene_summary import summarise_genes
from sagefm.sections.genes import named_columns
from sagefm.sections.section import load_chunk
from support import small
from support.models import fitted

CPU = torch.device("cpu")
GENES = 120
CLIQUE, GRID = {"kind": "knn_clique", "size": 7}, {"kind": "grid", "rings": 1}
INPUTS, OUTPUTS = np.array([0, 3, 11, 40, 41, 119]), np.array([3, 8, 20, 21, 58])
CONTEXTS = {"first": np.array([0, 1, 17, 39]), "both": np.array([2, 17, 41, 60, 79])}


def prepared(folder, name="gcn", spec=CLIQUE, widths=small.WIDTHS):
    """Two sections of 40 spots, a network whose predictions are not shut, and what it is asked."""
    sections = small.write_sections(folder, small.SAMPLES[:2], 40, GENES, **spec)
    network = build_network(name, GENES, widths, seed=1)
    if name == "contrast":
        chunk = load_chunk(sections, "log1p")
        network.fit_input(lambda: chunk)
    else:
        torch.nn.init.constant_(network.fc_gene.bias, 0.3)
    levels = summarise_genes(sections, "log1p")[["low", "high"]]
    levels = levels.to_numpy(np.float32)[INPUTS]
    plan = ScreenPlan(*map(torch.from_numpy, (INPUTS, levels, OUTPUTS)), len(CONTEXTS))
    return fitted(network, name, spec["kind"]), Drawn(sections, CONTEXTS), plan


def built(model, drawn, plan):
    return build_screen(model, drawn.neighbourhoods(model, OUTPUTS), plan)


@torch.inference_mode()
def gene_by_gene(model, drawn, plan):
    """Mean differences between the levels, of each context by itself."""
    responses = []
    for rows in drawn.contexts.values():
        own = Drawn(drawn.sections, {"one": rows})
        batches = [batch for batch, _ in own.neighbourhoods(model, OUTPUTS)]
        mean = []
        for gene, levels in zip(INPUTS, plan.levels, strict=True):
            parts = [batch.respond(int(gene), levels, plan.outputs) for batch in batches]
            low, high = torch.cat(parts, dim=1).double()
            mean.append((high - low).mean(dim=0))
        responses.append(torch.stack(mean))
    return torch.stack(responses).float()


@pytest.mark.parametrize(
    ("name", "spec", "path"),
    [
        ("gcn", CLIQUE, CollapsedScreen),
        ("two_channel", GRID, CollapsedScreen),
        ("gcn", GRID, GeneralScreen),
        ("contrast", CLIQUE, GeneralScreen),
    ],
)
def test_equals_the_perturbation_gene_by_gene(tmp_path, name, spec, path):
    given = prepared(tmp_path, name, spec)
    whole = built(*given)
    assert isinstance(whole, path)
    assert whole.n_spots == 9
    found = run_screen(whole, tmp_path / "state")
    assert found.dtype == np.float32
    expected = gene_by_gene(*given)
    assert expected.abs().amax(dim=(1, 2)).min() > 1e-3
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_equals_brute_force_over_subgraphs(tmp_path):
    """Each spot by itself through the graph convolutions: expression written out by hand."""
    model, drawn, plan = prepared(tmp_path)
    network = model.network
    found = run_screen(built(model, drawn, plan), tmp_path / "state")
    chunk = load_chunk(drawn.sections, "log1p")
    expected = np.zeros_like(found)
    for context, rows in enumerate(CONTEXTS.values()):
        for row in rows:
            nodes, edges, centre = chunk.subgraphs(np.array([row]))
            for number, gene in enumerate(INPUTS):
                for level, sign in zip(plan.levels[number], (-1, 1), strict=True):
                    dense = torch.from_numpy(chunk.expression[nodes].toarray())
                    dense[1:, gene] = level
                    dense[0, OUTPUTS] = 0
                    arguments = dense, torch.from_numpy(edges), torch.from_numpy(centre)
                    with torch.inference_mode():
                        predicted = network.decode(network.embed_subgraphs(*arguments))
                    expected[context, number] += sign * predicted[0, OUTPUTS].numpy() / len(rows)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_small_products_change_nothing(tmp_path, monkeypatch):
    given = prepared(tmp_path)
    whole = run_screen(built(*given), tmp_path / "whole")
    monkeypatch.setattr(screen, "ROWS", 3)
    monkeypatch.setattr(screen, "CHUNK", 2)
    np.testing.assert_allclose(run_screen(built(*given), tmp_path / "cut"), whole, atol=2e-6)


def test_killed_after_some_chunks_it_goes_on_from_there(tmp_path, monkeypatch):
    given = prepared(tmp_path)
    whole = run_screen(built(*given), tmp_path / "whole")
    monkeypatch.setattr(screen, "CHUNK", 2)
    done = []

    def respond(self, numbers, own=CollapsedScreen.respond):
        done.append(numbers.tolist())
        if [4, 5] in done and not alive:
            raise KeyboardInterrupt
        return own(self, numbers)

    monkeypatch.setattr(screen, "log_cost", lambda screen: None)
    monkeypatch.setattr(CollapsedScreen, "respond", respond)
    alive = False
    with pytest.raises(KeyboardInterrupt):
        run_screen(built(*given), tmp_path / "state")
    assert done == [[0, 1], [2, 3], [4, 5]]
    alive = True
    found = run_screen(built(*given), tmp_path / "state")
    assert done[3:] == [[4, 5]]
    np.testing.assert_allclose(found, whole, atol=2e-6)


def test_the_cost_is_said_before_it_begins(tmp_path, caplog):
    with caplog.at_level(logging.INFO, "sagefm.screen.screen"):
        run_screen(built(*prepared(tmp_path / "fast")), tmp_path / "state")
        run_screen(built(*prepared(tmp_path / "slow", spec=GRID)), tmp_path / "state2")
    said = [
        record.getMessage() for record in caplog.records if record.name == "sagefm.screen.screen"
    ]
    fast, slow = said
    assert fast.startswith("screen of 6 inputs x 5 outputs on 9 spots: about 0:00:")
    assert "GFLOP/s" in fast
    assert slow.startswith("screen of 6 inputs x 5 outputs on 9 spots: about 0:00:")
    assert "GFLOP" not in slow


def obs_like() -> pd.DataFrame:
    """Three samples of 50, 10 and 10 spots; a label that is rare, and one that is not known."""
    sample = np.repeat(["a", "b", "c"], [50, 10, 10])
    label = np.where(np.arange(70) % 2, "stroma", "tumour").astype(object)
    label[:3], label[60:] = "rare", None
    table = pd.DataFrame({"sample": sample, "organ": np.repeat(["x", "y"], [60, 10])})
    return table.assign(label=label).astype("category")


def test_spots_are_drawn_evenly_over_samples():
    drawn = sample_spots(obs_like(), "all", 24, seed=1)
    assert list(drawn) == ["all"]
    assert np.bincount(np.searchsorted([50, 60], drawn["all"], side="right")).tolist() == [8, 8, 8]
    assert (np.diff(drawn["all"]) > 0).all()
    many = sample_spots(obs_like(), "all", 60, seed=1)["all"]
    assert len(many) == 60
    assert set(range(50, 70)) <= set(many)  # the small ones give all they have, the large the rest


def test_contexts_are_columns_and_unknown_ones_no_context():
    table = obs_like()
    drawn = sample_spots(table, "label", 6, seed=1)
    assert {name: len(rows) for name, rows in drawn.items()} == {
        "rare": 3,
        "stroma": 6,
        "tumour": 6,
    }
    for name, rows in drawn.items():
        assert set(table["label"].iloc[rows]) == {name}
    assert list(sample_spots(table, "organ", 2, seed=1)) == ["x", "y"]


def test_draws_are_seeded():
    first, same, other = (sample_spots(obs_like(), "all", 10, seed)["all"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert set(first) != set(other)


def test_a_context_nobody_has_is_an_error():
    table = obs_like().drop(columns="label")
    with pytest.raises(
        InputError, match=r"no spot of samples a, b, c has a label\. Fix: choose another"
    ):
        sample_spots(table, "label", 5, seed=1)


def test_spots_of_a_cohort_the_model_has_learnt_from_are_its_test_samples(tmp_path):
    sections = small.write_sections(tmp_path, small.SAMPLES[:2], 40, GENES)
    rows = []
    for number, section in enumerate(sections):
        facts = {
            "sample": section.sample,
            "dataset": "d",
            "patient": f"P{number}",
            "organ": "Heart",
        }
        rows.append({"cohort": "demo", **facts})
    split = [{**row, "group": f"d:{row['patient']}"} for row in rows]
    table = pd.DataFrame(split).assign(part=["train", "test"])
    write_table(table, tmp_path / "split.tsv")
    files = SimpleNamespace(
        samples=[section.counts_path for section in sections],
        graphs=[sections[0].graph_path.parent],
        split=tmp_path / "split.tsv",
        labels=[],
    )
    drawn = spots_of_cohort(files, rows, "demo", context="patient", spots=7, seed=1)
    assert [section.sample for section in drawn.sections] == [small.SAMPLES[1]]
    assert drawn.sizes == {"P1": 7}
    table["cohort"] = "another"
    write_table(table, tmp_path / "split.tsv")
    drawn = spots_of_cohort(files, rows, "demo", context="patient", spots=7, seed=1)
    assert drawn.sizes == {"P0": 7, "P1": 7}
    assert drawn.contexts["P1"].min() >= 40


def genes_like() -> pd.DataFrame:
    columns = {"low": 0.0, "high": [1.0, 0.0, 2.0, 3.0]}
    return pd.DataFrame(columns, index=["A", "B", "C", "D"])


def test_genes_that_vary_are_inputs_and_tables_name_outputs(tmp_path):
    pairs = [tmp_path / "one.tsv", tmp_path / "two.tsv"]
    for path, outputs in zip(pairs, (["B", "D"], ["D", "Z"]), strict=True):
        write_table(pd.DataFrame({"input": "A", "output": outputs}), path)
    (tmp_path / "genes.txt").write_text("D\nB\n")
    for given, raised, read in [
        (((), (), ()), [0, 2, 3], [0, 1, 2, 3]),
        ((tmp_path / "genes.txt", (), ()), [3], [0, 1, 2, 3]),
        (((), tmp_path / "genes.txt", ()), [0, 2, 3], [1, 3]),
        (((), (), pairs), [0, 2, 3], [1, 3]),
    ]:
        found = screened_genes(genes_like(), *given)
        assert [columns.tolist() for columns in found] == [raised, read]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A X Y", r"genes\.txt: X, Y not in the panel \(2 of 3 genes\)\. Fix: correct"),
        ("", r"genes\.txt: names no gene"),
    ],
)
def test_bad_gene_lists_are_named(tmp_path, text, words):
    (tmp_path / "genes.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        named_columns(tmp_path / "genes.txt", ["A", "B"])


def test_inputs_that_do_not_vary_are_an_error(tmp_path):
    (tmp_path / "genes.txt").write_text("B")
    with pytest.raises(InputError, match="no gene varies in the cohort"):
        screened_genes(genes_like(), tmp_path / "genes.txt", (), ())


def table_like(contexts):
    responses = np.random.default_rng(0).normal(size=(len(contexts), 4, 3)).astype(np.float32)
    genes = genes_like()
    return responses, screen_table(responses, contexts, genes, genes.iloc[[0, 2, 3]])


def test_the_file_holds_contexts_and_their_mean(tmp_path):
    responses, table = table_like({"Artery/Vein": 5, "SCC": 7})
    write_h5ad(table, tmp_path / "screen.h5ad")
    read = read_h5ad(tmp_path / "screen.h5ad")
    assert list(read.layers) == ["Artery-Vein", "SCC"]
    assert read.uns["contexts"]["spots"].tolist() == [5, 7]
    found = by_context(read)
    assert list(found) == ["mean of contexts", "Artery-Vein", "SCC"]
    for matrix, expected in zip(found.values(), [responses.mean(axis=0), *responses], strict=True):
        np.testing.assert_array_equal(matrix, expected)
    assert list(by_context(table_like({"all": 3})[1])) == ["all"]


def test_strongest_outputs_of_each_input():
    responses, table = table_like({"one": 5, "two": 7})
    found = top_outputs(table, 2)
    assert len(found) == 3 * 4 * 2
    assert list(found) == ["context", "input", "rank", "output", "response"]
    own = found[(found["context"] == "two") & (found["input"] == "B")]
    order = np.argsort(-np.abs(responses[1, 1]))[:2]
    assert own["output"].tolist() == [["A", "C", "D"][i] for i in order]
    np.testing.assert_array_equal(own["response"], responses[1, 1, order])
    assert own["rank"].tolist() == [1, 2]
    assert not (found["input"] == found["output"]).any()
    # Of the three outputs, one is the input itself, unless that is B.
    every = top_outputs(table, 50)
    assert every.groupby("input").size().to_dict() == {"A": 6, "B": 9, "C": 6, "D": 6}
    assert not (every["input"] == every["output"]).any()
