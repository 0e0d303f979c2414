"""Gene pairs: each source is read, and pairs that a cohort cannot test are dropped or refused."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad
from sagefm.common.io import read_table
from sagefm.config.schemas import load_schema
from sagefm.perturbation.pair_sources import COLUMNS, read_gmt, read_pairs
from sagefm.perturbation.pairs import pairs_of_cohort
from sagefm.sections.gene_summary import GeneSums
from sagefm.sections.genes import read_panel
from support import small
from support.helpers import REPO

FOLDER = REPO / "resources/perturbation"
HALLMARK = {
    "source": "gene_sets",
    "gene_sets": FOLDER / "hallmark_v2023.1.gmt",
    "drivers": FOLDER / "hallmark_drivers.tsv",
}
PANEL = read_panel(REPO / "resources/panel/sagefm_genes.txt")


def liana_consensus() -> set[tuple[str, str]]:
    """Ligand-receptor pairs of the package's default resource, complexes taken apart."""
    from liana.resource import select_resource

    pairs = set()
    for ligand, receptor in select_resource("consensus").to_numpy():
        pairs |= set(product(ligand.split("_"), receptor.split("_")))
    return pairs


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Three real patches: their files, and their counts as one dense table."""
    sections = small.write_sections(tmp_path_factory.mktemp("cohort"))
    paths = [section.counts_path for section in sections]
    tables = [read_h5ad(path) for path in paths]
    dense = np.concatenate([table.X.toarray() for table in tables])
    return paths, pd.DataFrame(dense, columns=tables[0].var_names)


def write(path, text):
    path.write_text(text.replace(" ", "\t"))
    return path


def test_pairs_of_a_cohort_carry_detection_and_the_others_a_reason():
    detection = pd.DataFrame(
        {"gene": list("ABCD"), "detected": [0.5, 0.1, 0.02, 0.0], "mean": [2.0, 1.0, 0.1, 0.0]}
    )
    rows = [
        ("A", "B", 1, "one"),
        ("B", "A", -1, "one"),
        ("A", "B", 1, "two"),
        ("C", "A", 1, "one"),
        ("A", "D", 1, "one"),
        ("A", "A", 1, "one"),
        ("A", "X", 1, "one"),
        ("X", "X", 1, "one"),
        ("C", "B", 0, "one"),
        ("D", "C", 1, "one"),
    ]
    pairs = pd.DataFrame(rows, columns=COLUMNS, index=range(100, 110))
    kept, dropped = pairs_of_cohort(pairs, detection, list("ABCD"), min_detected=0.1)
    columns = ["input_detected", "output_detected", "input_mean", "output_mean"]
    assert kept.columns.tolist() == [*COLUMNS, *columns]
    assert kept.to_numpy().tolist() == [
        ["A", "B", 1, "one", 0.5, 0.1, 2.0, 1.0],  # at the threshold counts as detected
        ["B", "A", -1, "one", 0.1, 0.5, 1.0, 2.0],
    ]
    rare = "detected in fewer than 10 % of the spots"
    assert dropped[["input", "output", "reason"]].to_numpy().tolist() == [
        ["A", "B", "duplicate"],
        ["C", "A", rare],
        ["A", "D", rare],
        ["A", "A", "input equals output"],
        ["A", "X", "not in the panel"],
        ["X", "X", "not in the panel"],
        ["C", "B", "no sign"],
        ["D", "C", rare],
    ]
    assert dropped["output_detected"].isna().tolist() == [False] * 4 + [True] * 2 + [False] * 2
    assert (len(kept), len(dropped)) == (2, 8)

    with pytest.raises(InputError) as caught:
        pairs_of_cohort(pairs[2:], detection, list("ABCD"), min_detected=0.9)
    sentence = str(caught.value)
    assert sentence.startswith("none of the 8 gene pairs can be tested on this cohort (")
    assert "2 not in the panel" in sentence
    assert "4 detected in fewer than 90 %" in sentence
    assert "lower `min_detected`" in sentence


def test_a_gene_is_as_common_as_in_the_sections_that_measured_it():
    """One section lacks B, which every spot of the other detects."""
    counts = [sp.csr_matrix(rows) for rows in ([[1, 1, 0], [1, 3, 0]], [[1, 0, 1]] * 8)]
    measured = np.array([[True, True, True], [True, False, True]])
    sums = GeneSums.of(zip("ab", counts, measured, strict=True), "ABC", "log1p")
    detection = sums.summary()[["detected", "mean"]].rename_axis("gene").reset_index()
    pairs = pd.DataFrame([("A", "B", 1, ""), ("A", "C", 1, "")], columns=COLUMNS)
    kept, dropped = pairs_of_cohort(pairs, detection, list("ABC"), min_detected=0.9)
    assert kept[["output", "output_detected"]].to_numpy().tolist() == [["B", 1.0]]
    assert kept["output_mean"].item() == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert dropped[["output", "output_detected"]].to_numpy().tolist() == [["C", 0.8]]


def test_every_subunit_of_a_complex_makes_a_pair():
    pairs = read_pairs({"source": "liana", "resource": "consensus"}, PANEL)
    assert set(map(tuple, pairs[["input", "output"]].to_numpy())) == liana_consensus()
    assert not pairs[["input", "output"]].stack().str.contains("_").any()
    assert set(pairs["sign"]) == {1}
    assert set(pairs["group"]) == {"consensus"}
    receptors = pairs.loc[pairs["input"] == "TGFB1", "output"]
    assert {"TGFBR1", "TGFBR2"} <= set(receptors)  # of one complex, both kept
    other = read_pairs({"source": "liana", "resource": "cellphonedb"}, PANEL)
    assert len(other) != len(pairs)


def test_the_schema_names_lianas_resources():
    from liana.resource import show_resources

    config = load_schema("config")["properties"]["perturbation"]["properties"]
    resource = config["pairs"]["additionalProperties"]["properties"]["resource"]
    assert resource["enum"] == [None, *sorted(show_resources())]


def test_a_driver_goes_with_every_gene_of_its_set_but_itself():
    pairs = read_pairs(HALLMARK, PANEL)
    sets, drivers = read_gmt(HALLMARK["gene_sets"]), read_table(HALLMARK["drivers"])
    assert len(sets) == 50
    assert len(pairs) == sum(len(set(sets[s]) - {g}) for g, s in drivers[["input", "set"]].values)
    notch = pairs[(pairs["input"] == "JAG1")]
    assert set(notch["output"]) == set(sets["HALLMARK_NOTCH_SIGNALING"]) - {"JAG1"}
    assert set(notch["group"]) == {"HALLMARK_NOTCH_SIGNALING"}
    assert set(pairs["sign"]) == {1}


def test_the_bundled_drivers_are_ligands_of_what_they_drive():
    sets, drivers = read_gmt(HALLMARK["gene_sets"]), read_table(HALLMARK["drivers"])
    assert not drivers["input"].duplicated().any()
    assert set(drivers["input"]) <= set(PANEL)
    consensus = liana_consensus()
    receptors = {
        "TNFA_SIGNALING_VIA_NFKB": "TNFRSF1A",
        "TGF_BETA_SIGNALING": "TGFBR1",
        "IL6_JAK_STAT3_SIGNALING": "IL6R",
        "IL2_STAT5_SIGNALING": "IL2RA",
        "INTERFERON_GAMMA_RESPONSE": "IFNGR1",
        "INTERFERON_ALPHA_RESPONSE": "IFNAR1",
        "NOTCH_SIGNALING": "NOTCH1",
        "HEDGEHOG_SIGNALING": "PTCH1",
        "WNT_BETA_CATENIN_SIGNALING": "FZD1",
    }
    for driver, name, reason in drivers.itertuples(index=False):
        assert (driver, receptors[name.removeprefix("HALLMARK_")]) in consensus
        assert ("itself in the set" in reason) == (driver in sets[name])


def test_tf_targets_take_the_sign_of_the_weight(tmp_path):
    text = "source,target,weight,references\nSTAT1,IRF1,1,12;13\nMYC,CDKN1A,-0.5,\nTP53,MDM2,,\n"
    (tmp_path / "tf.csv").write_text(text)
    pairs = read_pairs({"source": "tf_targets", "path": tmp_path / "tf.csv"}, PANEL)
    assert pairs.to_numpy().tolist() == [
        ["STAT1", "IRF1", 1, ""],
        ["MYC", "CDKN1A", -1, ""],
        ["TP53", "MDM2", 0, ""],
    ]
    (tmp_path / "tf.tsv").write_text(text.replace(",", "\t"))
    other = read_pairs({"source": "tf_targets", "path": tmp_path / "tf.tsv"}, PANEL)
    pd.testing.assert_frame_equal(other, pairs)


def test_a_users_table_may_leave_sign_and_group_out(tmp_path):
    path = tmp_path / "short.tsv"
    path.write_text("input\toutput\nTGFB1\tSERPINE1\n\n TGFB1\tSMAD7 \n")
    assert read_pairs({"source": "table", "path": path}, PANEL).to_numpy().tolist() == [
        ["TGFB1", "SERPINE1", 1, ""],
        ["TGFB1", "SMAD7", 1, ""],
    ]
    text = "group note sign output input\nfibrosis x -1 SERPINE1 TGFB1\n\t\t1 SMAD7 TGFB1\n"
    path = write(tmp_path / "full.tsv", text)
    assert read_pairs({"source": "table", "path": path}, PANEL).to_numpy().tolist() == [
        ["TGFB1", "SERPINE1", -1, "fibrosis"],
        ["TGFB1", "SMAD7", 1, ""],
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input output\nTGFB1 SMAD7\n\nTGFB1 SMAD7\n", ("line 4 (TGFB1 -> SMAD7)", "earlier line")),
        ("input output\nTGFB1 TGFB1\n", ("line 2 (TGFB1 -> TGFB1)", "its own output")),
        ("input output sign\nTGFB1 SMAD7 2\n", ("line 2", "1 or -1")),
        ("input output sign\nTGFB1 SMAD7 up\n", ("line 2", "1 or -1")),
        ("input output\nTGFB1 SMAD7\nTGFB SMAD3\n", ("`TGFB` (line 3)", "correct the symbols")),
        (
            "input output\nTGFB1 SMAD7\na b\nc d\ne f\n",
            ("`a` (line 3), `b` (line 3), `c` (line 4), `d` (line 4), `e` (line 5) and 1 more",),
        ),
        ("input output\nTgfb1 Smad7\n", ("none of its 2 genes", "`Tgfb1`", "human gene symbols")),
        ("input target\nTGFB1 SMAD7\n", ("has no column `output`", "input, target")),
        ("input output\nTGFB1 \n", ("line 2", "give both `input` and `output`")),
        ("input output\n", ("has no rows",)),
        ("", ("cannot be read as a table",)),
        ("input output\nTGFB1 SMAD7 1\n", ("line 2 has 3 cells", "the header has 2")),
        ("input output sign\nTGFB1 SMAD7 \n", ("line 2", "1 or -1")),
        ("input output\nTGFB1 SMAD7 SMAD3 SMAD4\nx y z z z z\n", ("cannot be read as a table",)),
    ],
)
def test_a_bad_table_ends_in_one_sentence(tmp_path, text, words):
    path = write(tmp_path / "pairs.tsv", text)
    refused({"source": "table", "path": path}, path, *words)


def test_bad_curated_files_are_named(tmp_path):
    path = write(tmp_path / "tf.tsv", "source target weight\nSTAT1 IRF1 up\n")
    refused({"source": "tf_targets", "path": path}, path, "line 2 (STAT1 -> IRF1)", "not a number")
    path = write(tmp_path / "tf.csv", "source target weight\n")
    refused({"source": "tf_targets", "path": path}, path, "has no column `source`")
    path = write(tmp_path / "drivers.tsv", "input set reason\nTNF HALLMARK_HYPOXI why\n")
    hint = "did you mean `HALLMARK_HYPOXIA`?"
    refused({**HALLMARK, "drivers": path}, path, "line 2", "`HALLMARK_HYPOXI`", hint)
    path = write(tmp_path / "sets.gmt", "ONE about A B\nTWO about\n")
    refused({**HALLMARK, "gene_sets": path}, path, "line 2", "has no gene")
    path = tmp_path / "absent.gmt"
    refused({**HALLMARK, "gene_sets": path}, path, "cannot be read")


def refused(entry, path, *words):
    with pytest.raises(InputError) as caught:
        read_pairs(entry, PANEL)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    for word in words:
        assert word in sentence
