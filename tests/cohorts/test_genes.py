"""Gene names that are not symbols give clear errors, and missing genes are marked."""

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.cohorts.absent import measured_genes
from sagefm.cohorts.counts import WITHOUT_ONES, share_without_ones
from sagefm.cohorts.gene_names import date_names, mitochondrial
from sagefm.cohorts.ingest import ingest, say_ingested
from sagefm.cohorts.panel import harmonise
from sagefm.cohorts.qc import spot_measures
from sagefm.common.errors import InputError
from support import helpers

IDS = [f"ENSG{number:011d}" for number in range(400)]

NAMES = {
    "numbers": (lambda names: map(str, range(len(names))), "named by numbers (the first: `0`)"),
    "reference": (lambda names: [f"GRCh38_{name}" for name in names], "(`GRCh38_`). Fix: remove"),
    "long prefix": (lambda names: [f"GRCh38______{n}" for n in names], "(`GRCh38______`)"),
    "dashes": (lambda names: [f"hg19---{name}" for name in names], "begin with a reference"),
    "ids": (lambda names: IDS[: len(names)], "named by Ensembl ids (the first: `ENSG0"),
    "versions": (lambda names: [f"{one}.7" for one in IDS[: len(names)]], "ids with versions ("),
    "lower case": (lambda names: [name.lower() for name in names], "in lower case (the first: `"),
    "a species": (lambda names: [f"human_{name}" for name in names], "leave the symbol alone (`"),
    "symbols and ids": (
        lambda names: [f"{name}|{one}" for name, one in zip(names, IDS, strict=False)],
        "hold more than a symbol (the first: `",
    ),
    "reference, through R": (lambda names: [f"GRCh38...{name}" for name in names], "(`GRCh38...`)"),
    "numbers that became real": (lambda names: [f"{n}.0" for n in range(len(names))], "by numbers"),
    "quotes": (lambda names: [f'"{name}"' for name in names], "leave the symbol alone (`"),
    "transcripts": (
        lambda names: [f"ENST{n:011d}.2" for n in range(len(names))],
        "transcripts (the",
    ),
    "RefSeq": (lambda names: [f"NM_{n:06d}" for n in range(len(names))], "it counts transcripts"),
    "ids of mouse": (
        lambda names: [f"ENSMUSG{n:011d}" for n in range(len(names))],
        "another species (the first: `ENSMUSG00000000000`; human ids begin with ENSG)",
    ),
    "mouse": (lambda names: [name.capitalize() for name in names], "look like mouse symbols"),
}


@pytest.mark.parametrize("least", [0.5, 0.0])
@pytest.mark.parametrize("case", NAMES)
def test_names_that_are_not_symbols(case, least, panel):
    change, words = NAMES[case]
    source = helpers.demo_section("SPA154")[:, :300]
    source.var_names = [*change(source.var_names)]
    with pytest.raises(InputError) as caught:
        harmonise(source, panel, min_overlap=least)
    assert words in str(caught.value) and "Fix: " in str(caught.value)


def test_a_section_without_a_count_never_passes(panel):
    source = helpers.demo_section("heart-1")
    source.X = sp.csr_matrix(source.shape, dtype=np.int32)
    with pytest.raises(InputError, match=r"none of the 13817 panel genes .* is ever counted"):
        harmonise(source, panel, min_overlap=0.0)


def test_names_that_a_spreadsheet_made_dates():
    names = ["1-Sep", "10-Mar", "Mar-01", "1-Dec", "SEPTIN1", "HLA-A", "MARCHF1", "ERVK3-1"]
    assert date_names(pd.Index(names)) == ["1-Sep", "10-Mar", "Mar-01", "1-Dec"]
    others = ["X1.Sep", "2021-09-01", "2021-09-01 00:00:00", "1. Sep", "1-Mrz", "01.Dez", "Sept-02"]
    symbols = ["MARC1", "SEPT2", "DEC1", "NOV", "X1", "MAR1A", "OCT4"]
    assert date_names(pd.Index([*others, *symbols])) == others


IDS_OF_TWO = ["ENSG00000198804", "ENSG00000198888"]

MITO = {
    "symbols": (["MT-CO1", "MT-ND1", "ACTB"], {}, None),
    "dots": (["MT.CO1", "MT.ND1", "MTOR"], {}, None),
    "other marks": (["MT_CO1", "MT:ND1", "MTOR"], {}, None),
    "ids": ([IDS_OF_TWO[0], f"{IDS_OF_TWO[1]}.2", "ENSG00000075624"], {}, None),
    "ids beside": (
        ["COX1", "ND1", "ACTB"],
        {"gene_ids": ["ENSG00000198804", "ENSG00000198888", "x"]},
        None,
    ),
    "aliases": (
        ["COX1", "ND1", "ACTB"],
        {},
        {"COX1": {"MT-CO1"}, "ND1": {"MT-ND1"}, "ACTB": {"A"}},
    ),
}


@pytest.mark.parametrize("case", MITO)
def test_mitochondrial_genes(case):
    names, columns, aliases = MITO[case]
    var = pd.DataFrame(columns, index=names)
    found = mitochondrial(np.array(names, dtype=object), var, aliases)
    assert list(found) == [True, True, False]
    adata = anndata.AnnData(sp.csr_matrix(np.array([[1, 2, 1]])), var=var)
    assert spot_measures(adata, aliases)["mito_share"].tolist() == [0.75]


def test_what_a_file_lacks(panel):
    source = helpers.demo_section("heart-1")
    # 95% of the panel, with genes that are never counted.
    has = pd.Index(panel).isin(source.var_names)
    detected = source[:, np.asarray(source.X.sum(axis=0)).ravel() > 0].copy()
    assert measured_genes(source, has)[0].sum() == has.sum()
    assert measured_genes(detected, has)[0].all()
    assert measured_genes(source, has, "zero")[0].all() and not measured_genes(source, has)[1]
    few = has & (np.arange(len(panel)) % 2 == 0)
    measured, note = measured_genes(detected, few)
    np.testing.assert_array_equal(measured, few)
    assert f"{(~few).sum():,} panel genes that the file lacks count as not measured" in note
    assert (
        "`absent: zero`" in note
        and "`absent: zero`" not in measured_genes(detected, few, "unmeasured")[1]
    )
    assert "count as 0, as given" in measured_genes(detected, few, "zero")[1]


def test_what_was_read_is_said(panel, tmp_path):
    source = helpers.demo_section("heart-1")[:, :12_000].copy()
    source.var_names = ["1-Sep", *source.var_names[1:]]
    source.write_h5ad(tmp_path / "a.h5ad")
    qc = helpers.QC | {"min_counts": 1000, "max_mito_share": 0.3}
    harmonise_by = helpers.HARMONISE | {"min_overlap": 0.1}
    numbers, *notes = say_ingested(
        ingest(tmp_path / "a.h5ad", {"sample": "a"}, panel, qc, harmonise_by)
    )
    found = len({*panel} & {*source.var_names})
    assert numbers.startswith("88 spots of 91 (3 spots left out by quality control), ")
    assert f"{found:,} of the panel's 14,558 genes, median " in numbers
    assert "count as not measured" in notes[0]
    assert notes[1].startswith("1 gene named as a date by a spreadsheet (`1-Sep`)")
    assert notes[2].startswith("no mitochondrial gene was found, so that `max_mito_share`")


@pytest.mark.parametrize("depth", [1e4, 1e6, "median"])
@pytest.mark.parametrize("sample", ["heart-1", "SPA154"])
def test_counts_that_were_normalised_and_rounded_are_told(sample, depth):
    raw = helpers.demo_section(sample).X
    assert share_without_ones(raw) == 0
    total = np.asarray(raw.sum(axis=1)).ravel()
    scale = (np.median(total) if depth == "median" else depth) / total
    rounded = sp.csr_matrix(np.round(raw.multiply(scale[:, None]).tocsr()).astype(np.int32))
    rounded.eliminate_zeros()
    assert share_without_ones(rounded) > WITHOUT_ONES


def test_limits_that_do_nothing_and_rounded_counts_are_noted(panel, tmp_path):
    source = helpers.demo_section("heart-1")
    source.var_names = [f"MT-{name}" if name == "ACTB" else name for name in source.var_names]
    counted = ~source.var_names.str.startswith("MT-")
    source.X = sp.csr_matrix(source.X.multiply(2 * counted).astype(np.int32))
    source.write_h5ad(tmp_path / "a.h5ad")
    qc = helpers.QC | {"max_mito_share": 0.3}
    _, *notes = say_ingested(
        ingest(tmp_path / "a.h5ad", {"sample": "a"}, panel, qc, helpers.HARMONISE)
    )
    assert notes == [
        "no count of a mitochondrial gene was found, so that `max_mito_share` excludes no spot",
        "100% of the spots have no gene with a count of 1, as if counts had been normalised and "
        "rounded (raw counts are needed)",
    ]
