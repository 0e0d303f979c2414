"""Batches of sections held on a device equal the streamed ones, although other code makes them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.sections import resident
from sagefm.sections.batch import CPU
from sagefm.sections.batches import Batches
from sagefm.sections.held import bytes_of
from sagefm.sections.resident import ResidentBatches, on_device, residence_words, room_on
from support import small

SPECS = {
    "knn_clique": small.KNN,
    "radius": {"kind": "radius", "radius_spacings": 2.2},
}


@pytest.fixture(scope="module", params=SPECS)
def sections(request, tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp(request.param), **SPECS[request.param])


@pytest.fixture
def room(monkeypatch):
    """The CPU counts as a device that has room."""
    monkeypatch.setattr(resident, "room_on", lambda device: 10**9)


def both(sections, layout="mean", normalisation="log1p", **settings):
    """Batches that are streamed, and those of a device that holds their sections."""
    streamed = Batches(sections, layout, normalisation, **({"batch_size": 16} | settings))
    (held,) = on_device([streamed], CPU)
    assert isinstance(held, ResidentBatches)
    return streamed, held


def assert_equal(streamed, held, tolerance=0.0, epoch=1, **how):
    """An epoch's batches are the same, of the same sizes."""
    pairs = list(zip(streamed.epoch(epoch, **how), held.epoch(epoch, **how), strict=True))
    assert pairs
    for one, two in pairs:
        assert (one.layout, len(one.inputs), len(one.context)) == (
            two.layout,
            len(two.inputs),
            len(two.context),
        )
        for a, b in zip(one.tensors(), two.tensors(), strict=True):
            assert a.dtype == b.dtype and b.is_contiguous()
            torch.testing.assert_close(b, a, rtol=tolerance, atol=tolerance)
    return pairs


@pytest.mark.parametrize("layout", ["mean", "channels"])
def test_unscaled_batches_are_equal_to_the_bit(sections, room, layout):
    assert_equal(*both(sections, layout), order="shuffled", stream=3)


@pytest.mark.parametrize(
    ("layout", "how"),
    [
        ("mean", "log1p_cp10k"),
        ("channels", "log1p_cp10k"),
        ("background", "log1p"),
        ("background", "log1p_cp10k"),
    ],
)
def test_others_are_equal_within_rounding(sections, room, layout, how):
    pairs = assert_equal(*both(sections, layout, how), tolerance=1e-5, order="shuffled")
    assert all(torch.equal(one.mask, two.mask) for one, two in pairs)


@pytest.mark.parametrize("at_once", [1, 16, 40, 10_000])
def test_how_many_are_made_together_changes_nothing(sections, room, monkeypatch, at_once):
    monkeypatch.setattr(resident, "SPOTS_AT_ONCE", at_once)
    assert_equal(*both(sections, "channels"), order="shuffled")


@pytest.mark.parametrize(
    "how",
    [
        {"skip": 3},
        {"skip": 7, "share": (1, 2)},
        {"share": (0, 3)},
        {"epoch": 2, "order": "shuffled"},
        {"order": "as_released", "stream": 9},
    ],
    ids=str,
)
def test_order_skipped_batches_and_shares_are_the_same(sections, room, how):
    assert_equal(*both(sections, buffer_spots=50), **how)


def test_nothing_is_left_of_an_epoch_that_is_done(sections, room):
    _, held = both(sections)
    assert list(held.epoch(1, skip=held.n_batches)) == []


@pytest.mark.parametrize(
    "settings",
    [{"always_hidden": (3, 50)}, {"withheld": (4, 9)}, {"mask_share": 0.0}, {"batch_size": 7}],
    ids=str,
)
def test_settings_mean_the_same(sections, room, settings):
    assert_equal(*both(sections, "channels", **settings))


def test_a_spot_without_counts_or_neighbours(tmp_path, room):
    (section,) = small.write_sections(
        tmp_path, samples=["heart-1"], kind="radius", radius_spacings=0.5
    )
    changed = read_h5ad(section.counts_path)
    counts = changed.X.toarray()
    counts[[0, 39]] = 0
    changed.X = type(changed.X)(counts)
    write_h5ad(changed, section.counts_path)
    pairs = assert_equal(*both([section], "channels"))
    assert not pairs[0][1].inputs[1].any()


def test_genes_that_a_section_did_not_measure_are_no_targets(sections, room, tmp_path):
    changed = read_h5ad(sections[0].counts_path)
    changed.var["measured"] = np.arange(changed.n_vars) >= 30
    path = tmp_path / sections[0].cohort / sections[0].counts_path.name
    write_h5ad(changed, path)
    own = [replace(sections[0], counts_path=path), *sections[1:]]
    pairs = assert_equal(*both(own, "background", every_gene=False), tolerance=1e-5)
    assert not pairs[0][1].mask[:16, :30].any()


def test_another_device_is_served_by_streaming(sections, room):
    _, held = both(sections)
    elsewhere = replace(held, device=torch.device("meta"))
    assert_equal(held, elsewhere)
    assert "held" not in vars(elsewhere)


def test_a_device_holds_all_parts_or_none(sections, monkeypatch):
    parts = [Batches(sections[:2], "mean", "log1p"), Batches(sections[2:], "mean", "log1p")]
    size = bytes_of(sections)
    assert size == 6 * sum(section.n_entries() for section in sections)
    for room, type_ in {size: Batches, size + 1: ResidentBatches}.items():
        monkeypatch.setattr(resident, "room_on", lambda device, room=room: room)
        assert {type(own) for own in on_device(parts, CPU)} == {type_}


def test_a_cpu_streams_and_so_does_a_layout_of_whole_graphs(sections, monkeypatch):
    parts = [Batches(sections, "mean", "log1p")]
    assert room_on(CPU) == 0
    assert on_device(parts, CPU) == parts
    monkeypatch.setattr(resident, "room_on", lambda device: 10**9)
    parts = [Batches(sections, "subgraphs", "log1p")]
    assert on_device(parts, CPU) == parts


def test_a_gpu_has_room_for_a_share_of_its_free_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (80 * 10**9, 85 * 10**9))
    assert room_on(torch.device("cuda")) == 60 * 10**9


def test_where_batches_are_made_is_said_in_a_line(sections, room, monkeypatch):
    device = torch.device("cuda", 0)
    streamed, held = both(sections)
    words = "the sections take 0.00 GB sparse, and cuda:0 has room for 1.00 GB: "
    assert residence_words([held], device) == words + "it holds them and makes the batches"
    assert residence_words([streamed], device) == words + "batches are made by the CPU and sent"
    assert residence_words([replace(streamed, layout="subgraphs")], device) == (
        "the layout `subgraphs` is made by the CPU: batches are made by the CPU and sent"
    )
