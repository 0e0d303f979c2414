"""Statistics of genes: those of all spots, of any sections, the same to the bit in any company."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sagefm.common.h5ad import read_h5ad
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
