"""Normalised expression and the mean of each gene."""

import numpy as np
import pytest
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.sections.expression import NORMALISATIONS, normalise
from support import small


@pytest.fixture
def counts() -> sp.csr_matrix:
    return small.patch("heart-1", 40, 120).X


def test_log1p_is_of_raw_counts(counts):
    found = normalise(counts, "log1p")
    assert found.dtype == np.float32
    assert found.nnz == counts.nnz
    np.testing.assert_allclose(found.toarray(), np.log1p(counts.toarray()), rtol=1e-6)


def test_scaled_to_ten_thousand_counts(counts):
    found = normalise(counts, "log1p_cp10k")
    assert found.dtype == np.float32
    dense = counts.toarray().astype(float)
    expected = np.log1p(1e4 * dense / dense.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-5)
    np.testing.assert_allclose(np.expm1(found.toarray()).sum(axis=1), 1e4, rtol=1e-4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("how", NORMALISATIONS)
def test_a_spot_without_counts_stays_zero(counts, how):
    empty = sp.csr_matrix(sp.vstack([counts[:2], sp.csr_matrix((1, 120), dtype=np.int32)]))
    found = normalise(empty, how)
    assert found[2].nnz == 0
    assert np.isfinite(found.data).all()


@pytest.mark.parametrize("how", NORMALISATIONS)
def test_the_counts_stay_as_they_were(counts, how):
    before = counts.copy()
    normalise(counts, how)
    assert (counts != before).nnz == 0
    assert counts.dtype == np.int32


def test_an_unknown_normalisation_is_told(counts):
    with pytest.raises(InputError, match=r"normalisation `sct` is unknown\. Fix: use one of"):
        normalise(counts, "sct")
