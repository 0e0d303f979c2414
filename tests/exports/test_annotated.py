"""Labels of a section learnt from labelled sections, in Python and by the command."""

from pathlib import Path

import anndata
import numpy as np
import pytest

import sagefm
from sagefm.common.errors import InputError
from sagefm.exports.command import main
from sagefm.exports.labelled import read_sections, spots_of
from support import helpers, model_folders

RECIPES = {
    "paper": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "knn_clique"}},
    "other": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "knn_clique"}},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return model_folders.write_models(folder, model_folders.small_panel(), RECIPES)


def labelled(sample: str) -> anndata.AnnData:
    """A bundled section whose upper and lower half are named; every fifth spot is not."""
    section = helpers.demo_section(sample)
    y = section.obsm["spatial"][:, 1]
    section.obs["region"] = np.where(y > np.median(y), "upper", "lower").astype(object)
    section.obs.loc[section.obs_names[::5], "region"] = None
    section.obs["donor"] = f"donor {sample[-1]}"
    return section


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("labelled")
    paths = [folder / f"{sample}.h5ad" for sample in ("heart-1", "heart-2", "heart-4")]
    for path in paths:
        labelled(path.stem).write_h5ad(path)
    return paths


def command(models: Path, *words: str | Path) -> list[str]:
    return [*map(str, ["annotate", *words, "--model", models / "paper", "--device", "cpu"])]


def test_the_command_and_the_functions_give_the_same(tmp_path, models, files, capsys):
    new = helpers.REPO / "resources/demo/st/heart-3.h5ad"
    made = command(
        models, new, tmp_path / "o.h5ad", "--reference", *files, "--label", "region",
        "--patient", "donor", "--confidence", "0.55", "--save-reference", tmp_path / "r.npz",
    )  # fmt: skip
    assert main(made) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "3 sections, 3 patients" in said and "patients held out one after another" in said
    assert "expected calibration error" in said and "accuracy_called" in said
    written = anndata.read_h5ad(tmp_path / "o.h5ad")
    table = written.obsm["label_probabilities"]
    assert [*table.columns] == ["lower", "upper"]
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-5)
    called = written.obs["sagefm_confidence"] >= 0.55
    assert 0 < called.sum() < len(called)
    assert written.obs["sagefm_label"].notna().equals(called)
    named = written.obs["sagefm_label"][called].astype(str)
    assert (named == table.idxmax(axis=1)[called]).all()

    model = sagefm.load(models / "paper", device="cpu")
    joined, key = read_sections(files)
    reference = sagefm.fit_reference(joined, model, "region", patient="donor", library_key=key)
    adata = sagefm.annotate(sagefm.read(new, model), model, reference)
    np.testing.assert_allclose(adata.obsm["label_probabilities"], table, atol=1e-5)

    again = command(models, new, tmp_path / "p.h5ad", "--reference", tmp_path / "r.npz")
    assert main(again) == 0
    saved = anndata.read_h5ad(tmp_path / "p.h5ad").obsm["label_probabilities"]
    np.testing.assert_array_equal(saved, table)


def test_a_reference_belongs_to_its_model(models):
    paper, other = (sagefm.load(models / name, device="cpu") for name in ("paper", "other"))
    section = labelled("heart-1")
    reference = sagefm.fit_reference(section, paper, "region")
    assert reference.facts["protocol"] == "spatial_blocks"  # one section, no patients
    with pytest.raises(InputError, match="fitted with another model"):
        sagefm.annotate(section, other, reference)
    assert "sagefm_label" not in section.obs
    with pytest.raises(InputError, match="`confidence` is 2, but must be between 0 and 1"):
        sagefm.annotate(section, paper, reference, confidence=2)


def test_sections_of_several_files_are_told_apart(files, tmp_path):
    joined, key = read_sections(files)
    spots = spots_of(joined, label="region", patient="donor", library_key=key)
    assert [*spots["sample"].unique()] == ["heart-1", "heart-2", "heart-4"]
    assert [*spots["patient"].unique()] == ["donor 1", "donor 2", "donor 4"]
    assert 0.15 < spots["label"].isna().mean() < 0.25
    (tmp_path / "b").mkdir()
    (tmp_path / "b/heart-1.h5ad").symlink_to(files[0])
    with pytest.raises(InputError, match=r"two files are named heart-1\.h5ad"):
        read_sections([files[0], tmp_path / "b/heart-1.h5ad"])


BAD = {
    "no label": ([], "without the column of their labels. Fix: name it as --label"),
    "no such label": (["--label", "regions"], "no column `regions`. Fix: correct `label`; did you"),
    "no patient": (["--label", "region", "--patient", "who"], "no column `who`. Fix: correct"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_ends_in_one_sentence(tmp_path, models, files, capsys, case):
    words, expected = BAD[case]
    new = helpers.REPO / "resources/demo/st/heart-3.h5ad"
    given = command(models, new, tmp_path / "o.h5ad", "--reference", files[0], *words)
    assert main(given) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ERROR: ") and expected in line
    assert [*tmp_path.iterdir()] == []
