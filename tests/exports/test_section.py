"""One section embedded without a run: as in the workflow, in every layout, or not at all."""

import re
import subprocess
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.cohorts.ingest import ingest
from sagefm.common import h5ad, io
from sagefm.common.errors import InputError
from sagefm.exports.command import main
from sagefm.exports.section import embed_section
from sagefm.graphs.neighbourhoods import build_graph, save_graph
from sagefm.networks.base import build_network, predict
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.sections.dense import make_batch
from sagefm.sections.section import load_chunk, sections_of, spot_positions
from support import helpers, model_folders
from support.models import fitted

CPU = torch.device("cpu")
TECHNOLOGY = "Spatial Transcriptomics"
RECIPES = {
    "paper": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "knn_clique"}},
    "rings": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "grid"}},
    "star": {
        "network": "two_channel",
        "normalisation": "log1p_cp10k",
        "graph": {"kind": "star", "size": 9},
    },
}
SAMPLES = ("heart-2", "heart-1")


@pytest.fixture(scope="module")
def genes() -> list[str]:
    return model_folders.small_panel()


@pytest.fixture(scope="module")
def models(tmp_path_factory, genes) -> Path:
    return model_folders.write_models(tmp_path_factory.mktemp("models"), genes, RECIPES)


@pytest.fixture(scope="module")
def sections(tmp_path_factory, genes):
    """What a run has of two sections, by model: their files, and the second's embedding."""
    folder, done = tmp_path_factory.mktemp("sections"), {}
    for name, recipe in RECIPES.items():
        counts, graphs = [], []
        for sample in SAMPLES:
            source = helpers.REPO / f"resources/demo/st/{sample}.h5ad"
            row = {"cohort": "atlas", "sample": sample, "technology": TECHNOLOGY}
            adata = ingest(source, row, genes, {"min_counts": 2000}, {"min_overlap": 0.4})
            counts.append(folder / name / f"atlas/{sample}.h5ad")
            graphs.append(folder / name / f"graphs/{sample}.npz")
            h5ad.write_h5ad(adata, counts[-1])
            at, array = spot_positions(counts[-1])
            save_graph(
                build_graph(at, **recipe["graph"], array=array, technology=TECHNOLOGY), graphs[-1]
            )
        done[name] = sections_of(counts, graphs)
    return done


def layouts(folder: Path, layout: str) -> dict:
    """A bundled section in one of the layouts that users have, and what has to be said of it."""
    section = helpers.demo_section("heart-1")
    if layout == "h5ad":
        return {"source": helpers.REPO / "resources/demo/st/heart-1.h5ad"}
    outs = helpers.write_spaceranger(section, folder / "heart-1", header=layout != "h5")
    if layout == "outs":
        return {"source": outs}
    matrix = (outs / "filtered_feature_bc_matrix.h5").rename(folder / "heart-1.h5")
    return {"source": matrix, "positions": outs / "spatial/tissue_positions_list.csv"}


@pytest.mark.parametrize("layout", ["h5ad", "outs", "h5"])
@pytest.mark.parametrize("model", RECIPES)
def test_it_is_the_runs_own_embedding_to_the_bit(tmp_path, models, sections, layout, model):
    """The run's is of a section among others; the order of its spots is the layout's own."""
    torch.set_num_threads(1)
    made = embed_section(
        output=tmp_path / "out.h5ad",
        model=models / model,
        device=CPU,
        technology=TECHNOLOGY,
        **layouts(tmp_path, layout),
    )
    written = anndata.read_h5ad(tmp_path / "out.h5ad")
    recipe, (_, section) = RECIPES[model], sections[model]
    network = build_network(recipe["network"], 300, (32, 16, 32), seed=[*RECIPES].index(model))
    by_itself = fitted(network, recipe["network"], recipe["graph"]["kind"], recipe["normalisation"])
    expected = np.concatenate([*by_itself.embedded_rows(section)])
    of_run = h5ad.read_h5ad(section.counts_path)
    assert written.obs_names.equals(of_run.obs_names)
    assert 15 < written.n_obs < helpers.demo_section("heart-1").n_obs  # the recipe's min_counts
    np.testing.assert_array_equal(written.obsm["X_sagefm"], expected)
    np.testing.assert_array_equal(made.obsm["X_sagefm"], expected)
    assert written.obsm["X_sagefm"].dtype == np.float32
    assert (written.X != of_run.X).nnz == 0
    np.testing.assert_array_equal(written.obsm["spatial"], of_run.obsm["spatial"])
    for column in ("array_row", "array_col", "in_tissue"):
        np.testing.assert_array_equal(written.obs[column], of_run.obs[column])
    facts = written.uns["sagefm"]
    assert facts["checkpoint_sha256"] == io.sha256(models / model / "best.pt")
    assert facts["graph"] == recipe["graph"]
    assert written.uns["provenance"]["sample"] == "heart-1"


def test_predictions_on_request(tmp_path, models, sections):
    section = sections["star"][1]
    source = layouts(tmp_path, "h5ad")
    embed_section(**source, output=tmp_path / "a.h5ad", model=models / "star", device=CPU)
    embed_section(
        **source, output=tmp_path / "b.h5ad", model=models / "star", device=CPU, predict=True
    )
    without, written = (anndata.read_h5ad(tmp_path / f"{name}.h5ad") for name in "ab")
    assert not without.layers
    network = build_network("two_channel", 300, (32, 16, 32), seed=2)
    chunk = load_chunk([section], "log1p_cp10k")
    rows = np.arange(section.n_spots())
    nothing = np.zeros((len(rows), 300), dtype=bool)
    with torch.inference_mode():
        expected = predict(network, make_batch([(chunk, rows)], "channels", nothing)).numpy()
    np.testing.assert_allclose(written.layers["predicted"], expected, rtol=1e-4, atol=1e-5)
    assert written.layers["predicted"].std() > 0


def test_the_image_rides_along(tmp_path, models):
    section = helpers.demo_section("heart-1")
    image = np.arange(30 * 40 * 3).reshape(30, 40, 3).astype(np.uint8)
    factors = {"tissue_downscaled_fullres_scalef": 0.1, "spot_diameter_fullres": 50.0}
    library = {"images": {"downscaled_fullres": image}, "scalefactors": factors}
    section.uns["spatial"] = {"ST": library}
    section.write_h5ad(tmp_path / "TENX1.h5ad")
    embed_section(tmp_path / "TENX1.h5ad", tmp_path / "o.h5ad", models / "paper", CPU)
    kept = anndata.read_h5ad(tmp_path / "o.h5ad").uns["spatial"]["TENX1"]
    np.testing.assert_array_equal(kept["images"]["hires"], image)
    assert kept["scalefactors"]["tissue_hires_scalef"] == 0.1


# What cannot be embedded


def halved(section, path):
    section.X = section.X.astype(np.float32) / 2
    section.write_h5ad(path)


def truncated(section, path):
    section.write_h5ad(path)
    path.write_bytes(path.read_bytes()[:5000])


def mouse(section, path):
    section.var_names = section.var_names.str.capitalize()
    section.write_h5ad(path)


BAD = {
    "missing": (lambda section, path: None, {}, r"s\.h5ad: no such file or folder. Fix: correct"),
    "truncated": (truncated, {}, r"s\.h5ad: cannot be read as h5ad"),
    "not counts": (halved, {}, r"s\.h5ad: X holds values that are not integers"),
    "mouse": (mouse, {}, "sample s: only .* look like mouse symbols"),
    "few": (lambda s, path: s[:9].copy().write_h5ad(path), {}, "sample s: .* pass quality control"),
    "no array": (lambda s, path: s.write_h5ad(path), {"model": "rings"}, "set `technology`"),
    "no model": (lambda s, path: s.write_h5ad(path), {"model": "other"}, "there is no such model"),
    "onto itself": (
        lambda s, path: s.write_h5ad(path),
        {"output": "s.h5ad"},
        "would overwrite the section itself",
    ),
    "not an h5ad": (lambda s, path: s.write_h5ad(path), {"output": "o.csv"}, "a name in .h5ad"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_embedded_ends_in_one_sentence(tmp_path, models, case):
    spoil, changes, words = BAD[case]
    spoil(helpers.demo_section("heart-1"), tmp_path / "s.h5ad")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    names = {"model": "paper", "output": "o.h5ad"} | changes
    with pytest.raises(InputError, match=words) as error:
        embed_section(tmp_path / "s.h5ad", tmp_path / names["output"], models / names["model"], CPU)
    assert "\n" not in str(error.value)
    assert not re.search(
        r"\b(sheet|config|qc|harmonise|min_spots|lower the limits)\b", str(error.value)
    )
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before  # nothing partial


def test_a_checkpoint_of_another_panel(tmp_path, models):
    (tmp_path / "recipe.json").write_text((models / "paper/recipe.json").read_text())
    save_checkpoint(tmp_path / "best.pt", build_network("gcn", 7, (4, 4), seed=0))
    with pytest.raises(InputError, match="predicts 7 genes, but the panel has 300"):
        embed_section(**layouts(tmp_path, "h5ad"), output=tmp_path / "o.h5ad", model=tmp_path,
                      device=CPU)  # fmt: skip
    assert not (tmp_path / "o.h5ad").exists()


# The command


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    sagefm = Path(sys.executable).with_name("sagefm")
    return subprocess.run([sagefm, "embed", *arguments], capture_output=True, text=True)


@pytest.mark.slow
def test_the_command(tmp_path, models):
    source = layouts(tmp_path, "h5")
    done = command(
        source["source"], tmp_path / "deep/o.h5ad", "--model", models / "paper",
        "--positions", source["positions"], "--device", "cpu",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    written = anndata.read_h5ad(tmp_path / "deep/o.h5ad")
    assert written.obsm["X_sagefm"].shape == (written.n_obs, 32)
    assert done.stdout == (
        f"{tmp_path}/deep/o.h5ad: {written.n_obs} of 91 spots, 298 of the model's 300 genes, "
        "obsm['X_sagefm'] of 32 features\n"
    )
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["o.h5ad"]


def test_the_command_says_one_sentence(tmp_path, models, capsys):
    words = ["embed", tmp_path / "s.h5ad", tmp_path / "o.h5ad", "--model", models / "paper"]
    assert main([*map(str, words)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"ERROR: sample s: {tmp_path}/s.h5ad: no such file or folder")


def test_make_embed_hands_everything_over(repo):
    wanted = ["IN=a b/outs", "OUT=o.h5ad", "MODEL=m", "PREDICT=1", "TECHNOLOGY=Spatial X"]
    done = subprocess.run(
        ["make", "--dry-run", "embed", *wanted], cwd=repo, capture_output=True, text=True
    )
    assert "'a b/outs' 'o.h5ad' --model 'm'" in done.stdout
    assert "--technology 'Spatial X' --predict" in done.stdout.replace("\\\n    ", "")
    done = subprocess.run(["make", "--dry-run", "embed"], cwd=repo, capture_output=True, text=True)
    assert done.returncode != 0
    assert "make embed needs a section and a file to write" in done.stderr


@pytest.mark.parametrize("how", ["--min-overlap", "--aliases"])
def test_what_the_error_of_few_genes_tells_to_do_can_be_done(tmp_path, models, genes, how, capsys):
    genes = [name for name in genes if not name.startswith("NOGENE")]
    section = helpers.demo_section("heart-1")[:, genes].copy()
    if how == "--min-overlap":
        section, value = section[:, : len(genes) // 10].copy(), "0.05"
        section.X = section.X.astype(np.int32) * 100  # deep enough for the model
    else:
        ids, value = helpers.gene_ids(section), tmp_path / "a.tsv"
        pd.DataFrame({"alias": ids, "symbol": genes}).to_csv(value, sep="\t", index=False)
        section.var = pd.DataFrame(index=ids)
    section.write_h5ad(tmp_path / "s.h5ad")
    words = ["embed", f"{tmp_path}/s.h5ad", f"{tmp_path}/o.h5ad", "--model", f"{models}/paper"]
    assert main([*words, "--device", "cpu"]) == 1
    assert f"`{how[2:].replace('-', '_')}`" in capsys.readouterr().err
    assert main([*words, "--device", "cpu", how, str(value)]) == 0
    found = anndata.read_h5ad(tmp_path / "o.h5ad").var["in_source"].sum()
    assert found == (len(genes) // 10 if how == "--min-overlap" else len(genes))
