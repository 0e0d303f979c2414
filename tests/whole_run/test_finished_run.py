"""Uses of a finished run: viewing its cohorts, its notebook, its models on a new section.

They run through Snakemake and the commands, on the small run that `test_workflow` checks.
"""

import subprocess
import sys

import anndata
import nbformat
import numpy as np
import pytest
import spatialdata
from nbclient import NotebookClient

from sagefm.common.io import read_table
from sagefm.networks.recipe import read_recipe
from sagefm.representations.files import read_representation
from support import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1600)]  # the first waits for the whole run

NOTEBOOK = runs.REPO / "workflow/notebooks/explore.ipynb"


@pytest.fixture(scope="module")
def explored(run, results):
    """`snakemake explore explore_zarr` on the finished run."""
    done = runs.snakemake(run, "explore", "explore_zarr")
    assert done.returncode == 0, done.stdout
    each = ("explore", "explore_cohort", "explore_store", "explore_zarr")
    assert runs.jobs(done.stdout) == dict.fromkeys(each, 1) | {"total": 4}
    return anndata.read_h5ad(results / "explore/breast.h5ad")


def test_the_cohort_to_look_at_holds_what_the_run_found(explored, results):
    methods = [
        *runs.CONFIG["representations"]["methods"],
        *(f"sagefm-{m}" for m in runs.CONFIG["models"]),
    ]
    for name in set(methods) - {"depth"}:
        path = results / f"representations/breast/all-genes/{name}.h5ad"
        np.testing.assert_array_equal(explored.obsm[f"X_{name}"], read_representation(path).values)
        assert np.isfinite(explored.obsm[f"X_umap_{name}"]).all()  # of every spot
        clusters = read_table(results / f"clustering/breast/{name}/clusters.tsv.gz")
        np.testing.assert_array_equal(
            explored.obsm["clusters"][f"kmeans_cohort_{name}"].astype(int),
            clusters["kmeans_cohort"],
        )
    assert "depth" in explored.obs and "kmeans_cohort_sagefm-paper" in explored.obs
    assert explored.obs.shape[1] <= 30
    for task in runs.CONFIG["tasks"]:
        for name in runs.CONFIG["tasks"][task].get("representations", methods):
            shown = explored.obsm["classes"][f"{task}_{name}"].dropna().astype(str)
            path = results / f"tasks/{task}/{name}/predictions.tsv.gz"
            table = read_table(path, dtype={"sample": str, "spot": str})
            held = table[(table["protocol"] == "held_out_patients") & ~table["centred"]]
            wanted = held.set_index(held["sample"] + ":" + held["spot"])["predicted"]
            assert len(wanted) and shown.equals(wanted.reindex(shown.index).astype(str)), (
                task,
                name,
            )
    assert set(explored.uns["spatial"]) == set(runs.SAMPLES["breast"])
    store = spatialdata.read_zarr(results / "explore/breast.zarr")
    assert {*store.shapes} == {*runs.SAMPLES["breast"]}
    assert store.tables["spots"].obs_names.equals(explored.obs_names)


def test_the_notebook_runs(explored, results, run, tmp_path):
    """All of its cells as they stand, on the small run: only the names are another's."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in cells)  # readers see them without running it
    assert not any(out.output_type == "error" for cell in cells for out in cell.outputs)
    (named,) = (cell for cell in cells if "results/demo" in cell.source)
    named.source = named.source.replace("results/demo", "results/small")
    folder = run / "workflow/notebooks"
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 2  # the section, and the responses
    text = "".join(str(output) for cell in cells for output in cell.outputs)
    board = read_table(results / "scoreboard.tsv", dtype=str)
    assert board["claim"].iloc[0] in text.replace("\\n", "\n")
    assert "AnnData object" in text


@pytest.mark.parametrize("model", runs.CONFIG["models"])
def test_a_section_is_embedded_as_the_run_did_to_the_bit(run, results, tmp_path, model):
    recipe = read_recipe(results / f"models/{model}/recipe.json")
    assert recipe.panel == (run / "panel.txt").read_text().split()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sagefm.exports.command", "embed"),
            *("resources/demo/st/SPA148.h5ad", tmp_path / "o.h5ad"),
            *("--model", results / "models" / model, "--device", "cpu"),
            *("--technology", "Spatial Transcriptomics"),
        ],
        cwd=run,
        env={"PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    written = anndata.read_h5ad(tmp_path / "o.h5ad")
    own = read_representation(results / f"representations/breast/all-genes/sagefm-{model}.h5ad")
    inside = (own.obs["sample"] == "SPA148").to_numpy()
    assert list(own.obs["spot"][inside]) == list(written.obs_names)
    np.testing.assert_array_equal(written.obsm["X_sagefm"], own.values[inside])
