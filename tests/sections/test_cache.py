import logging

import numpy as np
import pytest
import torch

from sagefm.sections.batches import Batches
from sagefm.sections.cache import SectionCache
from sagefm.sections.section import load_chunk, read_section
from support import small


@pytest.fixture
def sections(tmp_path):
    return small.write_sections(tmp_path, **small.KNN)


def size(section) -> int:
    counts, graph = read_section(section)
    arrays = (counts.data, counts.indices, counts.indptr, graph.indptr, graph.ego)
    return sum(array.nbytes for array in arrays)


def test_what_fits_is_read_once_and_the_rest_every_time(sections, caplog):
    kept = SectionCache((size(sections[0]) + size(sections[1])) / 1e9)
    caplog.set_level(logging.INFO)
    first = [kept.read(section) for section in sections]
    assert caplog.messages == [
        "2 sections are kept in memory, and `compute.keep_gb` has no room for the next; "
        "what does not fit is read in every epoch"
    ]
    again = [kept.read(section) for section in sections]
    assert [one[0] is two[0] for one, two in zip(first, again, strict=True)] == [True, True, False]
    assert (first[2][0] != again[2][0]).nnz == 0
    assert len(caplog.messages) == 1


def test_without_room_nothing_is_kept_nor_said(sections, caplog):
    kept = SectionCache(0)
    assert kept.read(sections[0])[0] is not kept.read(sections[0])[0]
    assert not caplog.messages


def test_every_epoch_is_that_of_sections_read_anew(sections):
    def epoch(kept: SectionCache, number: int, **more) -> list[torch.Tensor]:
        batches = Batches(sections, "mean", "log1p_cp10k", batch_size=16, cache=kept, **more)
        return [*(batch.inputs[0] for batch in batches.epoch(number, order="shuffled"))]

    kept = SectionCache(1)
    for number in (1, 2):
        pairs = zip(epoch(kept, number), epoch(SectionCache(0), number), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs)


def test_genes_withheld_for_one_are_there_for_the_next(sections):
    kept = SectionCache(1)
    whole = load_chunk(sections, "log1p").expression
    gene = int(np.argmax(whole.sum(axis=0)))
    lacking = load_chunk(sections, "log1p", [gene], kept.read).expression
    assert lacking[:, [gene]].nnz == 0
    assert (load_chunk(sections, "log1p", (), kept.read).expression != whole).nnz == 0
