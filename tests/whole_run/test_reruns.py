"""A finished run started again: it does what a change asks for, and no more."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from support import runs

pytestmark = pytest.mark.timeout(1600)  # the first test waits for the whole run


def test_a_second_run_does_nothing(run, results):
    before = (results / "report.zip").stat().st_mtime_ns
    done = runs.snakemake(run)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout
    assert (results / "report.zip").stat().st_mtime_ns == before


def test_an_edit_of_graphs_reruns_graphs_and_not_ingestion(run):
    with runs.edited(
        run / "workflow/sagefm/graphs.py", '"""Neighbourhoods', '"""The neighbourhoods'
    ):
        found = runs.would_run(run)
    assert found["graph"] == 10
    assert found["pretrain"] == 2
    assert not {"ingest", "qc_table", "split", "gene_means", "released"} & set(found)


def test_an_edit_of_a_figure_reruns_it_and_the_report(run):
    with runs.edited(run / "workflow/sagefm/figures/qc.py", '"""', '"""  '):
        assert runs.would_run(run) == {"qc_figure": 2, "report_zip": 1}


def test_another_recovery_trains_nothing_again(run):
    config = run / "config/config.yaml"
    with runs.edited(config, "recovery:\n", "recovery:\n  mask_share: 0.5\n"):
        found = runs.would_run(run)
    assert found["recovery"] == 3
    assert {"recovered_figure", "claims_recovery", "scoreboard", "report_zip"} <= set(found)
    assert not {"ingest", "graph", "split", "pretrain", "embed", "coherence"} & set(found)


def test_another_recipe_trains_that_model_alone(run):
    with runs.edited(run / "config/config.yaml", "epochs: 2\n", "epochs: 3\n"):
        found = runs.would_run(run)
    assert found["pretrain"] == found["recovery"] == 1
    assert found["embed"] == 2
    assert not {"ingest", "graph", "split", "gene_means"} & set(found)


def test_a_model_that_asks_for_a_gpu_is_not_trained_without_one(run, tmp_path):
    own = shutil.copytree(run, tmp_path / "run", symlinks=True)
    model = {"pretrain_on": ["atlas"], "widths": runs.WIDTHS, "compute": {"gpus": 1}}
    (own / "more.yaml").write_text(yaml.safe_dump({"models": {"lent": model}}))
    done = runs.snakemake(
        own,
        *("--configfile", "config/config.yaml", "more.yaml"),
        *("--", "results/small/models/lent/best.pt"),
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode != 0
    assert "this job is to compute on a GPU, but torch" in done.stdout
    assert "set the model's `compute.gpus` to 0" in done.stdout
    assert not (own / "results/small/models/lent/best.pt").exists()


def test_one_more_section_reads_that_one_alone(run):
    sheet = run / "breast.tsv"
    line = "\t".join(runs.row("SPA136", "resources/demo/st/SPA136.h5ad", "her2st-D").values())
    with runs.edited(sheet, "SPA142\t", f"{line}\nSPA142\t"):
        found = runs.would_run(run)
    assert found["ingest"] == 1
    assert found["graph"] == 2
    assert not {"split", "pretrain", "gene_means"} & set(found)


def test_an_edit_of_one_chapter_leaves_the_others(run):
    with runs.edited(run / "workflow/sagefm/clustering.py", '"""', '"""  '):
        found = runs.would_run(run)
    assert found["cluster"] == 7
    assert {"clustering_tables", "claims_clustering", "scoreboard", "report_zip"} <= set(found)
    assert not {"represent", "embed", "annotate", "coherence", "perturb", "recovery"} & set(found)


def test_another_title_is_written_and_nothing_computed(run):
    with runs.edited(run / "config/config.yaml", "title: a heart", "title: one heart"):
        found = runs.would_run(run)
    assert set(found) == {"provenance", "methods", "scoreboard", "report_zip"}


@contextmanager
def away(path: Path) -> Iterator[None]:
    """A file that is not there for a while."""
    kept = path.with_name(f"{path.name}.kept")
    path.rename(kept)
    try:
        yield
    finally:
        kept.replace(path)


LOST = {
    "scoreboard.tsv": {"scoreboard", "report_zip"},
    "figures/qc_atlas.pdf": {"qc_figure", "report_zip"},
    "claims/recovery.tsv": {"claims_recovery", "scoreboard", "report_zip"},
    "tasks/modules/pca/predictions.tsv.gz": {
        *("annotate", "annotation_scores", "annotation_figures", "annotation_page"),
        *("claims_annotation", "scoreboard", "report_zip"),
    },
}
"""A result that is removed, and the rules that make it and what follows from it."""


@pytest.mark.parametrize("name", LOST)
def test_a_removed_result_is_made_again_with_what_follows(run, results, name):
    with away(results / name):
        assert runs.would_run(run) == dict.fromkeys(LOST[name], 1)


def test_a_changed_raw_file_is_read_again_alone(run):
    path = run / "resources/demo/st/SPA148.h5ad"
    source = path.resolve()
    with away(path):
        shutil.copyfile(source, path)
        found = runs.would_run(run)
    assert found["ingest"] == 1
    assert found["graph"] == 2
    assert found["recovery"] == 3
    assert not {"split", "pretrain", "gene_means", "training_figure"} & set(found)
