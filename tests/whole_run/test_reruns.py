"""Restarting a finished run does what a change requires, and no more.

Which jobs run again depends on rules, code and files, not on the content of results. Jobs here
write empty files, so that the run takes a minute. The last tests are of a real run.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from support import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1600)]  # the first waits for a whole run

READ = {"ingest", "graph", "split", "pretrain", "gene_means", "released", "embed", "represent"}
"""What reads sections, builds graphs, trains models and represents cohorts."""

ALL_CLAIMS = {"provenance", "methods", "scoreboard", "results_page", "report_zip"}
"""What follows from any claim."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A copy of the workflow with the results of one pretended run."""
    folder = runs.prepare(tmp_path_factory.mktemp("pretended") / "run")
    runs.pretend(folder)
    done = runs.snakemake(folder)
    assert done.returncode == 0, done.stdout
    return folder


def test_a_pretended_run_is_finished(finished):
    assert runs.would_run(finished) == {}


@pytest.mark.parametrize("kind", ["a docstring", "a comment", "an annotation", "a new time"])
def test_an_edit_that_changes_nothing_done_reruns_nothing(finished, kind):
    module = finished / "workflow/sagefm/graphs/neighbourhoods.py"
    script = finished / "workflow/scripts/training/pretrain.py"
    old, new = {
        "a docstring": ('"""', '"""What is meant: '),
        "a comment": ("\nimport", "\n# A comment.\n\nimport"),
        "an annotation": (" -> sp.csr_matrix:", ":"),
        "a new time": ("import", "import"),
    }[kind]
    with runs.edited(module, old, new):
        os.utime(script)
        assert runs.would_run(finished) == {}


def test_an_edit_of_what_graphs_are_reruns_them_and_what_follows(finished):
    module = finished / "workflow/sagefm/graphs/neighbourhoods.py"
    with runs.edited(module, "\nimport", "\nMORE = 1\n\nimport"):
        found = runs.would_run(finished)
    assert found["graph"] == 4
    assert found["pretrain"] == 2
    assert {"embed", "represent", "recovery", "scoreboard", "report_zip"} <= set(found)
    assert not {"ingest", "spot_labels", "qc_table", "released"} & set(found)


def test_an_edit_of_a_figure_reruns_it_and_the_report(finished):
    with runs.edited(
        finished / "workflow/sagefm/cohorts/figures.py", "\nimport", "\nA = 1\n\nimport"
    ):
        found = runs.would_run(finished)
    assert found == {"qc_figure": 2, "results_page": 1, "report_zip": 1}


def test_an_edit_of_one_chapter_leaves_the_others(finished):
    module = finished / "workflow/sagefm/clustering/cluster.py"
    with runs.edited(module, "\nimport", "\nA = 1\n\nimport"):
        found = runs.would_run(finished)
    assert found["cluster"] == 8
    assert {"clustering_tables", "claims_clustering", "scoreboard", "report_zip"} <= set(found)
    assert not (READ | {"annotate", "coherence", "perturb", "recovery"}) & set(found)


@contextmanager
def added(path: Path, text: str) -> Iterator[None]:
    """A file that is there for a while."""
    path.write_text(text)
    try:
        yield
    finally:
        path.unlink()


@pytest.mark.parametrize(
    "room", ["networks", "representations/methods", "cohorts/formats", "downloads/sources"]
)
def test_a_new_thing_of_a_registry_computes_nothing_again(finished, room):
    folder = finished / "workflow/sagefm" / room
    original = next(folder / f"{name}.py" for name in ORIGINALS if (folder / f"{name}.py").exists())
    with added(folder / "another.py", original.read_text()):
        assert runs.would_run(finished) == {}


ORIGINALS = ("gcn", "raw", "mtx", "url")
"""A network, a method, a format and a source, of which others are copies."""


@pytest.mark.parametrize("change", ["a label", "a label more"])
def test_another_label_reruns_what_labels_are_used_in(finished, change):
    table = finished / "resources/demo/labels.tsv"
    line = next(x for x in table.read_text().splitlines() if x.startswith("SPA148\t"))
    label = line.split("\t")[2]
    new = line.replace(label, "another") if change == "a label" else ""
    with runs.edited(table, f"{line}\n", f"{new}\n" if new else ""):
        found = runs.would_run(finished)
    assert found["spot_labels"] == found["palette"] == 1
    assert {"cluster", "annotate", "screen"} <= set(found)
    assert {"annotation_scores", "scoreboard", "report_zip"} <= set(found)
    assert not (READ | {"recovery", "perturb", "coherence"}) & set(found)


def test_an_organ_spelled_otherwise_is_counted_and_not_computed(finished):
    sheet = finished / "atlas.tsv"
    with runs.edited(sheet, "\tHeart\t", "\theart\t"):
        found = runs.would_run(finished)
    assert {"qc_table", "pretraining_set", "overview", "report_zip"} <= set(found)
    assert not (READ | {"recovery", "perturb", "cluster", "annotate", "screen"}) & set(found)


def test_another_panel_reads_all_again(finished):
    panel = finished / "panel.txt"
    first, second = panel.read_text().split()[:2]
    with runs.edited(panel, f"{first}\n{second}\n", f"{second}\n{first}\n"):
        os.utime(panel, (1, 1))  # an edit counts however old its time is
        found = runs.would_run(finished)
    assert found["ingest"] == 5
    assert found["pretrain"] == 2


def test_a_changed_raw_file_is_read_again_alone(finished):
    path = finished / "resources/demo/st/SPA148.h5ad"
    with away(path):
        shutil.copyfile(path.with_name(f"{path.name}.kept"), path)
        assert runs.would_run(finished) == {}
        with path.open("ab") as file:
            file.write(b"\0")
        found = runs.would_run(finished)
    assert found["ingest"] == 1
    assert found["graph"] == 2
    assert found["recovery"] == 3
    assert not {"split", "pretrain", "gene_means", "training_figure"} & set(found)


def test_a_moved_folder_reruns_nothing(finished, tmp_path):
    moved = shutil.copytree(finished, tmp_path / "moved", symlinks=True)
    assert runs.would_run(moved) == {}


def test_a_clone_with_results_copied_reruns_nothing(finished, tmp_path):
    own = tmp_path / "clone"
    shutil.copytree(
        finished, own, symlinks=True, copy_function=shutil.copyfile, ignore=only_the_project
    )
    shutil.copytree(finished / "results", own / "results", symlinks=True)
    assert (own / "panel.txt").stat().st_mtime > (own / "results/small/report.zip").stat().st_mtime
    assert runs.would_run(own) == {}


def only_the_project(folder: str, names: list[str]) -> set[str]:
    """What a clone does not bring."""
    return {"results", ".snakemake", "__pycache__"} & set(names)


def test_a_renamed_run_with_its_folder_renamed_reruns_nothing(finished, tmp_path):
    own = shutil.copytree(finished, tmp_path / "renamed", symlinks=True)
    (own / "results/small").rename(own / "results/other")
    runs.write_config(own, runs.CONFIG | {"run": "other"})
    assert runs.would_run(own) == {}


def test_another_recovery_trains_nothing_again(finished):
    config = finished / "config/config.yaml"
    with runs.edited(config, "recovery:\n", "recovery:\n  mask_share: 0.5\n"):
        found = runs.would_run(finished)
    assert found["recovery"] == 3
    assert {"recovered_figure", "claims_recovery", "scoreboard", "report_zip"} <= set(found)
    assert not (READ | {"coherence"}) & set(found)


def test_another_recipe_trains_that_model_alone(finished):
    with runs.edited(finished / "config/config.yaml", "epochs: 2\n", "epochs: 3\n"):
        found = runs.would_run(finished)
    assert found["pretrain"] == found["recovery"] == 1
    assert found["embed"] == 3  # all genes; without those of labels, both cohorts
    assert not {"ingest", "graph", "split", "gene_means"} & set(found)


def test_a_model_that_continues_another_trains_itself_alone(finished):
    longer = {"continues": "paper", "training": {"epochs": 3}}
    with added(finished / "longer.yaml", yaml.safe_dump({"models": {"longer": longer}})):
        files = ("config/config.yaml", "longer.yaml")
        found = runs.jobs(runs.snakemake(finished, "--dry-run", "--configfile", *files).stdout)
    assert (found["split"], found["pretrain"], found["embed"]) == (1, 1, 1)
    assert {"recovery", "cluster", "annotate"} <= set(found)
    assert not {"ingest", "graph", "represent", "released"} & set(found)


def test_one_more_section_reads_that_one_alone(finished):
    sheet = finished / "breast.tsv"
    line = "\t".join(runs.row("SPA136", "resources/demo/st/SPA136.h5ad", "her2st-D").values())
    with runs.edited(sheet, "SPA142\t", f"{line}\nSPA142\t"):
        found = runs.would_run(finished)
    assert found["ingest"] == 1
    assert found["graph"] == 2
    assert not {"split", "pretrain", "gene_means"} & set(found)


def test_another_title_is_written_and_nothing_computed(finished):
    with runs.edited(finished / "config/config.yaml", "title: a heart", "title: one heart"):
        found = runs.would_run(finished)
    assert set(found) == ALL_CLAIMS | {"sections"}  # the page of that cohort


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
    "scoreboard.tsv": {"scoreboard", "results_page", "report_zip"},
    "index.html": {"results_page", "report_zip"},
    "figures/qc_atlas.pdf": {"qc_figure", "results_page", "report_zip"},
    "claims/recovery.tsv": {"claims_recovery", *ALL_CLAIMS},
    "tasks/modules/pca/predictions.tsv.gz": {
        *("annotate", "annotation_scores", "annotation_figures", "annotation_page", "sections"),
        *("claims_annotation", *ALL_CLAIMS),
    },
}
"""A result that is removed, and the rules that make it and what follows from it."""


@pytest.mark.parametrize("name", LOST)
def test_a_removed_result_is_made_again_with_what_follows(finished, name):
    with away(finished / "results/small" / name):
        assert runs.would_run(finished) == dict.fromkeys(LOST[name], 1)


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
    assert "this job needs a GPU, but torch" in done.stdout
    assert "set the model's `compute.gpus` to 0" in done.stdout
    assert not (own / "results/small/models/lent/best.pt").exists()


def test_a_second_run_does_nothing(run, results):
    before = (results / "report.zip").stat().st_mtime_ns
    done = runs.snakemake(run)
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout
    assert (results / "report.zip").stat().st_mtime_ns == before
