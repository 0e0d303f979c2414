"""Batches: their content, their order, and the memory they use."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.graphs.neighbourhoods import build_graph, load_graph, save_graph
from sagefm.sections.batches import Batches
from sagefm.sections.dense import make_batch
from sagefm.sections.masks import FIXED_STREAM, gene_mask
from sagefm.sections.section import load_chunk
from support import small

GENES = 120
SPECS = {
    "knn_clique": small.KNN,
    "star": {"kind": "star", "size": 6},
    "radius": {"kind": "radius", "radius_spacings": 2.2},
    "grid": {"kind": "grid", "rings": 2, "corners": True},
}


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """The same three real sections with each kind of graph."""
    folder = tmp_path_factory.mktemp("batches")
    return {kind: small.write_sections(folder / kind, **spec) for kind, spec in SPECS.items()}


@pytest.fixture(scope="module")
def sections(cohorts):
    return cohorts["knn_clique"]


def batches_of(sections, layout="mean", normalisation="log1p", **settings) -> Batches:
    return Batches(sections, layout, normalisation, **({"batch_size": 16} | settings))


def whole(batches: Batches, epoch=1, **how) -> dict[str, torch.Tensor]:
    """All batches of an epoch, stacked."""
    parts = list(batches.epoch(epoch, **how))
    inputs = zip(*(batch.inputs for batch in parts), strict=True)
    stacked = {f"input{i}": torch.cat(tensors) for i, tensors in enumerate(inputs)}
    stacked |= {name: torch.cat([getattr(b, name) for b in parts]) for name in ("target", "mask")}
    return stacked


def assert_same(one: dict, two: dict):
    assert one.keys() == two.keys()
    for name in one:
        assert torch.equal(one[name], two[name]), name


def explicit(section, stream: int, share: float = 0.3, seed: int = 9001, how: str = "log1p"):
    """By definition, one spot at a time: (nodes, edges, target, mask) of each neighbourhood."""
    counts = read_h5ad(section.counts_path).X.toarray()
    x = small.normalised(counts, how)
    graph = load_graph(section.graph_path)
    for spot in range(len(x)):
        nodes, edges, centre = graph.subgraphs(np.array([spot]))
        mask = np.empty(x.shape[1], dtype=bool)
        gene_mask(seed, stream, section.key, spot, x.shape[1], share, mask)
        dense = x[nodes].copy()
        dense[centre[0]] = small.normalised(counts[[spot]], how, mask[None])[0]
        yield dense, edges, x[spot], mask


@pytest.mark.parametrize("kind", SPECS)
def test_mean_is_that_of_explicit_subgraphs(cohorts, kind):
    stacked = whole(batches_of(cohorts[kind]), stream=5)
    spots = [spot for section in cohorts[kind] for spot in explicit(section, stream=5)]
    expected = np.stack([dense.mean(axis=0) for dense, *_ in spots])
    torch.testing.assert_close(stacked["input0"], torch.from_numpy(expected), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(stacked["target"], torch.from_numpy(np.stack([s[2] for s in spots])))
    assert torch.equal(stacked["mask"], torch.from_numpy(np.stack([s[3] for s in spots])))


@pytest.mark.parametrize("kind", SPECS)
def test_channels_are_centre_and_mean_of_the_others(cohorts, kind):
    stacked = whole(batches_of(cohorts[kind], "channels"), stream=5)
    spots = [spot for section in cohorts[kind] for spot in explicit(section, stream=5)]
    centre = torch.from_numpy(np.stack([dense[0] for dense, *_ in spots]))
    others = [d[1:].mean(axis=0) if len(d) > 1 else np.zeros_like(d[0]) for d, *_ in spots]
    torch.testing.assert_close(stacked["input0"], centre)
    torch.testing.assert_close(
        stacked["input1"], torch.from_numpy(np.stack(others)), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("kind", SPECS)
def test_subgraphs_of_a_batch_are_disjoint_and_complete(cohorts, kind):
    """Batches of 16 cross the borders of sections of 40 spots."""
    spots = [spot for section in cohorts[kind] for spot in explicit(section, stream=5)]
    seen = 0
    for batch in batches_of(cohorts[kind], "subgraphs").epoch(1, stream=5):
        nodes, edges, centre = (tensor.numpy() for tensor in batch.inputs)
        part = spots[seen : seen + len(centre)]
        seen += len(centre)
        starts = np.cumsum([0] + [len(dense) for dense, *_ in part])
        np.testing.assert_array_equal(centre, starts[:-1])
        expected = np.concatenate([dense for dense, *_ in part])
        np.testing.assert_allclose(nodes, expected, rtol=1e-6)
        expected = [e + s for (_, e, *_), s in zip(part, starts[:-1], strict=True)]
        expected = np.concatenate(expected, axis=1)
        assert sorted(map(tuple, edges.T)) == sorted(map(tuple, expected.T))
        np.testing.assert_allclose(batch.target, np.stack([s[2] for s in part]), rtol=1e-6)
    assert seen == len(spots)


def test_hidden_genes_reach_the_input_nowhere_but_through_the_neighbours(sections):
    centre = whole(batches_of(sections, "channels"))["input0"]
    stacked = whole(batches_of(sections, "channels"))
    assert (centre[stacked["mask"]] == 0).all()
    assert torch.equal(centre[~stacked["mask"]], stacked["target"][~stacked["mask"]])
    assert (stacked["target"][stacked["mask"]] > 0).any()


@pytest.mark.parametrize("layout", ["mean", "channels", "background", "subgraphs"])
def test_what_is_visible_is_scaled_by_its_own_depth(sections, layout):
    """Under a normalisation that scales: as by definition, in every layout."""
    how = "log1p_cp10k"
    spots = [spot for section in sections for spot in explicit(section, stream=5, how=how)]
    done = 0
    for batch in batches_of(sections, layout, how).epoch(1, stream=5):
        part = spots[done : done + len(batch.mask)]
        done += len(part)
        own = np.stack([dense[0] for dense, *_ in part])
        others = np.stack([dense[1:].mean(axis=0) for dense, *_ in part])
        if layout == "background":
            own = np.where(batch.mask, batch.context[0], own)
        expected = {
            "mean": [np.stack([dense.mean(axis=0) for dense, *_ in part])],
            "subgraphs": [np.concatenate([dense for dense, *_ in part])],
        }.get(layout, [own, others])
        for found, wanted in zip(batch.inputs, expected, strict=False):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        target = np.stack([spot[2] for spot in part])  # of the complete spot
        np.testing.assert_allclose(batch.target, target, rtol=1e-5)
    assert done == len(spots)


@pytest.mark.parametrize("how", ["log1p", "log1p_cp10k"])
@pytest.mark.parametrize("layout", ["mean", "channels", "background", "subgraphs"])
def test_no_input_depends_on_hidden_counts(sections, layout, how, tmp_path):
    """Counts changed where the first spot's are hidden: no input of that spot moves."""
    section = sections[0]
    before = next(batches_of([section], layout, how).epoch(1, stream=5))
    changed = read_h5ad(section.counts_path)
    counts = changed.X.toarray()
    counts[0, before.mask[0].numpy()] += 50
    changed.X = type(changed.X)(counts)
    path = tmp_path / section.cohort / section.counts_path.name
    path.parent.mkdir()
    write_h5ad(changed, path)
    moved = replace(section, counts_path=path)
    after = next(batches_of([moved], layout, how).epoch(1, stream=5))
    assert (after.target[0, after.mask[0]] != before.target[0, after.mask[0]]).all()
    used = slice(None, 1)
    if layout == "subgraphs":  # the first spot's own rows
        used = slice(None, int(before.inputs[2][1]))
    pairs = [*zip(before.inputs, after.inputs, strict=True)]
    pairs += [*zip(before.context[:2], after.context[:2], strict=True)]  # the rest is of the loss
    for one, two in pairs:
        if one.is_floating_point():
            torch.testing.assert_close(one[used], two[used], rtol=1e-4, atol=1e-5)


def test_a_spot_has_one_scale_whatever_is_hidden(sections):
    """Its visible genes are, on average over masks, what they are with nothing hidden."""
    how = "log1p_cp10k"
    whole_spot = whole(batches_of(sections, "channels", how, mask_share=0.0))
    assert torch.equal(whole_spot["input0"], whole_spot["target"])
    shifts = []
    for stream in range(1, 20):
        hidden = whole(batches_of(sections, "channels", how), stream=stream)
        visible = ~hidden["mask"] & (hidden["target"] > 0)
        shifts.append((hidden["input0"] - hidden["target"])[visible].mean())
    assert abs(torch.stack(shifts).mean()) < 0.05


def test_a_spot_whose_counts_are_all_hidden_is_empty(sections):
    chunk = load_chunk(sections, "log1p_cp10k")
    mask = np.ones((3, GENES), dtype=bool)
    batch = make_batch([(chunk, np.arange(3))], "channels", mask)
    assert (batch.inputs[0] == 0).all() and (batch.target > 0).any()


def test_always_hidden_genes_are_hidden_besides_those_drawn(sections):
    drawn = whole(batches_of(sections))["mask"]
    mask = whole(batches_of(sections, always_hidden=(3, 50)))["mask"]
    assert mask[:, [3, 50]].all()
    others = [gene for gene in range(GENES) if gene not in (3, 50)]
    assert torch.equal(mask[:, others], drawn[:, others])


def test_share_zero_hides_nothing(sections):
    assert not whole(batches_of(sections, mask_share=0.0))["mask"].any()


def test_normalisation_is_of_whole_spots(sections):
    batches = replace(batches_of(sections, mask_share=0.0), normalisation="log1p_cp10k")
    depth = torch.expm1(whole(batches)["target"]).sum(dim=1)
    torch.testing.assert_close(depth, torch.full_like(depth, 1e4), rtol=1e-4, atol=0)


@pytest.mark.parametrize("buffer_spots", [1, 41, 90, 10_000])
@pytest.mark.parametrize("workers", [1, 3])
def test_as_released_neither_buffer_nor_workers_nor_epoch_change_the_order(
    sections, buffer_spots, workers
):
    plain = whole(batches_of(sections))
    batches = batches_of(sections, buffer_spots=buffer_spots, workers=workers)
    assert_same(whole(batches), plain)
    assert_same(whole(batches, epoch=7), plain)


@pytest.mark.parametrize("layout", ["mean", "channels"])
@pytest.mark.parametrize("batch_size", [1, 7, 64, 1000])
def test_masks_and_inputs_do_not_depend_on_the_batch_size(sections, layout, batch_size):
    assert_same(
        whole(batches_of(sections, layout, batch_size=batch_size), stream=2),
        whole(batches_of(sections, layout), stream=2),
    )


@pytest.mark.parametrize("buffer_spots", [1, 90, 10_000])
@pytest.mark.parametrize("epoch", [1, 2])
def test_shuffled_takes_each_spot_once(sections, buffer_spots, epoch):
    batches = batches_of(sections, buffer_spots=buffer_spots)
    plan = batches.plan(epoch, "shuffled")
    spots = []
    for group, rows in plan:
        origin = [(index, spot) for index in group for spot in range(batches.sizes[index])]
        spots.extend(origin[row] for row in rows)
        assert len(group) == 1 or len(rows) <= buffer_spots
    assert sorted(spots) == [(i, s) for i in range(3) for s in range(40)]
    assert spots != sorted(spots)
    # The batches hold the plan's spots, each with the mask that belongs to it in any order.
    plain = whole(batches_of(sections), stream=3)
    rows = torch.tensor([index * 40 + spot for index, spot in spots])
    shuffled = whole(batches, epoch=epoch, order="shuffled", stream=3)
    assert_same(shuffled, {name: value[rows] for name, value in plain.items()})


def test_epochs_and_seeds_are_shuffled_differently_and_repeat(sections):
    def order(seed, epoch):
        plan = batches_of(sections, seed=seed).plan(epoch, "shuffled")
        return tuple((tuple(group), tuple(rows)) for group, rows in plan)

    assert order(1, 1) == order(1, 1)
    assert len({order(1, 1), order(1, 2), order(2, 1)}) == 3


def test_a_shuffled_batch_mixes_the_sections_in_the_buffer(sections):
    rows = batches_of(sections).plan(1, "shuffled")[0][1]
    assert len(set(rows[:16] // 40)) == 3


def test_streams_differ_and_the_fixed_one_is_the_default(sections):
    batches = batches_of(sections)
    fixed = whole(batches)["mask"]
    assert torch.equal(fixed, whole(batches, epoch=9, stream=FIXED_STREAM)["mask"])
    assert not torch.equal(fixed, whole(batches, stream=1)["mask"])


@pytest.mark.parametrize("order", ["as_released", "shuffled"])
@pytest.mark.parametrize("skip", [0, 1, 3, 7, 8])
@pytest.mark.parametrize("buffer_spots", [50, 10_000])
def test_skipping_drops_the_first_batches(sections, order, skip, buffer_spots):
    batches = batches_of(sections, buffer_spots=buffer_spots)
    every = list(batches.epoch(2, order=order, stream=2))
    rest = list(batches.epoch(2, order=order, stream=2, skip=skip))
    assert len(every) == batches.n_batches == 8
    assert len(rest) == 8 - skip
    for one, two in zip(every[skip:], rest, strict=True):
        assert torch.equal(one.inputs[0], two.inputs[0])
        assert torch.equal(one.mask, two.mask)


def test_a_graph_of_another_section_is_refused(tmp_path):
    sections = small.write_sections(tmp_path)
    save_graph(build_graph(np.random.rand(39, 2), "knn_clique"), sections[1].graph_path)
    with pytest.raises(
        InputError, match=r"heart-2\.npz: built on 39 spots, but .*has 40\. Fix: remove"
    ):
        list(batches_of(sections).epoch(1))


def test_a_truncated_sample_is_refused(tmp_path):
    sections = small.write_sections(tmp_path)
    batches = batches_of(sections)
    assert batches.sizes == [40, 40, 40]
    path = sections[2].counts_path
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"heart-3\.h5ad: cannot be read as h5ad"):
        list(batches.epoch(1))


MEASURE = """
import json, resource, sys
from pathlib import Path
from sagefm.sections.batches import Batches
from sagefm.sections.dense import make_batch
from sagefm.sections.section import Section

folder, n = Path(sys.argv[1]), int(sys.argv[2])
sections = [
    Section("c", f"s{i}", folder / f"{i % 12}.h5ad", folder / "graph.npz") for i in range(n)
]
batches = Batches(sections, "mean", "log1p", buffer_spots=600)
spots = sum(len(batch.target) for batch in batches.epoch(1, order="shuffled", stream=1))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux
print(json.dumps({"spots": spots, "peak": peak}))
"""


def test_memory_does_not_grow_with_the_number_of_samples(tmp_path, repo):
    """An epoch over 12 and over 72 sections of 200 spots x 2,000 genes, 3 MB each in memory.

    The same 12 files stand for all: what matters is how many are held at once.
    """
    import anndata
    import scipy.sparse as sp

    from sagefm.common.h5ad import write_h5ad

    rng = np.random.default_rng(0)
    for i in range(12):
        counts = sp.csr_matrix(rng.poisson(3, (200, 2000)).astype(np.int32))
        write_h5ad(anndata.AnnData(counts), tmp_path / f"{i}.h5ad")
    save_graph(build_graph(rng.uniform(size=(200, 2)), "knn_clique"), tmp_path / "graph.npz")
    started = {
        n: subprocess.Popen(
            [sys.executable, "-c", MEASURE, tmp_path, str(n)],
            env=os.environ | {"PYTHONPATH": str(repo / "workflow")},
            stdout=subprocess.PIPE,
        )
        for n in (12, 72)
    }
    found = {n: json.loads(process.communicate()[0]) for n, process in started.items()}
    assert {n: result["spots"] for n, result in found.items()} == {12: 2400, 72: 14_400}
    # 60 more sections would be 190 MB more, were they kept.
    assert found[72]["peak"] - found[12]["peak"] < 40, found


def test_withheld_genes_are_missing_everywhere(sections):
    plain, without = (
        whole(batches_of(sections, "channels", withheld=genes)) for genes in ((), (4, 9))
    )
    for name in ("input0", "input1", "target"):
        assert plain[name][:, [4, 9]].abs().sum() > 0
        assert (without[name][:, [4, 9]] == 0).all()
        plain[name][:, [4, 9]] = 0
    assert_same(plain, without)


@pytest.mark.parametrize("how", ["log1p", "log1p_cp10k"])
def test_genes_that_a_section_did_not_measure_are_no_targets_there(sections, tmp_path, how):
    """Nothing else changes; and nothing at all where every section measured all genes."""
    settings = {"layout": "background", "normalisation": how, "every_gene": False}
    complete = batches_of(sections, **settings)
    assert complete.measured == {}
    changed = read_h5ad(sections[0].counts_path)
    lacking = np.arange(GENES) < GENES // 4
    changed.X = changed.X.multiply(~lacking).tocsr().astype(np.int32)
    changed.var["measured"] = ~lacking
    path = tmp_path / sections[0].cohort / sections[0].counts_path.name
    write_h5ad(changed, path)
    own = [replace(sections[0], counts_path=path), *sections[1:]]
    assert complete.first_chunk().measured.all()
    assert replace(complete, every_gene=True).first_chunk().measured is None
    chunk = batches_of(own, **settings).first_chunk()
    first = chunk.owner(np.flatnonzero(chunk.keys == np.uint64(own[0].key)))[0]
    assert [*np.flatnonzero(~chunk.measured.all(axis=1))] == [first]
    np.testing.assert_array_equal(chunk.measured[first], ~lacking)
    restricted = whole(batches_of(own, **settings), order="shuffled")
    as_published = whole(batches_of(own, **settings | {"every_gene": True}), order="shuffled")
    mask, every = restricted.pop("mask"), as_published.pop("mask")
    assert_same(restricted, as_published)
    there = (restricted["target"][:, lacking] == 0).all(dim=1)  # the first section's spots
    assert there.sum() == changed.n_obs
    assert not mask[there][:, lacking].any() and every[there][:, lacking].any()
    assert torch.equal(mask[~there], every[~there])
    assert torch.equal(mask[there][:, ~lacking], every[there][:, ~lacking])
    assert_same(
        whole(complete, order="shuffled"),
        whole(replace(complete, every_gene=True), order="shuffled"),
    )
