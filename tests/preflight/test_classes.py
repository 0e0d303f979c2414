"""A task with fewer than two classes left is refused before any job starts."""

import pandas as pd
import pytest

from sagefm.common.errors import InputError
from sagefm.preflight.classes import check_classes

SPOTS = pd.Series({"tumour": 50, "stroma": 30, "fat": 12})


def config(tmp_path, **task) -> dict:
    (tmp_path / "panel.txt").write_text("A\nB\n")
    entry = {"labels": {"source": "cohort"}, "drop": [], "merge": {}, "min_spots": 20} | task
    return {"panel": tmp_path / "panel.txt", "tasks": {"t": entry}}


@pytest.mark.parametrize(
    "task",
    [
        {},
        {"drop": ["tumour"], "min_spots": 12},
        {"drop": ["tumour"], "merge": {"rest": ["fat"]}, "min_spots": 10},
        {"merge": {"tumour": ["stroma"]}, "min_spots": 12},
    ],
)
def test_two_classes_are_enough(tmp_path, task):
    check_classes(config(tmp_path, **task), {"t": SPOTS})


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ({"min_spots": 51}, "no class would be left with 51 labelled spots"),
        ({"min_spots": 31}, "one class would be left with 31"),
        ({"drop": ["stroma"]}, "one class would be left with 20"),
        ({"merge": {"all": ["stroma", "tumour"]}}, "one class would be left with 20"),
        ({"merge": {"Tumour": ["stroma", "fat"]}}, "`Tumour` and `tumour` differ only in capitals"),
    ],
)
def test_one_class_is_not(tmp_path, task, words):
    with pytest.raises(InputError, match=f"^config, at tasks.t: .*{words}"):
        check_classes(config(tmp_path, **task), {"t": SPOTS})


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ("AC\tA \nMES\tX\n", "gene set `MES`: none of its 1 genes is in the panel .the first: `X`"),
        ("AC\tA\nac\tB\n", "gene sets `AC` and `ac` differ only in capitals"),
        ("AC\tA\nunassigned\tB\n", "`unassigned` is reserved for spots"),
        ("AC\tA\nNaN\tB\n", "has 1 gene set. Fix"),
    ],
)
def test_gene_sets_that_cannot_serve(tmp_path, sets, words):
    labels = {"source": "module_scores", "gene_sets": tmp_path / "sets.tsv"}
    labels["gene_sets"].write_text("set\tgene\nAC\tA \nMES\t B\n")
    check_classes(config(tmp_path, labels=labels), {})
    labels["gene_sets"].write_text(f"set\tgene\n{sets}")
    with pytest.raises(InputError, match=f"tasks.t: .*sets.tsv.*{words}"):
        check_classes(config(tmp_path, labels=labels), {})
