"""Statistics of genes: over all spots or any sections, bit for bit the same in any grouping."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.sections.expression import NORMALISATIONS, normalise
from sagefm.sections.gene_summary import GeneSums, names_of, summarise_genes
from sagefm.sections.section import load_chunk
from support import small

GENES = 120


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    """Three real patches."""
    return small.write_sections(tmp_path_factory.mktemp("sections"), genes=GENES)


def paths_of(sections) -> list[Path]:
    return [section.counts_path for section in sections]


@pytest.mark.parametrize("how", NORMALISATIONS)
def test_statistics_are_those_of_all_spots(sections, how):
    found = summarise_genes(sections, how)
    values = load_chunk(sections, how).expression.toarray()
    assert list(found.index) == list(read_h5ad(sections[0].counts_path).var_names)
    expected = {
        "low": values.min(axis=0),
        "high": values.max(axis=0),
        "mean": values.mean(axis=0, dtype=float),
        "detected": (values > 0).mean(axis=0),
    }
    for column, own in expected.items():
        np.testing.assert_allclose(found[column], own, rtol=1e-6)
        assert found[column].dtype == np.float64
    assert found["low"].max() > 0  # some gene is in every spot


@pytest.mark.parametrize("order", [[0], [2, 0], [0, 1, 2], [2, 1, 0]])
def test_some_sections_are_summed_as_if_they_alone_had_been_read(sections, tmp_path, order):
    GeneSums.of_files(paths_of(sections), "log1p_cp10k").write(tmp_path / "sums.npz")
    chosen = [sections[i] for i in order]
    found = GeneSums.read([tmp_path / "sums.npz"]).summary(names_of(chosen))
    total, spots = np.array(0.0), 0
    for section in chosen:
        counts = read_h5ad(section.counts_path).X
        values = normalise(counts, "log1p_cp10k")
        total = total + np.asarray(values.sum(axis=0, dtype=np.float64)).ravel()
        spots += counts.shape[0]
    np.testing.assert_array_equal(found["mean"], total / spots)
    pd.testing.assert_frame_equal(found, summarise_genes(chosen, "log1p_cp10k"), check_exact=True)


def test_several_cohorts_are_read_as_one(sections, tmp_path):
    for i, part in enumerate((sections[:1], sections[1:])):
        GeneSums.of_files(paths_of(part), "log1p").write(tmp_path / f"{i}.npz")
    found = GeneSums.read([tmp_path / "0.npz", tmp_path / "1.npz"])
    assert list(found.sections) == names_of(sections)
    expected = summarise_genes(sections, "log1p")
    pd.testing.assert_frame_equal(found.summary(), expected, check_exact=True)


def test_a_gene_is_summed_up_over_the_sections_that_measured_it():
    counts = [sp.csr_matrix(rows) for rows in ([[2, 0, 0], [4, 1, 0]], [[0, 3, 0]])]
    measured = np.array([[True, True, False], [False, True, False]])
    sums = GeneSums.of(zip("ab", counts, measured, strict=True), "xyz", "log1p")
    found = sums.summary()
    log = np.log1p(np.array([[2, 4], [1, 3]]))
    np.testing.assert_allclose(found["mean"], [log[0].sum() / 2, log[1].sum() / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(found["detected"], [1, 2 / 3, 0])
    np.testing.assert_allclose(found["low"], [log[0, 0], 0, 0], rtol=1e-6)
    np.testing.assert_allclose(found["high"], [log[0, 1], log[1, 1], 0], rtol=1e-6)
    as_zero = sums.summary(unmeasured_as_zero=True)
    np.testing.assert_allclose(as_zero["mean"], [log[0].sum() / 3, log[1].sum() / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(as_zero["detected"], [2 / 3, 2 / 3, 0])
    np.testing.assert_allclose(as_zero["low"], 0)
    assert (sums.summary(["b"]).loc["x"] == 0).all()


def test_files_say_which_genes_were_measured(tmp_path):
    section = small.write_sections(tmp_path, genes=GENES)[0]
    adata = read_h5ad(section.counts_path)
    adata.var["measured"] = np.arange(GENES) % 2 == 0
    write_h5ad(adata, section.counts_path)
    sums = GeneSums.of_files([section.counts_path], "log1p")
    np.testing.assert_array_equal(sums.measured, [adata.var["measured"]])
    sums.write(tmp_path / "sums.npz")
    assert (GeneSums.read([tmp_path / "sums.npz"]).measured == sums.measured).all()
