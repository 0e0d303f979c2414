"""Mapping to the panel: genes found, renamed, repeated or missing, and input that is refused."""

import re

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.cohorts.panel import harmonise, read_aliases
from sagefm.cohorts.readers import read_source
from sagefm.common.errors import InputError
from sagefm.sections.genes import read_panel
from support import helpers

PANEL = ["ACTB", "GAPDH", "TBCE", "MARCHF1"]


def section(names, **var) -> anndata.AnnData:
    """Two spots; gene g has g + 1 counts in the first, ten times as many in the second."""
    counts = np.arange(1, len(names) + 1)
    return anndata.AnnData(
        X=sp.csr_matrix(np.stack([counts, 10 * counts]).astype(np.int32)),
        obs=pd.DataFrame(index=["a", "b"]),
        var=pd.DataFrame(var, index=names),
        obsm={"spatial": np.array([[0.0, 0.0], [1.0, 0.0]])},
    )


def mapped(adata, **kwargs):
    """First spot over `PANEL`, and the counts of genes."""
    result, counts = harmonise(adata, PANEL, min_overlap=0.25, **kwargs)
    assert list(result.var_names) == PANEL
    np.testing.assert_array_equal(result.X[1].toarray(), 10 * result.X[0].toarray())
    assert list(result.var["in_source"]) == list(result.X[0].toarray()[0] > 0)
    return list(result.X[0].toarray()[0]), counts


def test_a_real_section_keeps_every_count_of_the_panel(panel):
    source = read_source(helpers.REPO / "resources/demo/st/SPA142.h5ad")
    result, counts = harmonise(source, panel)
    assert isinstance(result.X, sp.csr_matrix) and result.X.dtype == np.int32
    assert result.X.has_canonical_format and (result.X.data > 0).all()
    assert list(result.var_names) == panel and list(result.obs_names) == list(source.obs_names)
    shared = [gene for gene in panel if gene in source.var_names]
    np.testing.assert_array_equal(result[:, shared].X.toarray(), source[:, shared].X.toarray())
    assert result.X.sum() == source[:, shared].X.sum()
    assert counts == {
        "genes_source": source.n_vars,
        "genes_panel": len(shared),
        "genes_missing": len(panel) - len(shared),
        "genes_renamed": 0,
        "genes_duplicated": 0,
        "duplicates_rule": "first",
    }


def test_missing_genes_are_zero_and_counted():
    values, counts = mapped(section(["OTHER", "GAPDH", "ACTB"]))
    assert values == [3, 2, 0, 0]
    assert (counts["genes_source"], counts["genes_panel"], counts["genes_missing"]) == (3, 2, 2)


@pytest.mark.parametrize(("rule", "expected"), [("first", [1, 0, 2, 0]), ("sum", [1, 0, 5, 0])])
@pytest.mark.filterwarnings("ignore:Variable names are not unique")
def test_repeated_symbols(rule, expected):
    values, counts = mapped(section(["ACTB", "TBCE", "TBCE"]), duplicates=rule)
    assert values == expected
    assert (counts["genes_duplicated"], counts["duplicates_rule"]) == (1, rule)


def test_uniquified_symbols_are_left_alone():
    assert mapped(section(["ACTB", "TBCE", "TBCE-1"]), duplicates="sum")[0] == [1, 0, 2, 0]


@pytest.mark.parametrize(
    ("names", "symbols", "expected", "renamed"),
    [
        (["ENSG01", "ENSG02.3"], ["GAPDH", "ACTB"], [2, 1, 0, 0], 2),
        (["ENSG01", "ACTB"], ["ACTB", "x"], [2, 0, 0, 0], 0),
        (["ENSG01", "ENSG02"], ["TBCE", "TBCE"], [0, 0, 1, 0], 1),
        (["LOC1", "ACTB"], ["GAPDH", "ACTB"], [2, 0, 0, 0], 0),
    ],
    ids=["by the symbol column", "symbol present by name", "symbol repeated", "name is no id"],
)
def test_ensembl_ids_with_the_symbols_of_the_source(names, symbols, expected, renamed):
    values, counts = mapped(section(names, gene_symbols=symbols))
    assert values == expected and counts["genes_renamed"] == renamed


@pytest.mark.parametrize(
    ("names", "aliases", "expected"),
    [
        (["ACTB", "MARCH1"], {"MARCH1": {"MARCHF1"}}, [1, 0, 0, 2]),
        (["ACTB", "ENSG07.2"], {"ENSG07": {"GAPDH"}}, [1, 2, 0, 0]),
        (["ACTB", "OLD"], {"OLD": {"GAPDH", "TBCE"}}, [1, 0, 0, 0]),
        (["ACTB", "OLD"], {"OLD": {"GAPDH", "OUTSIDE"}}, [1, 2, 0, 0]),
        (["ACTB", "OLD", "GAPDH"], {"OLD": {"GAPDH"}}, [1, 3, 0, 0]),
        (["ACTB", "OLD", "OLDER"], {"OLD": {"TBCE"}, "OLDER": {"TBCE"}}, [1, 0, 0, 0]),
    ],
    ids=["symbol", "id", "two panel genes", "one panel gene", "already there", "two aliases"],
)
def test_aliases_only_where_unambiguous(names, aliases, expected):
    values, counts = mapped(section(names), aliases=aliases)
    assert values == expected
    assert counts["genes_renamed"] == np.count_nonzero(expected) - len(
        {"ACTB", *PANEL} & set(names)
    )


def test_alias_by_the_id_beside_the_symbol():
    adata = section(["ACTB", "OLD"], gene_ids=["ENSG01", "ENSG07.2"])
    assert mapped(adata, aliases={"ENSG07": {"TBCE"}})[0] == [1, 0, 2, 0]


REFUSED = {
    "mouse": (["Actb", "Gapdh", "Tbce", "Marchf1"], "mouse.*`Actb`.*human"),
    "other genes": (["A", "B", "ACTB"], "only 1 of the panel's 4 genes.*25%.*min_overlap"),
    "Ensembl ids alone": (["ENSG01", "ENSG02"], "Ensembl ids.*gene_symbols.*aliases"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_too_little_overlap_is_refused(case):
    names, words = REFUSED[case]
    with pytest.raises(InputError, match=words):
        harmonise(section(names), PANEL)


def test_an_unknown_rule_is_refused():
    with pytest.raises(InputError, match="`last` is unknown"):
        harmonise(section(PANEL), PANEL, duplicates="last")


def test_the_panel_of_the_paper(repo, panel):
    assert read_panel(repo / "resources/panel/sagefm_genes.txt") == panel
    assert len(panel) == 14558 and {"TBCE", "HSPA14", "PINX1"} <= set(panel)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("", "line 1 is empty"),
        ("A\n\nB\n", "line 2 is empty"),
        ("A\nB\nA\n", "`A` occurs more than once"),
    ],
)
def test_a_bad_panel_is_refused(text, words, tmp_path):
    path = tmp_path / "genes.txt"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=f"{re.escape(str(path))}: .*{words}"):
        read_panel(path)


def test_aliases_are_read_from_a_table(tmp_path):
    path = tmp_path / "aliases.tsv"
    path.write_text("symbol\talias \nMARCHF1 \tMARCH1\nTBCE\tX\nACTB\tX\n")
    assert read_aliases(path) == {"MARCH1": {"MARCHF1"}, "X": {"TBCE", "ACTB"}}
    path.write_text("symbol\tprevious\n")
    with pytest.raises(InputError, match=r"aliases\.tsv: .*`alias` and `symbol`"):
        read_aliases(path)
    with pytest.raises(InputError, match=r"gone\.tsv: cannot be read"):
        read_aliases(tmp_path / "gone.tsv")
