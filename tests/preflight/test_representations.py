"""A user's own methods and matrices: gaps are found before any job starts."""

import copy
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from sagefm.common.errors import InputError
from support.configs import assert_sentence, check, good_config

pytestmark = pytest.mark.usefixtures("good_files")


def own_matrix(samples: list[str], path: str = "mine.h5ad") -> None:
    """A matrix with two spots of each sample."""
    names = [f"{sample}:{spot}" for sample in samples for spot in ("1x1", "1x2")]
    obs = pd.DataFrame(index=names)
    anndata.AnnData(obs=obs, obsm={"X_mine": np.ones((len(names), 3))}).write_h5ad(path)


MINE = {"h5ad": "mine.h5ad", "obsm": "X_mine"}
DERIVED = {
    "states": {
        "cohort": "breast",
        "labels": {"source": "module_scores", "gene_sets": "sets.tsv"},
    }
}


def test_a_matrix_of_every_sample_is_taken():
    own_matrix(["bs1", "bs2", "bs3"])
    config = good_config()
    config["representations"]["methods"] = {"pca": {}, "mine": MINE}
    assert check(config)["representations"]["methods"]["mine"] == MINE
    by_cohort = {"breast": "mine.h5ad"}
    config["representations"]["methods"] = {"mine": MINE | {"h5ad": by_cohort}}
    check(config)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (MINE | {"h5ad": "lost.h5ad"}, ["methods.mine: lost.h5ad does not exist", "Fix: correct"]),
        (MINE | {"obsm": "X_mein"}, ["mine.h5ad has no `obsm` `X_mein`; did you mean `X_mine`?"]),
        (MINE, ["has no spot of 1 of 3 samples of cohort `breast` (bs3;", "Fix: give `obs`"]),
        (MINE | {"h5ad": {"brest": "mine.h5ad"}}, ["mine.h5ad: no cohort `brest`", "`breast`?"]),
        (
            MINE | {"h5ad": {"atlas": "mine.h5ad"}, "cohorts": ["breast"]},
            ["methods.mine.h5ad: cohort `breast` has no file. Fix: add one"],
        ),
        ({"file": "lost.py"}, ["lost.py: no such Python file. Fix: correct the path"]),
        ({"method": "pca", "title": 3}, ["methods.mine.title: `3` is given, but text is wanted"]),
    ],
)
def test_what_is_wrong_with_an_own_method_is_found_before_any_job(entry, words):
    own_matrix(["bs1", "bs2"])
    config = good_config()
    config["representations"]["methods"] = {"mine": entry}
    with pytest.raises(InputError) as caught:
        check(config)
    assert_sentence(caught.value, words)


def test_genes_cannot_be_withheld_from_a_matrix():
    own_matrix(["bs1", "bs2", "bs3"])
    Path("sets.tsv").write_text("set\tgene\na\tG1\n")
    config = good_config()
    config["representations"]["methods"] = {"pca": {}, "mine": MINE}
    config["tasks"] = copy.deepcopy(DERIVED)
    with pytest.raises(InputError) as caught:
        check(config)
    assert_sentence(caught.value, ["config, at tasks.states:", "`mine` was computed elsewhere"])
    config["tasks"]["states"]["representations"] = ["pca"]
    check(config)
    config["tasks"]["states"] |= {"representations": ["mine"]}
    config["tasks"]["states"]["labels"]["withhold"] = False
    check(config)


def test_the_labels_need_a_cohort_that_has_them():
    config = good_config()
    config["representations"]["methods"] = {"labels": {"cohorts": ["breast"]}}
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    check(config)
    config["cohorts"]["breast"]["labels"] = None
    with pytest.raises(InputError) as caught:
        check(config)
    assert_sentence(caught.value, ["methods.labels: cohort `breast` has no labels. Fix: list"])


def large_sheet(spots: list[str]) -> None:
    """The cohort that is represented, each section with its number of spots."""
    rows = pd.read_csv("breast.tsv", sep="\t", dtype=str, keep_default_na=False)
    rows.assign(expected_spots=spots).to_csv("breast.tsv", sep="\t", index=False)


def test_what_would_hold_too_much_is_refused_by_its_method_and_cohort():
    """2,000 genes of 900,000 spots, each twice, three times in double precision: 86 GB and more."""
    config = good_config()
    config["representations"]["methods"] = {"pca": {}, "mine": {"method": "banksy"}}
    large_sheet(["300000"] * 3)
    with pytest.raises(InputError) as raised:
        check(config)
    words = ["methods.mine: it holds all 900,000 spots of cohort `breast`", "178 GB at once"]
    assert_sentence(raised.value, [*words, "limits.dense_gb allows 64. Fix: leave the cohort out"])
    check(config | {"limits": {"dense_gb": 180}})
    config["representations"]["methods"]["mine"]["cohorts"] = ["atlas"]
    check(config)


def test_what_is_read_in_parts_or_of_unknown_size_is_not_refused():
    config = good_config()
    config["representations"]["methods"] = {"pca": {}, "neighbour_mean": {}, "niche_pca": {}}
    large_sheet(["3000000"] * 3)
    check(config)
    config["representations"]["methods"] = {"banksy": {}}
    large_sheet(["3000000", "", "3000000"])
    check(config)
