"""The config: valid ones pass, and invalid ones give a one-line error."""

from pathlib import Path

import pytest
import yaml

from sagefm.common.errors import InputError
from sagefm.preflight.config import check_written
from support.configs import assert_sentence, check, good_config, good_rows, write_sheet

pytestmark = pytest.mark.usefixtures("good_files")


@pytest.fixture
def config() -> dict:
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
    "nodes that share devices unevenly": (
        "models/paper/compute/nodes",
        2,
        ["models.paper.compute.nodes: 2 nodes cannot share 1 devices evenly"],
    ),
    "one GPU for several devices": (
        "models/paper",
        {"pretrain_on": ["atlas"], "training": {"devices": 2}, "compute": {"device": "cuda:1"}},
        ["models.paper.compute.device: cuda:1 is one GPU", "devices asks for 2 in each machine"],
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
    "no cohort to train on": (
        "models/paper/pretrain_on",
        [],
        ["pretrain_on: it is empty"],
    ),
    # wrong types and values
    "run with a slash": ("run", "a/b", ["at run", "`a/b` is given, but a name of letters"]),
    "run with a space": ("run", "a b", ["at run", "`a b` is given, but a name of letters"]),
    "run as a number": ("run", 5, ["at run", "`5` is given, but text is wanted"]),
    "model with a slash": (
        "models/a b",
        {"pretrain_on": ["atlas"]},
        ["at models: `a b` is given"],
    ),
    "cohorts as a list": ("cohorts", ["atlas"], ["at cohorts", "but a table of keys is wanted"]),
    "empty chapter": ("qc", None, ["at qc", "nothing is given, but a table of keys"]),
    "text for a number": ("qc/min_counts", "ten", ["qc.min_counts", "`ten` is given, but a whole"]),
    "truth for a number": ("qc/min_spots", True, ["qc.min_spots", "`True` is given, but a whole"]),
    "text for truth": ("qc/in_tissue", "yes", ["qc.in_tissue", "`yes` is given, but true or"]),
    "negative": ("qc/min_counts", -1, ["qc.min_counts", "`-1` is given, but 0 or more is wanted"]),
    "share over 1": (
        "qc/max_mito_share",
        1.5,
        ["`1.5` is given, but 1 or less"],
    ),
    "no validation": ("split/validation", 0, ["split.validation", "`0` is given, but more than 0"]),
    "half an epoch": ("models/paper/training/epochs", 0.5, ["training.epochs", "0.5"]),
    "zero width": ("models/paper/widths", [16, 0], ["models.paper.widths.1", "0"]),
    "one cohort, no list": ("models/paper/pretrain_on", "atlas", ["`atlas` is given, but a list"]),
    "unknown rule for duplicates": ("harmonise/duplicates", "mean", ["one of 'first', 'sum'"]),
    "unknown kind": ("graphs/rings2/kind", "knn", ["graphs.rings2.kind", "'knn_clique'"]),
    "unknown network": ("models/paper/network", "gat", ["models.paper.network", "'two_channel'"]),
    "unknown normalisation": ("models/paper/normalisation", "cpm", ["one of 'log1p'"]),
    "unknown order": ("models/paper/training/order", "random", ["one of 'shuffled'"]),
    "unknown device": (
        "models/paper/compute/device",
        "gpu",
        ["`gpu` is given, but auto, cpu"],
    ),
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
    "unknown model of the claims": (
        "claims/models",
        ["papers"],
        ["claims.models", "no model `papers`", "did you mean `paper`"],
    ),
    "unknown model of perturbation": (
        "perturbation/models",
        ["papers"],
        ["perturbation.models", "no model `papers`", "did you mean `paper`"],
    ),
    "a screen by labels that there are not": (
        "screen",
        {"cohorts": ["breast"], "context": "label"},
        ["screen.context: cohort `breast` has no `labels`"],
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
    "a folder for a panel": ("panel", ".", ["at panel: . is a folder, but a file is wanted"]),
    "no outputs of the screen": ("screen/outputs", "", ["screen.outputs: nothing is given, but a"]),
    "a name of two lines": ("qc/min_counts", "a\nb", ["qc.min_counts", "`a\\nb` is given"]),
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
        ["models.paper.released.sha256", "`abc` is given, but a SHA-256"],
    ),
    "no url": (
        "models/paper/released",
        {"url": "example.org/a.pt", "sha256": SHA},
        ["models.paper.released.url", "an address that begins with http://"],
    ),
    "no such checkpoint": (
        "models/paper/released",
        {"path": "lost.pt"},
        ["models.paper.released.path", "lost.pt does not exist"],
    ),
    "released embeddings from nowhere": (
        "conformance/embeddings",
        {},
        ["conformance.embeddings: one address is needed", "give either `path`, `url` or `git_lfs`"],
    ),
    "released embeddings of no model": (
        "conformance/embeddings",
        {"path": "release.pt"},
        ["conformance: `embeddings` needs `model`"],
    ),
    "released embeddings of an unknown model": (
        "conformance",
        {"embeddings": {"path": "release.pt"}, "model": "papers", "cohort": "atlas"},
        ["conformance.model: no model `papers`", "did you mean `paper`"],
    ),
    "released embeddings of an unknown cohort": (
        "conformance",
        {"embeddings": {"path": "release.pt"}, "model": "paper", "cohort": "atlsa"},
        ["conformance.cohort: no cohort `atlsa`", "did you mean `atlas`"],
    ),
    "released embeddings of a model that is trained": (
        "conformance",
        {"embeddings": {"path": "release.pt"}, "model": "paper", "cohort": "atlas"},
        ["conformance.model: `paper` is trained here"],
    ),
    # representations, clustering, tasks
    "unknown method": (
        "representations/methods",
        {"pac": {}},
        [
            "representations.methods.pac",
            "the representation method `pac` is unknown",
            "did you mean `pca`",
        ],
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
    "classes of no cohort": (
        "tasks",
        {"t": TABLE | {"predict": ["atals"]}},
        ["tasks.t.predict", "did you mean `atlas`"],
    ),
    "classes of the task's own cohort": (
        "tasks",
        {"t": TABLE | {"predict": ["breast"]}},
        ["tasks.t.predict", "`breast` is the cohort of the task itself"],
    ),
    "classes from no model": (
        "tasks",
        {"t": TABLE | {"predict": ["atlas"], "representations": ["pca"]}},
        ["tasks.t.predict", "the task compares no model", "such as `sagefm-paper`"],
    ),
    "confidence above 1": ("tasks", {"t": TABLE | {"confidence": 2}}, ["tasks.t.confidence"]),
    "two tasks of one claim": (
        "tasks",
        {name: TABLE | {"claim": "subtypes"} for name in ("one", "two")},
        ["tasks.two.claim", "task `one` already answers `subtypes`"],
    ),
}


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
        (
            "tasks",
            {"t": TABLE | {"predict": ["atlas"], "representations": ["pca", "sagefm-paper"]}},
        ),
    ],
)
def test_good_values_pass(config, path, value):
    change(config, path, value)
    check(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run: a\nqc: {}\nrun: b\n", ["config mine.yaml, line 3: key `run`", "first in line 1"]),
        ("models:\n  a: {x: 1}\n  b: {}\n  a: {}\n", ["line 4: key `a`", "first in line 2"]),
        ("list:\n- {x: 1, x: 2}\n", ["line 2: key `x`"]),
    ],
)
def test_a_key_that_stands_twice_ends_in_one_sentence(text, words):
    Path("mine.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        check_written("mine.yaml")
    assert_sentence(error.value, words)


def test_one_name_in_two_places_is_no_key_twice(repo):
    Path("mine.yaml").write_text("a: {x: 1}\nb: {x: 1}\nc: [{x: 1}, {x: 1}]\n")
    check_written("mine.yaml")
    for path in (repo / "config").glob("*.yaml"):
        check_written(path)


def test_a_cohort_with_labels_is_not_classified(config):
    Path("labels.tsv").write_text("sample\tspot\tlabel\nbs1\tA\ttumour\ns1\tA\ttumour\n")
    for cohort in config["cohorts"].values():
        cohort["labels"] = "labels.tsv"
    config["tasks"] = {"t": {"cohort": "breast", "predict": ["atlas"]}}
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, ["tasks.t.predict", "cohort `atlas` has `labels` itself"])
    config["tasks"]["t"] |= TABLE  # other labels than the cohort's
    check(config)


def raw_labels(**changes) -> dict:
    config = good_config()
    config["cohorts"]["breast"]["raw_labels"] = {"files": "label_files.tsv", **changes}
    return config


def test_raw_labels_stand_in_for_labels():
    write_sheet(good_rows())
    write_sheet(good_rows(), "breast.tsv")
    config = raw_labels(column="pathologist")
    config["tasks"] = {"classes": {"cohort": "breast"}}
    check(config)
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    with pytest.raises(
        InputError,
        match=r"cohorts.breast: labels are given twice. Fix: give either `labels` or `raw_labels`",
    ):
        check(config)
    with pytest.raises(InputError, match=r"raw_labels.codes: codes.tsv does not exist"):
        check(raw_labels(codes="codes.tsv"))
    Path("codes.tsv").write_text("number\tlabel\n1\tx\n")
    with pytest.raises(InputError, match=r"raw_labels.codes: codes.tsv has no column `code`"):
        check(raw_labels(codes="codes.tsv"))
