"""A small valid config, its sheets, and the form of every error for an invalid one."""

import copy
from pathlib import Path

import pandas as pd

from sagefm.config.continued import complete_models
from sagefm.config.run import Run
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.config.sheets import read_samples
from sagefm.preflight.config import check_config, check_references
from sagefm.preflight.data import check_arrays, check_genes, check_label_tables
from sagefm.preflight.representations import check_memory
from sagefm.preflight.splits import check_splits

COLUMNS = ["sample", "source", "path_or_id", "organ", "patient", "technology"]


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
            ("s3", "local", "two.h5ad", "Heart", "P3", "Visium"),
        )
    ]


def write_files(folder: Path) -> None:
    """Write the files that the config names; sections and panel are empty, as they are not read."""
    for name in ("one.h5ad", "two.h5ad", "panel.txt", "release.pt"):
        (folder / name).touch()
    (folder / "labels.tsv").write_text("sample\tspot\tlabel\nbs1\tA\ttumour\n")
    write_sheet(good_rows(), folder / "atlas.tsv")
    breast = [row | {"sample": f"b{row['sample']}"} for row in good_rows()]
    write_sheet(breast, folder / "breast.tsv")


def write_sheet(rows: list[dict], path="atlas.tsv") -> str:
    pd.DataFrame(rows, columns=COLUMNS if not rows else None).to_csv(path, sep="\t", index=False)
    return path


def check(config: dict):
    """Check a config as the Snakefile does."""
    check_config(config)
    config = copy.deepcopy(config)
    complete_models(config["models"])
    set_defaults(config, load_schema("config"))
    sheets = {
        name: read_samples(cohort["samples"], name).set_index("sample", drop=False)
        for name, cohort in config["cohorts"].items()
    }
    check_references(config, sheets)
    check_label_tables(config, sheets)
    check_arrays(Run(config, sheets))
    check_genes(config)
    check_memory(Run(config, sheets), genes=14_558)
    check_splits(config, sheets)
    return config


def assert_sentence(error: Exception, words: list[str]):
    text = str(error)
    for word in words:
        assert word in text
    assert "\n" not in text
    assert text.endswith((".", "?"))
    assert len(text) < 600
