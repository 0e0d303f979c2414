"""Fine-tuning: starts from the model's weights, holds out patients, and resumes if stopped."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import sagefm
from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.exports.command import main
from sagefm.exports.finetuned import validation_sections
from sagefm.exports.labelled import read_sections
from sagefm.training.trainer import Preempted, Trainer
from support import helpers, model_folders

RECIPES = {"star": {"network": "two_channel", "normalisation": "log1p", "graph": {"kind": "star"}}}
SAMPLES = ("heart-1", "heart-2", "heart-4")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    models = model_folders.write_models(folder, model_folders.small_panel(), RECIPES)
    return models / "star"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sections")
    paths = [folder / f"{sample}.h5ad" for sample in SAMPLES]
    for path in paths:
        section = helpers.demo_section(path.stem)[:70].copy()
        section.obs["donor"] = f"donor {path.stem[-1]}"
        section.write_h5ad(path)
    return paths


def weights(model: str | Path) -> dict[str, torch.Tensor]:
    return sagefm.load(model, device="cpu").network.state_dict()


def test_the_command_writes_a_model_that_is_better_on_the_held_out_patient(
    tmp_path, model, files, capsys
):
    out = tmp_path / "tuned"
    words = [*map(str, files), str(out), "--model", str(model), "--patient", "donor"]
    words += ["--device", "cpu", "--epochs", "3", "--learning-rate", "0.003"]
    assert main(["finetune", *words]) == 0, capsys.readouterr().err
    assert f"{out}: validation loss " in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {
        "best.pt", "last.pt", "recipe.json", "history.tsv", "summary.json",
    }  # fmt: skip
    history = read_table(out / "history.tsv")
    assert len(history) == 3
    assert history["validation_loss"].min() < history["validation_loss_before"].iloc[0]
    facts = json.loads((out / "summary.json").read_text())
    assert (facts["train_samples"], facts["validation_samples"]) == (2, 1)
    before, after = weights(model), weights(out)
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    adata = sagefm.read(files[0], sagefm.load(out, device="cpu"))
    assert np.isfinite(sagefm.embed(adata, sagefm.load(out, device="cpu")).obsm["X_sagefm"]).all()
    assert main(["finetune", *words]) == 1
    assert "holds a model already. Fix: choose another folder" in capsys.readouterr().err


def test_it_begins_at_the_models_weights_and_keeps_them_if_nothing_is_gained(
    tmp_path, model, files
):
    """So large a step makes it worse at once."""
    adata, key = read_sections(files)
    given = sagefm.load(model, device="cpu")
    before = {name: own.clone() for name, own in given.network.state_dict().items()}
    keys = {"library_key": key, "epochs": 1, "learning_rate": 10.0}
    sagefm.finetune(adata, given, tmp_path / "tuned", **keys)
    history = read_table(tmp_path / "tuned/history.tsv")
    assert history["validation_loss"].iloc[0] > history["validation_loss_before"].iloc[0]
    for found in (given.network.state_dict(), weights(tmp_path / "tuned")):
        assert all(torch.equal(before[name], found[name]) for name in before)


def test_what_was_stopped_continues(tmp_path, model, files, monkeypatch):
    adata, key = read_sections(files)
    given = sagefm.load(model, device="cpu")
    keys = {"library_key": key, "epochs": 2, "learning_rate": 0.003}
    sagefm.finetune(adata, given, tmp_path / "whole", **keys)
    close, closed = Trainer._close_epoch, []

    def stop_after_the_first(trainer):
        trainer.group.stop_wanted = not closed
        closed.append(trainer.progress.epoch)
        close(trainer)

    monkeypatch.setattr(Trainer, "_close_epoch", stop_after_the_first)
    with pytest.raises(Preempted):
        sagefm.finetune(adata, given, tmp_path / "parts", **keys)
    assert not (tmp_path / "parts/best.pt").exists()
    sagefm.finetune(adata, given, tmp_path / "parts", **keys)
    assert closed == [1, 2]
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_sections_of_held_out_patients():
    names = [f"s{number}" for number in range(10)]
    spots = pd.DataFrame({"sample": names, "patient": [f"p{n // 2}" for n in range(10)]})
    found = validation_sections(spots, seed=0)
    assert len(found) == 2 and spots[spots["sample"].isin(found)]["patient"].nunique() == 1
    assert found == validation_sections(pd.concat([spots, spots[::-1]]), seed=0)
    assert len({min(validation_sections(spots, seed)) for seed in range(9)}) > 1
    assert len(validation_sections(spots.assign(patient="p"), seed=0)) == 2
    with pytest.raises(InputError, match=r"there is only one section.*Fix: add a section"):
        validation_sections(spots[:1], seed=0)
    twice = pd.DataFrame({"sample": ["s", "s"], "patient": ["p", "q"]})
    with pytest.raises(InputError, match=r"section s has spots of two patients\. Fix: name"):
        validation_sections(twice, seed=0)
