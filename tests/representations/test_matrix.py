"""A matrix computed elsewhere is joined by sample and spot, whatever its row order."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.representations.catalogue import Catalogue
from sagefm.representations.files import read_representation, write_representation
from sagefm.representations.registry import (
    described,
    load_entry,
    on_cohort,
    read_options,
)
from sagefm.representations.represent import represent_entry
from sagefm.sections.cohort import cohort_obs
from support import cohorts

SHEET = [*cohorts.SAMPLES]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return cohorts.write_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def spots(cohort) -> pd.DataFrame:
    return cohort_obs(cohort.samples)[["sample", "spot"]].astype(str)


def numbered(spots: pd.DataFrame) -> np.ndarray:
    """(spots, 2): the number of each spot, and its half."""
    return np.arange(len(spots))[:, None] * np.array([1.0, 0.5])


def write(path, obs: pd.DataFrame, values, key="X_mine", chosen=slice(None)):
    """Rows of a matrix, some of them or in another order, as anndata writes them."""
    values = values.iloc[chosen] if isinstance(values, pd.DataFrame) else values[chosen]
    anndata.AnnData(obs=obs.iloc[chosen], obsm={key: values}).write_h5ad(path)
    return {"h5ad": str(path), "obsm": key}


ORDERS = {
    "the same": lambda n: np.arange(n),
    "reversed": lambda n: np.arange(n)[::-1],
    "at random": lambda n: np.random.default_rng(0).permutation(n),
}
NAMED = {
    "by columns": lambda spots: spots.reset_index(drop=True).rename(index=str),
    "by categories": lambda spots: NAMED["by columns"](spots.astype("category")),
    "by index": lambda spots: spots[[]],
}
KINDS = {
    "dense": lambda values, obs: values,
    "sparse": lambda values, obs: sp.csr_matrix(values),
    "table": lambda values, obs: pd.DataFrame(values, index=obs.index, columns=["a", "b"]),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("named", NAMED)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_joined_by_sample_and_spot(order, named, kind, cohort, spots, tmp_path):
    obs = NAMED[named](spots)
    values = KINDS[kind](numbered(spots), obs)
    entry = write(tmp_path / "mine.h5ad", obs, values, chosen=ORDERS[order](len(obs)))
    load_entry("mine", entry).check(read_options("mine", entry), "c", SHEET)
    values, facts = represent_entry("mine", entry, cohort, 0)
    write_representation(tmp_path / "x.h5ad", "mine", cohort, values, facts)
    found = read_representation(tmp_path / "x.h5ad").values
    assert sp.issparse(found) == (kind == "sparse")
    dense = found.toarray() if sp.issparse(found) else found
    np.testing.assert_array_equal(dense, numbered(spots).astype(np.float32))
    assert dense.dtype == np.float32


def test_rows_of_other_spots_are_passed_over(cohort, spots, tmp_path):
    more = pd.concat([spots, pd.DataFrame({"sample": ["other"], "spot": ["1x1"]}, index=["o:1x1"])])
    entry = write(tmp_path / "mine.h5ad", more, numbered(more))
    values, _ = represent_entry("mine", entry, cohort, 0)
    np.testing.assert_array_equal(values, numbered(spots))


def test_the_entry_says_what_it_is(spots, tmp_path):
    entry = write(tmp_path / "mine.h5ad", spots, numbered(spots))
    assert load_entry("my_own", entry).transductive
    assert Catalogue(described({"my_own": entry})).title("my_own") == "my own"
    words = {"title": "Mine", "colour": "#AA3377", "source": "my thesis"}
    method = load_entry("mine", {**entry, **words, "spatial": False, "transductive": False})
    assert not method.description.spatial and not method.transductive
    assert (method.description.title, method.description.colour) == ("Mine", "#AA3377")
    assert method.source == "my thesis"
    assert method.description.role == "other"


def test_each_cohort_may_have_its_file():
    entries = {"mine": {"h5ad": {"a": "a.h5ad", "b": "b.h5ad"}, "obsm": "X"}, "pca": {}}
    assert on_cohort("mine", entries["mine"], "b")["h5ad"] == "b.h5ad"
    assert on_cohort("pca", {"components": 3}, "b") == {"components": 3}
    with pytest.raises(InputError, match=r"mine\.h5ad: cohort `c` has no file\. Fix: add one"):
        on_cohort("mine", entries["mine"], "c")


def test_spots_that_are_missing_are_counted_by_sample(cohort, spots, tmp_path):
    gone = np.r_[0:3, 45:52]
    entry = write(
        tmp_path / "mine.h5ad", spots, numbered(spots), chosen=np.delete(np.arange(120), gone)
    )
    with pytest.raises(InputError) as caught:
        represent_entry("mine", entry, cohort, 0)
    message = str(caught.value)
    assert message.startswith("config, at representations.methods.mine: ")
    words = "lacks 3 of 40 spots of sample `heart-2`, 7 of 40 spots of sample `SPA147` (the first"
    assert words in message
    assert f"the first is `{spots.index[0]}`; the file has `{spots.index[3]}`" in message
    assert "Fix: add a row for every spot" in message


def test_a_spot_named_twice_is_refused(cohort, spots, tmp_path):
    twice = pd.concat([spots, spots.iloc[[5]]]).reset_index(drop=True).rename(index=str)
    entry = write(tmp_path / "mine.h5ad", twice, numbered(twice))
    with pytest.raises(InputError, match=f"`{spots['spot'].iloc[5]}` of sample `heart-2` twice"):
        represent_entry("mine", entry, cohort, 0)


def checked(entry) -> str:
    """What a check before any job says."""
    with pytest.raises(InputError) as caught:
        load_entry("mine", entry).check(read_options("mine", entry), "breast", SHEET)
    return str(caught.value)


def test_a_matrix_is_checked_before_any_job(spots, tmp_path):
    path = tmp_path / "mine.h5ad"
    assert "does not exist (looked from" in checked({"h5ad": str(path), "obsm": "X_mine"})
    path.write_text("sample\tspot\n")
    assert "cannot be read as an h5ad" in checked({"h5ad": str(path), "obsm": "X_mine"})
    entry = write(path, spots, numbered(spots))
    assert "has no `obsm` `X_mime`; did you mean `X_mine`" in checked(entry | {"obsm": "X_mime"})
    entry = write(path, spots, np.zeros((120, 0)))
    assert "has shape (120, 0). Fix: store (spots, features)" in checked(entry)
    entry = write(path, spots[["spot"]].reset_index(drop=True).rename(index=str), numbered(spots))
    assert "does not name samples and spots (it has `0`). Fix: give `obs`" in checked(entry)
    entry = write(path, spots, numbered(spots), chosen=slice(0, 80))
    message = checked(entry)
    assert "has no spot of 1 of 3 samples of cohort `breast` (heart-1; it has heart-2" in message


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"h5ad": "x.h5ad"}, "`obsm` is missing. Fix: add it"),
        ({"h5ad": 3, "obsm": "X"}, "`h5ad` is 3, but takes text or a table of keys"),
        ({"h5ad": "x.h5ad", "obsm": "X", "file": "x.py"}, "both `file` and `h5ad` are given"),
        ({"h5ad": "x.h5ad", "obsm": "X", "key": 1}, "unknown key `key`"),
    ],
)
def test_what_is_wrong_with_an_entry_is_one_sentence(entry, words):
    with pytest.raises(InputError) as caught:
        read_options("mine", entry)
    assert words in str(caught.value)
