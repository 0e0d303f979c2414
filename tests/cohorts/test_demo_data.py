"""The bundled sections are those described in resources/demo/README.md."""

import anndata
import numpy as np
import pandas as pd
import pytest

from sagefm.common.io import read_table

SHEETS = ("atlas", "breast")


@pytest.fixture(scope="module")
def sheets(repo) -> dict[str, pd.DataFrame]:
    return {name: read_table(repo / f"config/samples/{name}.tsv") for name in SHEETS}


@pytest.fixture(scope="module")
def sections(repo) -> pd.DataFrame:
    return read_table(repo / "resources/demo/sections.tsv").set_index("sample")


def test_the_sheets_follow_the_rule(sheets, sections):
    breast = sections[sections["organ"] == "Breast"].sort_values("section")
    unlabelled = breast[~breast["labelled"]].groupby("patient").head(1).index
    heart = sections.index[sections["organ"] == "Heart"]
    assert set(sheets["atlas"]["sample"]) == {*unlabelled, *heart}
    assert set(sheets["breast"]["sample"]) == set(breast.index[breast["labelled"]])
    assert [len(unlabelled), len(heart), len(sheets["breast"])] == [8, 9, 8]


def test_every_patient_of_breast_has_a_sister_section_in_atlas(sheets):
    atlas, breast = sheets["atlas"], sheets["breast"]
    assert not set(atlas["sample"]) & set(breast["sample"])
    assert breast["patient"].is_unique
    assert set(breast["patient"]) == set(atlas.loc[atlas["dataset"] == "her2st", "patient"])


def test_the_sheets_say_what_the_sections_are(repo, sheets, sections):
    for row in pd.concat(sheets.values()).itertuples():
        facts = sections.loc[row.sample]
        assert (row.patient, row.organ) == (facts["patient"], facts["organ"])
        assert (row.technology, row.disease_state) == (facts["technology"], facts["disease_state"])
        assert row.path_or_id == f"resources/demo/st/{row.sample}.h5ad"
        adata = anndata.read_h5ad(repo / row.path_or_id, backed="r")
        assert adata.shape == (row.expected_spots, row.expected_genes)
        assert adata.shape == (facts["n_spots"], facts["n_genes"])
        adata.file.close()


def test_nothing_else_is_bundled_and_it_is_small(repo, sheets):
    files = {path.stem for path in (repo / "resources/demo/st").iterdir()}
    assert files == set(pd.concat(sheets.values())["sample"])
    folders = (repo / "resources/demo", repo / "resources/panel")
    sizes = [path.stat().st_size for folder in folders for path in folder.rglob("*")]
    assert sum(sizes) <= 48e6


def test_labels_name_spots_of_the_bundled_sections(repo, sheets):
    labels = read_table(repo / "resources/demo/labels.tsv")
    assert not labels.duplicated(["sample", "spot"]).any() and labels["label"].notna().all()
    heart = sheets["atlas"].loc[sheets["atlas"]["dataset"] == "heart", "sample"]
    assert set(labels["sample"]) == {*sheets["breast"]["sample"], *heart}
    for sample, spots in labels.groupby("sample")["spot"]:
        names = anndata.read_h5ad(repo / f"resources/demo/st/{sample}.h5ad").obs_names
        assert set(spots) <= set(names)
        if sample not in set(heart):
            assert len(spots) == len(names)


def test_spots_are_named_by_column_then_row(repo):
    obs = anndata.read_h5ad(repo / "resources/demo/st/SPA142.h5ad").obs
    names = obs["array_col"].astype(str) + "x" + obs["array_row"].astype(str)
    np.testing.assert_array_equal(names, obs.index)
