"""Errors in sheets and label tables give a one-line message before any job starts."""

from pathlib import Path

import pytest

from sagefm.common.errors import InputError
from support.configs import assert_sentence, check, good_config, good_rows, write_sheet

TASK = {"cohort": "breast", "labels": {"source": "table", "path": "task.csv", "column": "class"}}


pytestmark = pytest.mark.usefixtures("good_files")


TABLES = {
    "a column missing": (
        "sample\tbarcode\tlabel\nbs1\tA\tx\n",
        ["labels.tsv has no column `spot`", "it has sample, barcode, label", "correct the path"],
    ),
    "other samples": (
        "sample\tspot\tlabel\nother\tA\tx\n",
        ["names no sample of cohort `breast`", "it names `other`, the sheet `bs1`"],
    ),
    "a header alone": ("sample\tspot\tlabel\n", ["it names none at all"]),
    "nothing": ("", ["labels.tsv cannot be read as a table"]),
    "a spot twice": (
        "sample\tspot\tlabel\nbs1\tA\tx\nbs1\t A\ty\n",
        ["names spot `A` of sample `bs1` more than once. Fix: keep one line a spot"],
    ),
    "a sample in capitals": (
        "sample\tspot\tlabel\nbs1\tA\tx\nBS2\tA\ty\n",
        ["samples `BS2` and `bs2` differ only in capitals"],
    ),
    "two columns of labels": (
        "sample\tspot\tlabel\tlabel\nbs1\tA\tx\ty\n",
        ["labels.tsv has two columns `label`. Fix: keep one"],
    ),
    "a cell too many": (
        "sample\tspot\tlabel\nbs1\tA\tx\nbs2\tA\tx\ty\n",
        ["cannot be read as a table (line 3 has 4 cells, but the header has 3)"],
    ),
    "a quotation mark alone": (
        'sample\tspot\tlabel\nbs1\tA\t"x\n',
        ["labels.tsv has a quotation mark that is not closed in its row. Fix: close it"],
    ),
    "two quotation marks alone": (
        'sample\tspot\tlabel\nbs1\tA\t"x\nbs1\tB\t"x\n',
        ["labels.tsv has a quotation mark that is not closed in its row. Fix: close it"],
    ),
    "bytes of 0": ("sample\tspot\tlabel\nbs1\tA\tx\0y\n", ["labels.tsv", "bytes of 0"]),
    "columns in capitals": (
        "Sample\tspot\tlabel\nbs1\tA\tx\n",
        ["has no column `sample` (it has Sample, spot, label). Fix: write `Sample` as `sample`"],
    ),
    "semicolons": (
        "sample;spot;label\nbs1;A;x\n",
        ["(it has sample;spot;label). Fix: separate columns by tabs"],
    ),
    "commas": ("sample,spot,label\nbs1,A,x\n", ["no column `sample` (it has sample,spot,label)"]),
}


@pytest.mark.parametrize("case", TABLES)
def test_a_label_table_that_cannot_serve_ends_in_one_sentence(case):
    content, words = TABLES[case]
    Path("labels.tsv").write_text(content)
    config = good_config()
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, ["config, at cohorts.breast.labels: ", *words])


def test_bytes_that_are_no_text_end_in_one_sentence():
    Path("labels.tsv").write_bytes(b"\xff\xfe\x00sample")
    config = good_config()
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    with pytest.raises(InputError, match=r"labels.tsv cannot be read as a table: it is not text"):
        check(config)


def test_a_tasks_table_has_a_column_for_each():
    Path("task.csv").write_text("sample,spot,class\nbs2,A,x\n")
    labels = TASK["labels"] | {"spot_column": "class"}
    with pytest.raises(
        InputError, match=r"are in columns `sample`, `class` and `class`. Fix: name"
    ):
        check(good_config() | {"tasks": {"t": TASK | {"labels": labels}}})


@pytest.mark.parametrize(
    ("drop", "words"), [("Tumour", "did you mean `tumour`"), ("fat", "there are stroma, tumour")]
)
def test_labels_that_are_not_scored_are_there(drop, words):
    Path("labels.tsv").write_text("sample\tspot\tlabel\nbs1\tA\ttumour\nbs1\tB\tstroma\n")
    config = good_config() | {"clustering": {"cohorts": ["breast"], "drop": ["undetermined"]}}
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    check(config)
    config["clustering"]["drop"] = ["stroma", drop]
    with pytest.raises(InputError, match=f"clustering.drop: no spot is labelled `{drop}`; {words}"):
        check(config)


def test_a_tasks_table_goes_by_its_own_columns():
    config = good_config() | {"tasks": {"t": TASK}}
    Path("task.csv").write_text("sample,spot,class\nbs2,A,x\n")
    check(config)
    Path("task.csv").write_text("sample,spot,label\nbs2,A,x\n")
    with pytest.raises(InputError, match=r"tasks.t.labels.path: task.csv has no column `class`"):
        check(config)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"drop": ["tumor"]}, ["no spot is labelled `tumor`; did you mean `tumour`?"]),
        ({"merge": {"rest": ["fat"]}}, ["no spot is labelled `fat`; there are stroma, tumour."]),
        (
            {"drop": ["stroma"], "merge": {"rest": ["stroma"]}},
            ["`stroma` is dropped or merged"],
        ),
    ],
)
@pytest.mark.parametrize("source", ["cohort", "table"])
def test_a_class_that_no_spot_has_ends_in_one_sentence(choice, words, source):
    table = "sample,spot,class\nbs1,A,tumour\nbs2,A,stroma\nother,A,fat\n"
    Path("task.csv").write_text(table)
    Path("labels.tsv").write_text(table.replace(",", "\t").replace("class", "label"))
    config = good_config()
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    config["tasks"] = {"t": (TASK if source == "table" else {"cohort": "breast"}) | choice}
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, ["config, at tasks.t: ", *words])


@pytest.mark.parametrize("source", ["cohort", "table"])
def test_classes_are_trimmed_and_words_for_nothing_are_none(source):
    Path("task.csv").write_text("sample,spot,class\nbs1 ,A,  a   b\nbs2,A,None\nbs2,B,c\n")
    Path("labels.csv").write_text(Path("task.csv").read_text().replace("class", "label"))
    config = good_config()
    config["cohorts"]["breast"]["labels"] = "labels.csv"
    task = TASK if source == "table" else {"cohort": "breast"}
    config["tasks"] = {"t": task | {"drop": ["a b", "c"]}}
    check(config)
    config["tasks"]["t"]["drop"] = ["None"]
    with pytest.raises(InputError, match="no spot is labelled `None`; there are a b, c"):
        check(config)


def test_classes_that_differ_in_capitals_alone_are_refused():
    text = "sample\tspot\tlabel\nbs1\tA\tTumour\nbs1\tB\ttumour\n"
    Path("labels.tsv").write_text(text)
    config = good_config()
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    with pytest.raises(InputError, match="classes `Tumour` and `tumour` differ only in capitals"):
        check(config)


@pytest.mark.parametrize(
    ("content", "choice", "words"),
    [
        ("name\tgene\nAC\tA\n", {}, ["t.labels.gene_sets: sets.tsv has no column `set`"]),
        ("set\tgene\nAC\tA\nMES\tB\n", {"drop": ["MESS"]}, ["t: no spot is labelled `MESS`"]),
        ("set\tgene\nAC\tA\nMES\tB\n", {"merge": {"x": ["OPC"]}}, ["there are AC, MES, unass"]),
    ],
)
def test_gene_sets_that_cannot_make_a_tasks_labels_end_in_one_sentence(content, choice, words):
    Path("sets.tsv").write_text("set\tgene\nAC\tA\nMES\tB\n")
    task = {"cohort": "breast", "labels": {"source": "module_scores", "gene_sets": "sets.tsv"}}
    config = good_config() | {"tasks": {"t": task}}
    check(config | {"tasks": {"t": task | {"merge": {"x": ["AC", "unassigned"]}}}})
    Path("sets.tsv").write_text(content)
    with pytest.raises(InputError) as error:
        check(config | {"tasks": {"t": task | choice}})
    assert_sentence(error.value, ["config, at tasks.", *words])


def test_too_few_patients_for_a_split_end_in_one_sentence():
    write_sheet(good_rows()[:2])
    with pytest.raises(InputError) as error:
        check(good_config())
    words = ["models.paper.pretrain_on: the split has no train sample: 2 patients", "held_out_pati"]
    assert_sentence(error.value, words)


def test_sections_deposited_twice_count_once_in_the_check_of_a_split():
    Path("twins.tsv").write_text("sample\tduplicate_of\ns3\ts2\n")
    with pytest.raises(InputError, match="no train sample: 2 patients"):
        check(good_config() | {"split": {"duplicates": "twins.tsv"}})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a\tb\ns3\ts2\n", "twins.tsv has no column `sample` .it has a, b."),
        (b"sample\ns3\n", "twins.tsv has no column `duplicate_of`"),
        (b"", "twins.tsv cannot be read as a table"),
        (b"\xff\x00", "twins.tsv cannot be read as a table: it is not text in UTF-8"),
        (b"sample\tduplicate_of\ns3\t\n", "twins.tsv has a line that names only `s3`"),
        (b"sample\tduplicate_of\nS3\ts2\n", "twins.tsv: samples `S3` and `s3` differ only in"),
    ],
)
def test_a_bad_table_of_duplicates_ends_in_one_sentence(content, words):
    Path("twins.tsv").write_bytes(content)
    with pytest.raises(InputError, match=f"^config, at split.duplicates: {words}"):
        check(good_config() | {"split": {"duplicates": "twins.tsv"}})


# Genes

PAIRS = "input\toutput\nA\tB\n"


@pytest.mark.parametrize(
    ("pairs", "screen", "words"),
    [
        ("input\toutput\nA\tW\n", {}, ["perturbation.pairs.mine: genes.tsv: `W` (line 2): not"]),
        (
            "input\nA\n",
            {},
            ["pairs.mine: genes.tsv: has no column `output` (it has input). Fix: add it"],
        ),
        (PAIRS, {"inputs": "genes.txt"}, ["screen.inputs: genes.txt: W not in the panel"]),
        (PAIRS, {"outputs": "genes.txt"}, ["screen.outputs: genes.txt: W not in the panel"]),
    ],
)
def test_genes_that_the_panel_lacks_end_in_one_sentence(pairs, screen, words):
    Path("panel.txt").write_text("A\nB\n")
    Path("genes.tsv").write_text(PAIRS)
    Path("genes.txt").write_text("A\nB\n")
    config = good_config() | {"screen": screen}
    config["perturbation"] = {"pairs": {"mine": {"source": "table", "path": "genes.tsv"}}}
    check(config)
    Path("genes.tsv").write_text(pairs)
    Path("genes.txt").write_text("A\nW\n")
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, ["config, at ", *words])


# Arrays


def breast_of(technology: str) -> None:
    rows = [row | {"sample": f"b{row['sample']}"} for row in good_rows()]
    write_sheet([rows[0], rows[1] | {"technology": technology}], "breast.tsv")


@pytest.mark.parametrize(
    ("technology", "words"),
    [
        ("Visum", ["technology `Visum`", "graph `rings2` of model `other`", "mean `Visium`?"]),
        ("", ["no technology", "there are Visium, Visium HD, Spatial Transcriptomics"]),
    ],
)
def test_an_unknown_array_under_a_grid_ends_in_one_sentence(technology, words):
    breast_of(technology)
    with pytest.raises(InputError) as error:
        check(good_config())
    assert_sentence(error.value, ["cohort `breast`, sample `bs2`: the sheet gives", *words])


@pytest.mark.parametrize(
    ("chapter", "entry", "met"),
    [
        ("imputation", {"cohorts": ["breast"]}, False),  # of the first model alone
        ("imputation", {"cohorts": ["breast"], "models": ["other"]}, True),
        ("imputation", {"complete": ["breast"], "models": ["other"]}, True),
        ("clustering", {"cohorts": ["breast"]}, True),
        # The costs of a task's cohort are of all its representations, whichever the task compares.
        ("tasks", {"t": {**TASK, "representations": ["sagefm-paper"]}}, True),
        ("tasks", {"t": TASK}, True),
    ],
)
def test_only_sections_that_a_model_meets_need_an_array(chapter, entry, met):
    breast_of("MERFISH")
    Path("task.csv").write_text("sample,spot,class\nbs2,A,x\n")
    config = good_config() | {"representations": {}, "recovery": {"cohorts": ["atlas"]}}
    check(config)
    config[chapter] = entry
    if not met:
        check(config)
        return
    with pytest.raises(InputError, match="technology `MERFISH`"):
        check(config)
