"""Co-expression of neighbours and centre equals numpy's correlation, over several sections."""

import numpy as np
import pytest

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.perturbation.coexpression import (
    neighbour_correlation,
    read_coexpression,
    words_of_unmeasured,
    write_coexpression,
)
from sagefm.sections.section import load_chunk
from support import small

INPUTS, OUTPUTS = np.array([3, 50, 7, 119]), np.array([7, 0, 88])


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("sections"), kind="star", size=6)


def dense_sides(section, inputs, outputs):
    """Means of each spot's neighbours, and spots' own values, gone through one by one."""
    chunk = load_chunk([section], "log1p")
    values, graph = chunk.expression.toarray().astype(float), chunk.graphs[0]
    egos = np.split(graph.ego, graph.indptr[1:-1])
    neighbours = np.stack([values[ego[1:]].mean(axis=0) for ego in egos])
    return neighbours[:, inputs], values[:, outputs]


def test_pooled_and_within_equal_numpy(sections):
    pooled, within = neighbour_correlation(sections, "log1p", INPUTS, OUTPUTS)
    assert pooled.dtype == within.dtype == np.float32
    sides = [dense_sides(section, INPUTS, OUTPUTS) for section in sections]
    centred = [tuple(side - side.mean(axis=0) for side in pair) for pair in sides]
    for found, parts in ((pooled, sides), (within, centred)):
        x, y = (np.concatenate(part) for part in zip(*parts, strict=True))
        expected = np.corrcoef(x, y, rowvar=False)[: len(INPUTS), len(INPUTS) :]
        np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(pooled - within).max() > 0.01  # sections differ, so the two do


def test_batches_of_spots_change_nothing(sections, monkeypatch):
    whole = neighbour_correlation(sections, "log1p_cp10k", INPUTS, OUTPUTS)
    monkeypatch.setattr("sagefm.perturbation.coexpression.BATCH_SPOTS", 7)
    for found, expected in zip(
        neighbour_correlation(sections, "log1p_cp10k", INPUTS, OUTPUTS), whole, strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_does_not_vary_has_no_correlation(tmp_path):
    section = small.write_sections(tmp_path, ["heart-1"], genes=9000)[0]
    counts = load_chunk([section], "log1p").expression
    absent, present = np.flatnonzero(counts.getnnz(axis=0) == 0)[:1], np.array([0])
    assert len(absent)
    for sides in ((absent, present), (present, absent)):
        for found in neighbour_correlation([section], "log1p", *sides):
            assert np.isnan(found).all()


def test_spots_without_neighbours_are_left_out(tmp_path):
    """Within half a spacing nobody has a neighbour: such a section adds nothing."""
    near = small.write_sections(tmp_path / "near", ["heart-1"], kind="star", size=6)
    alone = small.write_sections(
        tmp_path / "alone", ["heart-2"], kind="radius", radius_spacings=0.5
    )
    assert len(load_chunk(alone, "log1p").ego) == alone[0].n_spots()
    one = neighbour_correlation(near, "log1p", INPUTS, OUTPUTS)
    both = neighbour_correlation([*near, *alone], "log1p", INPUTS, OUTPUTS)
    np.testing.assert_allclose(both, one, atol=1e-6)


def test_sections_that_did_not_measure_a_gene_do_not_count_for_its_pairs(tmp_path):
    """Each pair equals the correlation over the sections that measured both of its genes."""
    lacking = {"heart-1": [3], "heart-2": [7, 50], "heart-3": [50, 3, 88]}
    sections = small.write_sections(tmp_path, kind="star", size=6)
    for section in sections:
        changed = read_h5ad(section.counts_path)
        measured = ~np.isin(np.arange(changed.n_vars), lacking[section.sample])
        changed.X = changed.X.multiply(measured).tocsr().astype(np.int32)
        changed.var["measured"] = measured
        write_h5ad(changed, section.counts_path)
    found = neighbour_correlation(sections, "log1p", INPUTS, OUTPUTS)
    for i, source in enumerate(INPUTS):
        for j, target in enumerate(OUTPUTS):
            own = [s for s in sections if not {source, target} & {*lacking[s.sample]}]
            pair = [np.array([gene]) for gene in (source, target)]
            one = neighbour_correlation(own, "log1p", *pair) if own else np.full((2, 1, 1), np.nan)
            for matrix, expected in zip(found, one, strict=True):
                np.testing.assert_allclose(matrix[i, j], expected[0, 0], atol=2e-6)
    assert np.isnan(found[0]).sum() == 1  # 3 and 7, which no section measured both
    pairs = np.array([[3, 7], [119, 0], [50, 0]])
    assert words_of_unmeasured(sections, pairs) == (
        "2 of 3 pairs have a gene that some of the 3 sections did not measure; these sections (up "
        "to 3) are left out of the pair's co-expression. Pairs that no section measured, and that "
        "have none: 1"
    )
    assert words_of_unmeasured(sections, pairs[1:2]) == ""


def test_file_returns_what_was_written(tmp_path):
    pooled = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    names = np.array(["TGFB1", "A"], dtype=object), np.array(["B", "CXCR4", "D"], dtype=object)
    write_coexpression(tmp_path / "x.npz", *names, pooled, -pooled)
    found = read_coexpression(tmp_path / "x.npz")
    assert found.inputs == ["TGFB1", "A"]
    assert found.outputs == ["B", "CXCR4", "D"]
    np.testing.assert_array_equal(found.pooled, pooled)
    np.testing.assert_array_equal(found.within, -pooled)
