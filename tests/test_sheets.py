"""Config and sheets: what is good passes, and all that is bad ends in one sentence."""

import copy
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from snakemake.utils import validate

from sagefm.errors import InputError
from sagefm.sheets import (
    SCHEMAS,
    check_config,
    check_references,
    load_schema,
    read_label_files,
    read_samples,
)

COLUMNS = ["sample", "source", "path_or_id", "organ", "patient", "technology"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with two sections (empty files: nothing is read here) and a panel."""
    monkeypatch.chdir(tmp_path)
    for name in ("one.h5ad", "two.h5ad", "panel.txt", "labels.tsv", "release.pt"):
        (tmp_path / name).touch()
    return tmp_path


def good_config() -> dict:
    return {
        "run": "test",
        "panel": "panel.txt",
        "cohorts": {"atlas": {"samples": "atlas.tsv"}, "breast": {"samples": "breast.tsv"}},
        "graphs": {"knn15": {"kind": "knn_clique"}, "rings2": {"kind": "grid", "rings": 2}},
        "models": {
            "paper": {"pretrain_on": ["atlas"]},
            "other": {
                "pretrain_on": ["atlas"],
                "graph": "rings2",
                "training": {"epochs": 3},
                "compute": {"workers": 2},
            },
        },
        "representations": {"cohorts": ["breast"]},
        "recovery": {"cohorts": ["atlas", "breast"]},
    }


def good_rows() -> list[dict]:
    return [
        dict(zip(COLUMNS, row, strict=True))
        for row in (
            ("s1", "local", "one.h5ad", "Breast", "P1", "Visium"),
            ("s2", "local", "two.h5ad", "Heart", "", "Visium"),
        )
    ]


def write_sheet(rows: list[dict], path="atlas.tsv") -> str:
    pd.DataFrame(rows, columns=COLUMNS if not rows else None).to_csv(path, sep="\t", index=False)
    return path


def check(config: dict):
    """As the Snakefile does."""
    check_config(config)
    config = copy.deepcopy(config)
    validate(config, str(SCHEMAS / "config.schema.yaml"))
    sheets = {name: read_samples(c["samples"], name) for name, c in config["cohorts"].items()}
    check_references(config, sheets)
    return config


@pytest.fixture
def config() -> dict:
    write_sheet(good_rows())
    write_sheet([row | {"sample": f"b{row['sample']}"} for row in good_rows()], "breast.tsv")
    return good_config()


def test_a_good_config_passes_and_its_defaults_are_filled(config):
    filled = check(config)
    assert filled["models"]["paper"]["graph"] == "knn15"
    assert filled["models"]["paper"]["widths"] == [1024, 512, 512, 512, 1024]
    assert filled["models"]["other"]["training"]["epochs"] == 3
    assert filled["models"]["other"]["training"]["batch_size"] == 64
    assert filled["models"]["other"]["compute"]["device"] == "auto"
    assert filled["qc"]["min_spots"] == 15
    assert filled["harmonise"]["duplicates"] == "first"


def test_the_demos_config_passes(repo, monkeypatch):
    monkeypatch.chdir(repo)
    check(yaml.safe_load(Path("config/config.yaml").read_text()))


def change(config: dict, path: str, value):
    """Set a dotted key, making the tables on the way; `...` as value removes it."""
    *parents, last = path.split("/")
    for key in parents:
        config = config.setdefault(key, {})
    if value is ...:
        del config[last]
    else:
        config[last] = value


SHA = "0" * 64
TABLE = {"cohort": "breast", "labels": {"source": "table", "path": "labels.tsv"}}
BAD_CONFIGS = {
    # unknown keys and typos, at every depth
    "typo at the top": ("modles", {}, ["unknown key `modles`", "did you mean `models`"]),
    "unknown at the top": ("zzz", 1, ["at the top level", "unknown key `zzz`", "known are run"]),
    "typo in a cohort": (
        "cohorts/atlas/sampels",
        "x",
        ["cohorts.atlas", "`sampels`", "did you mean `samples`"],
    ),
    "typo in qc": ("qc/min_count", 1, ["at qc", "`min_count`", "did you mean `min_counts`"]),
    "typo in harmonise": ("harmonise/duplicate", "sum", ["did you mean `duplicates`"]),
    "typo in a graph": ("graphs/rings2/ring", 1, ["graphs.rings2", "did you mean `rings`"]),
    "typo in split": ("split/vaildation", 0.1, ["at split", "did you mean `validation`"]),
    "typo in a model": ("models/paper/pretrained_on", [], ["did you mean `pretrain_on`"]),
    "typo in training": (
        "models/paper/training/epoch",
        3,
        ["models.paper.training", "`epoch`", "did you mean `epochs`"],
    ),
    "typo in compute": ("models/other/compute/worker", 1, ["did you mean `workers`"]),
    "typo in released": (
        "models/paper/released",
        {"paht": "x"},
        ["models.paper.released", "did you mean `path`"],
    ),
    "typo in recovery": ("recovery/cohort", [], ["at recovery", "did you mean `cohorts`"]),
    "typo in representations": ("representations/component", 9, ["did you mean `components`"]),
    "typo in perturbation": ("perturbation/spot", 9, ["did you mean `spots`"]),
    # missing
    "no run": ("run", ..., ["`run` is missing"]),
    "no models": ("models", ..., ["`models` is missing"]),
    "a cohort without a sheet": ("cohorts/atlas", {}, ["cohorts.atlas", "`samples` is missing"]),
    "a model without data": ("models/paper", {}, ["models.paper", "`pretrain_on` is missing"]),
    "a graph without a kind": ("graphs/rings2", {"rings": 1}, ["`kind` is missing"]),
    "no cohort at all": ("cohorts", {}, ["at cohorts"]),
    "no cohort to train on": ("models/paper/pretrain_on", [], ["models.paper.pretrain_on"]),
    # wrong types and values
    "run with a slash": ("run", "a/b", ["at run", "'a/b'"]),
    "run with a space": ("run", "a b", ["at run", "'a b'"]),
    "run as a number": ("run", 5, ["at run", "`5` is given, but text is wanted"]),
    "model with a slash": ("models/a b", {"pretrain_on": ["atlas"]}, ["at models", "'a b'"]),
    "cohorts as a list": ("cohorts", ["atlas"], ["at cohorts", "but a table of keys is wanted"]),
    "empty chapter": ("qc", None, ["at qc", "nothing is given, but a table of keys"]),
    "text for a number": ("qc/min_counts", "ten", ["qc.min_counts", "`ten` is given, but a whole"]),
    "truth for a number": ("qc/min_spots", True, ["qc.min_spots", "`True` is given, but a whole"]),
    "text for truth": ("qc/in_tissue", "yes", ["qc.in_tissue", "`yes` is given, but true or"]),
    "negative": ("qc/min_counts", -1, ["qc.min_counts", "-1"]),
    "share over 1": ("qc/max_mito_share", 1.5, ["qc.max_mito_share", "1.5"]),
    "no validation": ("split/validation", 0, ["split.validation", "0"]),
    "half an epoch": ("models/paper/training/epochs", 0.5, ["training.epochs", "0.5"]),
    "zero width": ("models/paper/widths", [16, 0], ["models.paper.widths.1", "0"]),
    "one cohort, no list": ("models/paper/pretrain_on", "atlas", ["`atlas` is given, but a list"]),
    "unknown rule for duplicates": ("harmonise/duplicates", "mean", ["one of 'first', 'sum'"]),
    "unknown kind": ("graphs/rings2/kind", "knn", ["graphs.rings2.kind", "'knn_clique'"]),
    "unknown network": ("models/paper/network", "gat", ["models.paper.network", "'two_channel'"]),
    "unknown normalisation": ("models/paper/normalisation", "cpm", ["one of 'log1p'"]),
    "unknown order": ("models/paper/training/order", "random", ["one of 'shuffled'"]),
    "unknown device": ("models/paper/compute/device", "gpu", ["compute.device", "'gpu'"]),
    # what leads nowhere
    "unknown cohort of a model": (
        "models/paper/pretrain_on",
        ["atlsa"],
        ["models.paper.pretrain_on", "no cohort `atlsa`", "did you mean `atlas`"],
    ),
    "unknown cohort of recovery": (
        "recovery/cohorts",
        ["gbm"],
        ["recovery.cohorts", "no cohort `gbm`", "there are atlas, breast"],
    ),
    "unknown cohort of perturbation": (
        "perturbation/cohorts",
        ["brest"],
        ["perturbation.cohorts", "did you mean `breast`"],
    ),
    "unknown model of perturbation": (
        "perturbation/models",
        ["papers"],
        ["perturbation.models", "no model `papers`", "did you mean `paper`"],
    ),
    "pairs without a source": ("perturbation/pairs/p", {}, ["pairs.p", "`source` is missing"]),
    "pairs of an unknown source": (
        "perturbation/pairs/p/source",
        "omnipath",
        ["pairs.p.source", "`omnipath` is not one of 'liana'"],
    ),
    "pairs of liana without a resource": (
        "perturbation/pairs/p/source",
        "liana",
        ["perturbation.pairs.p", "needs `resource`"],
    ),
    "pairs with a key their source does not read": (
        "perturbation/pairs/p",
        {"source": "liana", "resource": "consensus", "path": "x.tsv"},
        ["source `liana` does not read `path`"],
    ),
    "pairs from two places": (
        "perturbation/pairs/p",
        {"source": "tf_targets", "path": "x.csv", "url": "https://x.org/y.csv"},
        ["perturbation.pairs.p", "either `path` or `url`"],
    ),
    "a checksum of no address": (
        "perturbation/pairs/p",
        {"source": "tf_targets", "path": "x.csv", "sha256": SHA},
        ["`sha256` is of a `url`"],
    ),
    "pairs of a file that is not there": (
        "perturbation/pairs/p",
        {"source": "table", "path": "nowhere.tsv"},
        ["perturbation.pairs.p.path", "nowhere.tsv does not exist"],
    ),
    "gene sets without their drivers": (
        "perturbation/pairs/p",
        {"source": "gene_sets", "gene_sets": "x.gmt"},
        ["source `gene_sets` needs `drivers`"],
    ),
    "a named pair of three": (
        "perturbation/named",
        [["A", "B", "C"]],
        ["perturbation.named.0"],
    ),
    "unknown cohort of representations": (
        "representations/cohorts",
        ["brest"],
        ["representations.cohorts", "did you mean `breast`"],
    ),
    "unknown graph": ("models/paper/graph", "knn51", ["models.paper.graph", "no graph `knn51`"]),
    "unknown patient": (
        "models/paper/held_out_patients",
        ["P9"],
        ["models.paper.held_out_patients", "no patient `P9`"],
    ),
    "no such panel": ("panel", "genes.txt", ["at panel", "genes.txt does not exist"]),
    "no such labels": ("cohorts/breast/labels", "x.tsv", ["cohorts.breast.labels", "x.tsv"]),
    "no such aliases": ("harmonise/aliases", "x.tsv", ["harmonise.aliases", "does not exist"]),
    "no such duplicates": ("split/duplicates", "x.tsv", ["split.duplicates", "does not exist"]),
    "no such sheet": ("cohorts/atlas/samples", "x.tsv", ["x.tsv", "correct cohorts.atlas.samples"]),
    # released checkpoints
    "neither path nor url": (
        "models/paper/released",
        {},
        ["give either `path`, `url` or `git_lfs`"],
    ),
    "path and url": (
        "models/paper/released",
        {"path": "release.pt", "url": "https://example.org/a.pt", "sha256": SHA},
        ["models.paper.released", "give either `path`, `url` or `git_lfs`"],
    ),
    "url without checksum": (
        "models/paper/released",
        {"url": "https://example.org/a.pt"},
        ["models.paper.released", "a `url` needs its `sha256`"],
    ),
    "bad checksum": (
        "models/paper/released",
        {"url": "https://example.org/a.pt", "sha256": "abc"},
        ["models.paper.released.sha256", "'abc'"],
    ),
    "no url": (
        "models/paper/released",
        {"url": "example.org/a.pt", "sha256": SHA},
        ["models.paper.released.url", "'example.org/a.pt'"],
    ),
    "no such checkpoint": (
        "models/paper/released",
        {"path": "lost.pt"},
        ["models.paper.released.path", "lost.pt does not exist"],
    ),
    # representations, clustering, tasks
    "unknown method": (
        "representations/methods",
        {"pac": {}},
        ["representations.methods.pac", "no representation method `pac`", "did you mean `pca`"],
    ),
    "unknown option": (
        "representations/methods",
        {"mine": {"method": "pca", "component": 5}},
        ["representations.methods.mine", "`component`", "did you mean `components`"],
    ),
    "an option of another type": (
        "representations/methods",
        {"pca": {"components": "many"}},
        ["`components` is 'many'", "takes a whole number"],
    ),
    "an option of no choice": (
        "representations/methods",
        {"pca": {"normalisation": "log"}},
        ["`normalisation` is 'log'", "'log1p' or 'log1p_cp10k'"],
    ),
    "a method named as a model": (
        "representations/methods",
        {"sagefm-paper": {"method": "pca"}},
        ["representations.methods", "sagefm-paper"],
    ),
    "a method's unknown cohort": (
        "representations/methods",
        {"pca": {"cohorts": ["brest"]}},
        ["methods.pca.cohorts", "did you mean `breast`"],
    ),
    "maps of nothing": (
        "clustering",
        {"cohorts": ["breast"], "maps": ["moffa"]},
        ["clustering.maps", "no representation `moffa`", "did you mean `mofa`"],
    ),
    "clusters of no cohort": ("clustering/cohorts", ["x"], ["clustering.cohorts", "`x`"]),
    "task without a cohort": ("tasks", {"t": {}}, ["tasks.t", "`cohort` is missing"]),
    "task of no cohort": (
        "tasks",
        {"t": {"cohort": "gbm"}},
        ["tasks.t.cohort", "no cohort `gbm`", "there are atlas, breast"],
    ),
    "task of unlabelled spots": (
        "tasks",
        {"t": {"cohort": "breast"}},
        ["tasks.t.labels", "cohort `breast` has no `labels`"],
    ),
    "table of labels not named": (
        "tasks",
        {"t": {"cohort": "breast", "labels": {"source": "table"}}},
        ["tasks.t.labels", "source `table` needs `path`"],
    ),
    "gene sets not named": (
        "tasks",
        {"t": {"cohort": "breast", "labels": {"source": "module_scores"}}},
        ["tasks.t.labels", "needs `gene_sets`"],
    ),
    "gene sets not there": (
        "tasks",
        {"t": {"cohort": "breast", "labels": {"source": "module_scores", "gene_sets": "x.tsv"}}},
        ["tasks.t.labels.gene_sets", "x.tsv does not exist"],
    ),
    "task on no representation": (
        "tasks",
        {"t": TABLE | {"representations": ["sagefm-papr"]}},
        ["tasks.t.representations", "did you mean `sagefm-paper`"],
    ),
    "two tasks of one claim": (
        "tasks",
        {name: TABLE | {"claim": "subtypes"} for name in ("one", "two")},
        ["tasks.two.claim", "task `one` speaks to `subtypes` already"],
    ),
}


def assert_sentence(error: Exception, words: list[str]):
    text = str(error)
    for word in words:
        assert word in text
    assert "\n" not in text
    assert text.endswith((".", "?"))
    assert len(text) < 600


@pytest.mark.parametrize("case", BAD_CONFIGS)
def test_bad_config_ends_in_one_sentence(config, case):
    path, value, words = BAD_CONFIGS[case]
    change(config, path, value)
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, words)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("models/paper/released", {"path": "release.pt"}),
        ("models/paper/released", {"url": "https://example.org/a.pt", "sha256": SHA}),
        ("models/paper/released", None),
        ("models/paper/held_out_patients", ["P1"]),
        ("cohorts/breast/labels", "labels.tsv"),
        ("models/paper/compute/device", "cuda:1"),
        ("representations/methods", {"wide": {"method": "pca", "components": 100}}),
        ("representations/methods", {"mofa": {"cohorts": ["breast"]}}),
        ("tasks", {"t": TABLE | {"claim": "annotation", "representations": ["sagefm-paper"]}}),
    ],
)
def test_good_values_pass(config, path, value):
    change(config, path, value)
    check(config)


WHERE = "sheet atlas.tsv (cohort `atlas`)"


def row_with(**changes) -> list[dict]:
    first, second = good_rows()
    return [first, second | changes]


BAD_SHEETS = {
    "only a header": ([], ["has no rows; list at least one sample"]),
    "an id twice": (row_with(sample="s1"), ["sample `s1` occurs twice"]),
    "id with a slash": (row_with(sample="a/b"), ["line 3", "sample `a/b`", "at sample"]),
    "id with a space": (row_with(sample="a b"), ["line 3", "sample `a b`", "at sample"]),
    "id with a leading dot": (row_with(sample=".."), ["sample `..`", "at sample"]),
    "no id": (row_with(sample=""), ["line 3", "at sample"]),
    "a lost file": (
        row_with(path_or_id="lost.h5ad"),
        ["sample `s2`", "path_or_id lost.h5ad does not exist", "correct the sheet"],
    ),
    "no file": (row_with(path_or_id=""), ["sample `s2`", "at path_or_id"]),
    "lost positions": (
        [row | {"positions": "lost.csv"} for row in good_rows()],
        ["sample `s1`", "positions lost.csv does not exist"],
    ),
    "unknown source": (row_with(source="ftp"), ["sample `s2`", "at source", "`ftp` is not one of"]),
    "no organ": (row_with(organ=""), ["sample `s2`", "at organ"]),
    "unknown format": (
        [row | {"format": "loom"} for row in good_rows()],
        ["sample `s1`", "at format", "`loom` is not one of", "'spaceranger'"],
    ),
    "spots in words": (
        [row | {"expected_spots": "many"} for row in good_rows()],
        ["sample `s1`", "at expected_spots", "'many'"],
    ),
    "typo in a column": (
        [row | {"technolgy": "x"} for row in good_rows()],
        ["unknown key `technolgy`", "did you mean `technology`"],
    ),
    "a column missing": (
        [{k: v for k, v in row.items() if k != "patient"} for row in good_rows()],
        ["`patient` is missing"],
    ),
}


@pytest.mark.parametrize("case", BAD_SHEETS)
def test_bad_sheet_ends_in_one_sentence(config, case):
    rows, words = BAD_SHEETS[case]
    write_sheet(rows)
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, [WHERE, *words])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a table of tab-separated columns"),
        (b"\xff\xfe\x00s", "is not a table of tab-separated columns"),
        (b"sample,source\ns1,local\n", "(its first line is one: `sample,source`); put tabs"),
        (b"sample\tsource\ns1\tlocal\textra\tcells\nx\n", "atlas.tsv"),
    ],
)
def test_what_is_no_sheet_ends_in_one_sentence(config, content, words):
    Path("atlas.tsv").write_bytes(content)
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, [WHERE, words])


def test_a_sheet_has_all_columns_and_its_cohort(config):
    sheet = read_samples("atlas.tsv", "atlas")
    assert list(sheet["sample"]) == ["s1", "s2"]
    assert set(sheet.columns) == set(load_schema("samples")["properties"]) | {"cohort"}
    assert set(sheet["cohort"]) == {"atlas"}
    assert list(sheet["positions"]) == ["", ""]
    assert list(sheet["patient"]) == ["P1", ""]


@pytest.mark.parametrize("value", ["NA", "null", "None", "007", "1e5"])
def test_cells_stay_as_they_are_written(config, value):
    write_sheet(row_with(patient=value))
    assert list(read_samples("atlas.tsv", "atlas")["patient"]) == ["P1", value]


@pytest.mark.parametrize("name", ["#UKF242_T_ST.h5ad", "with space.h5ad", "a'b.h5ad"])
def test_odd_paths_are_kept(config, name):
    Path(name).touch()
    write_sheet(row_with(path_or_id=name))
    assert list(read_samples("atlas.tsv", "atlas")["path_or_id"]) == ["one.h5ad", name]


def properties(schema: dict, path: str = ""):
    """Every property of a schema, nested ones included."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}/{name}", inner
        yield from properties(inner, f"{path}/{name}")
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from properties(more, f"{path}/*")


@pytest.mark.parametrize("name", ["config", "samples"])
def test_every_key_is_described_and_closed_to_others(name):
    schema = load_schema(name)
    found = dict(properties(schema))
    assert len(found) > 10
    for path, inner in found.items():
        text = inner.get("description", "")
        assert text.endswith((".", "?")), f"{path}: {text!r}"
        if inner.get("type") == "object" or "object" in inner.get("type", []):
            assert "additionalProperties" in inner, path
            assert inner["additionalProperties"] is not True, path
    assert schema["additionalProperties"] is False


def test_optional_keys_have_defaults():
    for path, inner in properties(load_schema("config")):
        required = path in {"/run", "/cohorts", "/models", "/cohorts/*/samples"}
        required |= path in {"/models/*/pretrain_on", "/graphs/*/kind", "/tasks/*/cohort"}
        required |= path == "/perturbation/pairs/*/source"
        # Of a method's entry only what is given is kept: the rest are its own options.
        if not required and not re.search("/released/|/methods/|/raw_labels/", path):
            assert "default" in inner, path


# Labels in R's files


def raw_labels(**changes) -> dict:
    config = good_config()
    config["cohorts"]["breast"]["raw_labels"] = {"files": "label_files.tsv", **changes}
    return config


def test_label_files_name_samples_of_their_cohort():
    samples = pd.DataFrame(good_rows())
    rows = [{"sample": "s1", "source": "local", "path_or_id": "labels.tsv"}]
    path = write_sheet(rows, "label_files.tsv")
    assert [*read_label_files(path, "breast", samples)["sample"]] == ["s1"]
    write_sheet([rows[0] | {"sample": "s11"}], path)
    with pytest.raises(InputError, match=r"label_files.tsv .* no sample `s11`; did you mean `s1`"):
        read_label_files(path, "breast", samples)
    write_sheet([rows[0] | {"path_or_id": "none.Robj"}], path)
    with pytest.raises(InputError, match=r"sample `s1`: path_or_id none.Robj does not exist"):
        read_label_files(path, "breast", samples)
    with pytest.raises(InputError, match=r"correct cohorts.breast.raw_labels.files in the config"):
        read_label_files("none.tsv", "breast", samples)


def test_raw_labels_stand_in_for_labels():
    write_sheet(good_rows())
    write_sheet(good_rows(), "breast.tsv")
    config = raw_labels(column="pathologist")
    config["tasks"] = {"classes": {"cohort": "breast"}}
    check(config)
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    with pytest.raises(InputError, match=r"cohorts.breast: give either `labels` or `raw_labels`"):
        check(config)
    with pytest.raises(InputError, match=r"raw_labels.codes: codes.tsv does not exist"):
        check(raw_labels(codes="codes.tsv"))
