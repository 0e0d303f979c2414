"""A task's labels: joined by awkward barcodes, merged, dropped or derived, with reasons."""

import numpy as np
import pandas as pd
import pytest

from sagefm.annotation.gene_sets import found_genes, highest_set
from sagefm.annotation.labels import label_task
from sagefm.annotation.set_tables import read_gene_sets
from sagefm.annotation.terms import UNASSIGNED
from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.sections.cohort import Cohort, cohort_obs, describe_spots
from support import small

SAMPLES = ("heart-1", "SPA147")
SPOTS, GENES = 40, 300
OWN = {"source": "cohort"}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    """Two samples of 40 spots; those of the first have labels, see `label`."""
    sections = small.write_sections(tmp_path_factory.mktemp("cohort"), SAMPLES, SPOTS, GENES)
    path = sections[0].counts_path
    adata = read_h5ad(path)
    adata.obs_names = [f"SPOT{i}-1" for i in range(SPOTS)]
    write_h5ad(adata, path)
    return Cohort(tuple(section.counts_path for section in sections))


ROWS = [
    {"sample": "heart-1", "patient": "P1", "dataset": "x"},
    {"sample": "SPA147", "patient": "", "dataset": "x"},
]
LABELS = ["a"] * 20 + ["b"] * 12 + ["c"] * 8


def label(cohort, labels, own=LABELS, **options):
    """`label_task` of the cohort, with labels of its first sample."""
    obs = describe_spots(cohort_obs(cohort.samples), ROWS)
    obs["label"] = pd.Categorical([*own, *[None] * (len(obs) - SPOTS)])
    return label_task(cohort, obs, labels, name="t", **options)


def test_labels_that_are_numbers_are_names(cohort):
    found = label(Cohort(cohort.samples[:1]), OWN, [1] * 25 + [2] * 15, min_spots=15)
    assert found.spots["label"].value_counts().to_dict() == {"1": 25, "2": 15}


def classes_of(labels) -> pd.DataFrame:
    return labels.classes.set_index("class")


def test_own_labels_and_reasons_for_what_is_dropped(cohort):
    found = label(cohort, OWN, drop=["c"], min_spots=12)
    assert len(found.spots) == 2 * SPOTS
    assert found.spots["label"].value_counts().to_dict() == {"a": 20, "b": 12}
    assert list(found.spots["patient"].unique()) == ["P1", "SPA147"]
    classes = classes_of(found)
    assert classes["kept"].to_dict() == {"a": True, "b": True, "c": False, "(no label)": False}
    assert classes.loc["c", "note"] == "dropped by the config"
    assert classes.loc["(no label)", "n_spots"] == SPOTS
    assert "one patient only" in classes.loc["a", "note"]
    assert classes.loc["a", "spots_by_patient"] == "P1: 20"
    assert found.withheld() == []


def test_merged_classes_count_together_and_small_ones_are_dropped(cohort):
    merged = label(cohort, OWN, merge={"bc": ["b", "c"]}, min_spots=20)
    assert merged.spots["label"].value_counts().to_dict() == {"a": 20, "bc": 20}
    assert set(merged.spots["source_label"].dropna()) == {"a", "b", "c"}
    few = label(cohort, OWN, min_spots=10)
    assert classes_of(few).loc["c", "note"] == "dropped: fewer than 10 spots"
    assert set(few.spots["label"].dropna()) == {"a", "b"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"drop": ["aa"]}, "task `t`: no spot is labelled `aa`; did you mean `a`"),
        ({"drop": [UNASSIGNED]}, "no spot is labelled `unassigned`"),
        ({"merge": {"x": ["a"], "y": ["a"]}}, "`a` is dropped or merged twice"),
        ({"min_spots": 13}, "only 1 classes have 13 spots or more"),
    ],
)
def test_bad_options_are_told(cohort, changes, words):
    with pytest.raises(InputError, match=words):
        label(cohort, OWN, **changes)


def table_labels(path) -> dict:
    return {
        "source": "table",
        "path": str(path),
        "column": "Subtype",
        "sample_column": "section",
        "spot_column": "barcode",
    }


def awkward(cohort, how: str) -> pd.DataFrame:
    """Half the spots of the first sample labelled, named in one of three ways."""
    adata = read_h5ad(cohort.samples[0])
    names = {
        "barcode": list(adata.obs_names),
        "no suffix": [name.removesuffix("-1") for name in adata.obs_names],
        "position": [
            f"{row}x{column}"
            for row, column in zip(adata.obs["array_row"], adata.obs["array_col"], strict=True)
        ],
    }[how]
    table = pd.DataFrame({"section": "heart-1", "barcode": names, "Subtype": ["u", "v"] * 20})
    return table.iloc[:30].sample(frac=1, random_state=0)


@pytest.mark.parametrize("how", ["barcode", "no suffix", "position"])
@pytest.mark.parametrize("suffix", ["tsv", "csv"])
def test_a_table_joins_by_any_of_the_usual_names(cohort, tmp_path, how, suffix):
    path = tmp_path / f"labels.{suffix}"
    awkward(cohort, how).to_csv(path, sep="\t" if suffix == "tsv" else ",", index=False)
    found = label(cohort, table_labels(path), min_spots=5)
    assert list(found.spots["label"][:30]) == ["u", "v"] * 15
    assert found.spots["label"][30:].isna().all()


def test_words_for_nothing_are_no_class(cohort, tmp_path):
    path = tmp_path / "labels.csv"
    table = awkward(cohort, "barcode")
    table.loc[table.index[:3], "Subtype"] = ["None", " nan", "NaN"]
    table.replace({"Subtype": {"u": " u "}}).to_csv(path, index=False)
    found = label(cohort, table_labels(path), min_spots=5)
    assert set(classes_of(found).query("kept").index) == {"u", "v"}


def test_a_table_that_matches_nothing_is_told(cohort, tmp_path):
    path = tmp_path / "labels.tsv"
    table = awkward(cohort, "barcode")
    table.assign(barcode="other").drop_duplicates("barcode").to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match=r"task `t`: .*labels\.tsv: 0 of 1 labels of sample"):
        label(cohort, table_labels(path))
    table.assign(section="elsewhere").to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match="task `t`: no spot of the cohort has a label"):
        label(cohort, table_labels(path))
    table.drop(columns="Subtype").to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match=r"no column `Subtype` \(it has section, barcode"):
        label(cohort, table_labels(path))


# Derived labels


@pytest.fixture(scope="module")
def gene_sets(cohort, tmp_path_factory):
    genes = list(read_h5ad(cohort.samples[0]).var_names[5:13])
    rows = [(f"set{i % 2}", gene) for i, gene in enumerate(genes)] + [("set0", "NOT-A-GENE")]
    path = tmp_path_factory.mktemp("sets") / "sets.tsv"
    pd.DataFrame(rows, columns=["set", "gene"]).to_csv(path, sep="\t", index=False)
    return path


def derived(path, margin=0.0, withhold=True) -> dict:
    return {
        "source": "module_scores",
        "gene_sets": str(path),
        "margin": margin,
        "withhold": withhold,
    }


def test_derived_labels_are_those_of_scanpy_and_the_same_each_time(cohort, gene_sets):
    import scanpy as sc

    first, again = (label(cohort, derived(gene_sets), min_spots=5, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first.spots, again.spots)
    adata = read_h5ad(cohort.samples[0])
    adata.X = adata.X.astype(np.float32)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    for name, genes in read_gene_sets(gene_sets).items():
        known = [gene for gene in genes if gene in adata.var_names]
        sc.tl.score_genes(adata, known, score_name=name, random_state=3)
        mine = first.spots[f"score_{name}"][:SPOTS]
        np.testing.assert_allclose(mine, adata.obs[name], atol=1e-4)
    expected = np.where(first.spots["score_set0"] > first.spots["score_set1"], "set0", "set1")
    assert (first.spots["source_label"] == expected).mean() > 0.99


def test_the_genes_of_the_labels_are_withheld_if_asked(cohort, gene_sets):
    found = label(cohort, derived(gene_sets), min_spots=5)
    genes = {gene for own in read_gene_sets(gene_sets).values() for gene in own}
    assert set(found.withheld()) == genes - {"NOT-A-GENE"}
    missing = found.genes.set_index("gene").loc["NOT-A-GENE"]
    assert not missing["in_panel"] and not missing["found"] and not missing["withheld"]
    open_ = label(cohort, derived(gene_sets, withhold=False), min_spots=5)
    assert open_.withheld() == []


@pytest.mark.parametrize("drop", [[], [UNASSIGNED]])
def test_spots_that_no_set_leads_at_take_no_part_and_are_counted(cohort, gene_sets, drop):
    found = label(cohort, derived(gene_sets, 0.2), min_spots=5, drop=drop)
    spots = found.spots
    unsure = spots["margin"] < 0.2
    assert 0 < unsure.sum() < len(spots)
    assert spots.loc[unsure, "label"].isna().all() and spots.loc[~unsure, "label"].notna().all()
    row = classes_of(found).loc[UNASSIGNED]
    assert row["n_spots"] == unsure.sum() and not row["kept"]
    assert row["note"] == "left out: no set leads by 0.2"


def test_unassigned_spots_are_a_class_if_merged(cohort, gene_sets):
    found = label(cohort, derived(gene_sets, 0.2), min_spots=5, merge={"unsure": [UNASSIGNED]})
    assert (found.spots["label"] == "unsure").equals(found.spots["margin"] < 0.2)
    assert UNASSIGNED not in classes_of(found).index


def test_a_narrow_lead_leaves_a_spot_unassigned():
    scores = pd.DataFrame({"x": [1.0, 0.50, 0.2], "y": [0.2, 0.52, 0.3], "z": [0.1, 0.0, 0.9]})
    assert list(highest_set(scores, 0.0)["label"]) == ["x", "y", "z"]
    found = highest_set(scores, 0.05)
    assert list(found["label"]) == ["x", UNASSIGNED, "z"]
    np.testing.assert_allclose(found["margin"], [0.8, 0.02, 0.6])


def test_bad_gene_sets_are_told(cohort, tmp_path):
    path = tmp_path / "sets.tsv"
    pd.DataFrame({"set": ["a"], "symbol": ["X"]}).to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match="has no column gene"):
        read_gene_sets(path)
    pd.DataFrame({"set": ["a"], "gene": ["X"]}).to_csv(path, sep="\t", index=False)
    with pytest.raises(InputError, match=r"has 1 gene set\. Fix: give two or more"):
        read_gene_sets(path)
    with pytest.raises(InputError, match="`a`: none of its 1 genes is in the panel"):
        found_genes(cohort, {"a": ["X"], "b": ["Y"]})


@pytest.mark.parametrize("name", ["compartment_markers", "neftel2019_states"])
def test_the_bundled_gene_sets_can_be_read_and_are_mostly_of_the_panel(name, repo, panel):
    sets = read_gene_sets(repo / f"resources/tasks/{name}.tsv")
    assert len(sets) >= 4
    for genes in sets.values():
        assert len(set(genes) & set(panel)) >= 0.6 * len(genes)
