"""Training on small real sections: it learns, stops, resumes bit for bit, and publishes."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.optim import Adam

from sagefm.common import state
from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.io import read_table, temporary_of
from sagefm.common.state import exclusive, state_folder
from sagefm.networks.base import build_network, predict
from sagefm.networks.checkpoint import load_network, read_checkpoint
from sagefm.networks.device import one_thread, prepare_machine
from sagefm.networks.registry import describe
from sagefm.sections.batches import Batches
from sagefm.training import trainer as trainer_module
from sagefm.training.evaluation import evaluate
from sagefm.training.files import batches_of, publish, recipe_of, unmeasured_words
from sagefm.training.trainer import Preempted, Recipe, Trainer
from support import small

CPU = torch.device("cpu")
RECIPE = Recipe(widths=small.WIDTHS, learning_rate=2e-3, epochs=3, batch_size=16)
COST = {"seconds", "spots_per_second"}
GRAPHS = {
    "knn_clique": small.KNN,
    "grid": {"kind": "grid", "rings": 1},
    "star": {"kind": "star", "size": 6},
}


@pytest.fixture(scope="module", autouse=True)
def alone():
    """As few as a job may have; and other tests of the session keep theirs."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    return {kind: small.write_sections(folder / kind, **spec) for kind, spec in GRAPHS.items()}


def trainer(cohorts, state: Path, recipe=RECIPE, kind="knn_clique", **settings) -> Trainer:
    """Trains on heart-1 and heart-2, stops by heart-3; 5 batches an epoch."""
    sections = cohorts[kind]
    layout = describe(recipe.network).layout(kind)
    parts = (
        Batches(part, layout, "log1p", batch_size=recipe.batch_size, seed=recipe.seed)
        for part in (sections[:2], sections[2:])
    )
    return Trainer(recipe, *parts, state, device=CPU, **settings)


def history(progress) -> list[dict]:
    """An epoch's row without what it cost."""
    return [{k: v for k, v in row.items() if k not in COST} for row in progress.history]


def assert_equal_states(one: Path, two: Path):
    """Two checkpoints are the same to the last bit: weights, optimiser, scheduler, history."""
    a, b = read_checkpoint(one), read_checkpoint(two)
    assert a["model_state_dict"].keys() == b["model_state_dict"].keys()
    for name, weights in a["model_state_dict"].items():
        assert torch.equal(weights, b["model_state_dict"][name]), name
    for number, moments in a["optimizer_state_dict"]["state"].items():
        for name, value in moments.items():
            assert torch.equal(value, b["optimizer_state_dict"]["state"][number][name]), name
    assert a["scheduler_state_dict"] == b["scheduler_state_dict"]
    assert a["epoch"] == b["epoch"]
    assert a["best_val_loss"] == b["best_val_loss"]
    rows = [
        [{k: v for k, v in row.items() if k not in COST} for row in state["progress"]["history"]]
        for state in (a, b)
    ]
    assert rows[0] == rows[1]


@pytest.fixture(scope="module")
def undisturbed(cohorts, tmp_path_factory):
    """States of uninterrupted trainings, by order."""
    states = {}
    for order in ("as_released", "shuffled"):
        states[order] = tmp_path_factory.mktemp(order)
        trainer(cohorts, states[order], replace(RECIPE, order=order)).run()
    return states


def test_training_lets_its_sections_and_threads_go_before_it_validates(
    cohorts, tmp_path, monkeypatch
):
    before = set(threading.enumerate())

    def alive(*_, **__) -> tuple[float, float]:
        names = [thread.name for thread in set(threading.enumerate()) - before]
        assert not [name for name in names if name.startswith("ThreadPoolExecutor")]
        return 1.0, 1.0

    monkeypatch.setattr(trainer_module, "evaluate", alive)
    trainer(cohorts, tmp_path, replace(RECIPE, epochs=1)).run()


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        ("gcn", "knn_clique"),
        ("gcn", "grid"),
        ("gcn", "star"),
        ("two_channel", "knn_clique"),
        ("two_channel", "grid"),
    ],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_network_and_graph_learns(cohorts, tmp_path, network, kind, precision):
    recipe = replace(RECIPE, network=network, precision=precision, epochs=8)
    run = trainer(cohorts, tmp_path, recipe, kind)
    untrained, _ = evaluate(run.network, run.validation, CPU, precision)
    progress = run.run()
    losses = pd.DataFrame(progress.history)
    assert losses["train_loss"].iloc[-1] < 0.8 * losses["train_loss"].iloc[0]
    assert list(losses["validation_loss"]) == list(losses["validation_mse"])
    assert progress.best_val_loss < 0.8 * untrained
    assert all(p.dtype == torch.float32 for p in run.network.parameters())
    best = load_network(tmp_path / "best.pt", network, 120)
    found, _ = evaluate(best, run.validation, CPU, precision)
    assert found == pytest.approx(progress.best_val_loss, rel=1e-6)


def test_the_contrast_network_learns_and_resumes(cohorts, tmp_path):
    recipe = replace(RECIPE, network="contrast", widths=(16,), learning_rate=1e-2, epochs=3)
    run = trainer(cohorts, tmp_path / "whole", recipe)
    untrained, _ = evaluate(run.network, run.validation, CPU)
    progress = run.run()
    assert progress.best_val_loss < untrained
    best = load_network(tmp_path / "whole/best.pt", "contrast", 120)
    assert evaluate(best, run.validation, CPU)[0] == pytest.approx(progress.best_val_loss, rel=1e-6)
    # Its fixed input layer is part of the state, so a training in two parts is the same.
    part = trainer(cohorts, tmp_path / "parts", replace(recipe, epochs=1))
    part.run()
    trainer(cohorts, tmp_path / "parts", recipe).run()
    assert_equal_states(tmp_path / "whole/state.pt", tmp_path / "parts/state.pt")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_all_products_of_a_training_are_allowed_its_precision(cohorts, tmp_path, precision):
    """Forward, backward and in the evaluation; which products take bf16 is up to the library."""
    run = trainer(cohorts, tmp_path, replace(RECIPE, epochs=1, precision=precision))
    allowed = {"training": set(), "evaluation": set(), "backward": set()}

    def forward(layer, _):
        of = allowed["training" if layer.training else "evaluation"]
        of.add(torch.backends.mkldnn.matmul.fp32_precision)

    def backward(*_):
        allowed["backward"].add(torch.backends.mkldnn.matmul.fp32_precision)

    run.network.fc_gene.register_forward_pre_hook(forward)
    run.network.fc_gene.register_full_backward_hook(backward)
    run.run()
    expected = {"fp32": {"ieee"}, "bf16": {"bf16"}}[precision]
    assert allowed == dict.fromkeys(allowed, expected)


def test_bf16_learns_as_fp32_to_a_tolerance(cohorts, tmp_path):
    wide = replace(RECIPE, widths=(512,))
    losses = {
        precision: trainer(cohorts, tmp_path / precision, replace(wide, precision=precision))
        .run()
        .history[-1]["train_loss"]
        for precision in ("fp32", "bf16")
    }
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


def test_the_first_steps_are_adams_on_the_masked_entries(cohorts, tmp_path):
    """The loop against one written out by hand from the paper's recipe."""
    recipe = replace(RECIPE, order="as_released", epochs=1)
    ours = trainer(cohorts, tmp_path, recipe)
    network = build_network("gcn", 120, small.WIDTHS, seed=9001)
    optimizer = Adam(network.parameters(), lr=2e-3, weight_decay=1e-4)
    errors, entries = 0.0, 0
    for batch in ours.training.epoch(1, stream=1):
        prediction = predict(network, batch)
        loss = ((prediction - batch.target) ** 2)[batch.mask].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors, entries = errors + loss.item() * batch.mask.sum(), entries + batch.mask.sum()
    progress = ours.run()
    assert progress.history[0]["train_loss"] == pytest.approx(float(errors / entries), rel=1e-5)
    for name, weights in network.state_dict().items():
        torch.testing.assert_close(ours.network.state_dict()[name], weights, atol=1e-6, rtol=1e-4)


def test_loss_counts_hidden_entries_alone(cohorts, tmp_path):
    batch = next(trainer(cohorts, tmp_path).training.epoch(1))
    prediction = batch.target + 2 * batch.mask - 5 * ~batch.mask
    network = build_network("gcn", 120, small.WIDTHS)
    network.decode = lambda embedding: embedding
    error, hidden = network.loss(prediction, batch.target, batch.mask)
    assert int(hidden) == int(batch.mask.sum())
    assert error.item() / int(hidden) == pytest.approx(4, rel=1e-5)


def test_orders_and_seeds_lead_to_other_weights(cohorts, tmp_path):
    recipes = {
        "plain": replace(RECIPE, epochs=1),
        "as_released": replace(RECIPE, epochs=1, order="as_released"),
        "seed": replace(RECIPE, epochs=1, seed=1),
    }
    weights = {}
    for name, recipe in recipes.items():
        run = trainer(cohorts, tmp_path / name, recipe)
        run.run()
        weights[name] = run.network.fc_gene.weight
    run = trainer(cohorts, tmp_path / "again", recipes["plain"])
    run.run()
    assert torch.equal(weights["plain"], run.network.fc_gene.weight)
    assert not torch.equal(weights["plain"], weights["as_released"])
    assert not torch.equal(weights["plain"], weights["seed"])


@pytest.fixture
def stubborn(cohorts, tmp_path):
    """Makes trainers whose validation loss never changes after the first epoch: nothing learns."""

    def make(**changes) -> Trainer:
        return trainer(cohorts, tmp_path, replace(RECIPE, learning_rate=1e-30, **changes))

    return make


@pytest.mark.parametrize("patience", [1, 3])
def test_training_stops_after_patience_bad_epochs(stubborn, patience):
    run = stubborn(epochs=20, patience=patience, weight_decay=0.0)
    progress = run.run()
    assert run.converged
    assert progress.best_epoch == 1
    assert len(progress.history) == 1 + patience


def test_training_ends_with_the_last_epoch(stubborn):
    short = stubborn(epochs=2, patience=5)
    assert len(short.run().history) == 2 and not short.converged


@pytest.mark.parametrize(("patience", "cuts"), [(0, 4), (1, 2), (10, 0)])
def test_learning_rate_falls_after_more_than_patience_bad_epochs(stubborn, patience, cuts):
    run = stubborn(epochs=20, patience=4, scheduler_patience=patience, scheduler_factor=0.5)
    rates = [row["learning_rate"] for row in run.run().history]
    assert len(rates) == 5
    assert run.optimizer.param_groups[0]["lr"] == pytest.approx(1e-30 * 0.5**cuts)
    assert rates[: 2 + patience] == [1e-30] * min(5, 2 + patience)


def test_the_published_patience_stops_before_the_scheduler_acts(stubborn):
    run = stubborn(epochs=40, patience=Recipe.patience, scheduler_patience=10)
    assert {row["learning_rate"] for row in run.run().history} == {1e-30}
    assert len(run.progress.history) == 11


def test_validation_masks_fixed_or_redrawn(stubborn, cohorts, tmp_path):
    fixed = stubborn(epochs=3).run().history
    assert len({row["validation_loss"] for row in fixed}) == 1
    shutil.rmtree(tmp_path)
    redrawn = stubborn(epochs=3, validation="as_released").run().history
    assert len({row["validation_loss"] for row in redrawn}) == 3


def test_history_and_checkpoint_say_what_was_done(cohorts, undisturbed):
    best, last = (
        read_checkpoint(undisturbed["shuffled"] / name) for name in ("best.pt", "state.pt")
    )
    rows = last["progress"]["history"]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert all(row["seconds"] > 0 and row["spots_per_second"] > 0 for row in rows)
    losses = [row["validation_loss"] for row in rows]
    assert best["best_val_loss"] == last["best_val_loss"] == min(losses)
    assert best["epoch"] == losses.index(min(losses))  # from 0, as released
    assert last["epoch"] == 2
    assert last["hidden_channels"] == list(small.WIDTHS)
    assert (last["learning_rate"], last["weight_decay"]) == (2e-3, 1e-4)
    assert (last["mask_percentage"], last["batch_size"]) == (0.3, 16)


def stop_after(run: Trainer, steps: int):
    """SIGTERM to this very process after some steps."""
    step, taken = run._step, 0

    def stepping(batch):
        nonlocal taken
        step(batch)
        taken += 1
        if taken == steps:
            os.kill(os.getpid(), signal.SIGTERM)

    run._step = stepping


@pytest.mark.parametrize("order", ["as_released", "shuffled"])
@pytest.mark.parametrize("steps", [1, 3, 5, 7, 14])
def test_stopped_and_resumed_is_bitwise_undisturbed(cohorts, undisturbed, tmp_path, order, steps):
    """5 steps make an epoch: stopped in its first step, middle and end."""
    recipe = replace(RECIPE, order=order)
    first = trainer(cohorts, tmp_path, recipe)
    stop_after(first, steps)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Preempted):
        first.run()
    assert signal.getsignal(signal.SIGTERM) == before
    state = read_checkpoint(tmp_path / "state.pt")["progress"]
    assert (state["epoch"] - 1) * 5 + state["batch"] == steps
    second = trainer(cohorts, tmp_path, recipe)
    assert (second.progress.epoch - 1) * 5 + second.progress.batch == steps
    second.run()
    for name in ("best.pt", "state.pt"):
        assert_equal_states(tmp_path / name, undisturbed[order] / name)


def test_stopped_at_every_step_is_still_bitwise_undisturbed(cohorts, undisturbed, tmp_path):
    starts = 0
    while starts < 20:
        starts += 1
        run = trainer(cohorts, tmp_path, replace(RECIPE, order="shuffled"))
        stop_after(run, 1)
        try:
            run.run()
            break
        except Preempted:
            continue
    assert starts in (15, 16)  # 15 steps; the last stop may find nothing left to do
    for name in ("best.pt", "state.pt"):
        assert_equal_states(tmp_path / name, undisturbed["shuffled"] / name)


def test_a_resumed_training_keeps_its_kernels_whatever_is_faster_now(
    cohorts, tmp_path, monkeypatch
):
    chosen = {f"{small.WIDTHS[1]} x {small.WIDTHS[0]}": ["output", "weight gradient"]}
    choices, measured = iter([chosen, chosen, {}]), []

    def choose(network, rows):
        measured.append(rows)
        return next(choices)

    monkeypatch.setattr(trainer_module, "choose", choose)
    trainer(cohorts, tmp_path / "undisturbed").run()
    first = trainer(cohorts, tmp_path / "stopped")
    stop_after(first, 7)
    with pytest.raises(Preempted):
        first.run()
    second = trainer(cohorts, tmp_path / "stopped")
    assert measured == [RECIPE.batch_size] * 2
    second.run()
    for name in ("best.pt", "state.pt"):
        assert_equal_states(tmp_path / "stopped" / name, tmp_path / "undisturbed" / name)
        assert read_checkpoint(tmp_path / "stopped" / name)["kernels"] == chosen


@pytest.mark.parametrize("changes", [{"precision": "bf16"}, {"compiled": True}], ids=str)
def test_kernels_are_chosen_for_fp32_that_is_not_compiled(cohorts, tmp_path, monkeypatch, changes):
    def choose(*_):
        raise AssertionError

    monkeypatch.setattr(trainer_module, "choose", choose)
    recipe = replace(RECIPE, precision=changes.get("precision", "fp32"))
    run = trainer(cohorts, tmp_path, recipe, compiled=changes.get("compiled", False))
    run._save("state.pt")
    assert read_checkpoint(tmp_path / "state.pt")["kernels"] == {}


@pytest.mark.parametrize("steps", [2, 8])
def test_killed_and_resumed_is_bitwise_undisturbed(cohorts, undisturbed, tmp_path, steps):
    """A kill leaves the last state saved: here, that of every step, copied in mid-epoch."""
    run = trainer(cohorts, tmp_path / "first", replace(RECIPE, order="shuffled"), save_seconds=0)
    save, saved = run._save, 0

    def saving(name):
        nonlocal saved
        save(name)
        saved += name == "state.pt"
        if saved == steps and not (tmp_path / "killed").exists():
            shutil.copytree(tmp_path / "first", tmp_path / "killed")

    run._save = saving
    run.run()
    again = trainer(cohorts, tmp_path / "killed", replace(RECIPE, order="shuffled"))
    assert not again._finished()
    again.run()
    for name in ("best.pt", "state.pt"):
        assert_equal_states(tmp_path / "killed" / name, undisturbed["shuffled"] / name)


@pytest.mark.parametrize("name", ["state.pt", "best.pt"])
def test_a_disk_that_is_full_ends_in_one_sentence_and_training_continues(
    cohorts, undisturbed, tmp_path, name
):
    """/dev/full refuses what is written as a full disk does; what was saved before stays good."""
    recipe = replace(RECIPE, order="shuffled")
    run = trainer(cohorts, tmp_path, recipe, save_seconds=0)
    save, saved = run._save, 0

    def saving(to: str):
        nonlocal saved
        saved += 1
        if saved > 6 and to == name:
            temporary_of(tmp_path / name).symlink_to("/dev/full")
        save(to)

    run._save = saving
    with pytest.raises(InputError, match=rf"{name}: no space left on the disk. Fix: free some"):
        run.run()
    assert not list(tmp_path.glob(".tmp*"))
    again = trainer(cohorts, tmp_path, recipe)
    assert again.progress.batch + len(again.progress.history) > 0 and not again._finished()
    again.run()
    for kept in ("best.pt", "state.pt"):
        assert_equal_states(tmp_path / kept, undisturbed["shuffled"] / kept)


def test_a_finished_state_is_not_trained_further(cohorts, undisturbed, tmp_path):
    shutil.copytree(undisturbed["shuffled"], tmp_path / "state")
    before = (tmp_path / "state/state.pt").read_bytes()
    assert len(trainer(cohorts, tmp_path / "state").run().history) == 3
    assert (tmp_path / "state/state.pt").read_bytes() == before


def test_workers_do_not_change_the_weights(cohorts, undisturbed, tmp_path):
    run = trainer(cohorts, tmp_path, replace(RECIPE, order="shuffled"))
    run.training = replace(run.training, workers=3)
    run.run()
    assert_equal_states(tmp_path / "state.pt", undisturbed["shuffled"] / "state.pt")


MODEL = {
    "normalisation": "log1p_cp10k",
    "network": "two_channel",
    "widths": [16, 8],
    "mask_share": 0.4,
    "training": {
        "epochs": 7,
        "batch_size": 32,
        "buffer_spots": 77,
        "learning_rate": 0.001,
        "weight_decay": 0.0,
        "patience": 3,
        "scheduler_patience": 2,
        "scheduler_factor": 0.5,
        "order": "as_released",
        "validation": "as_released",
        "genes": "all_as_in_the_paper",
        "precision": "bf16",
        "seed": 5,
    },
}


def test_recipe_takes_every_training_key_of_the_config():
    recipe = recipe_of(MODEL)
    assert recipe.network == "two_channel"
    assert recipe.widths == (16, 8)
    for key, value in MODEL["training"].items():
        assert getattr(recipe, key) == value


def test_recipes_defaults_are_the_schemas():
    from sagefm.config.schemas import load_schema

    model = load_schema("config")["properties"]["models"]["additionalProperties"]["properties"]
    training = model["training"]["properties"]
    # How many devices it is shared out among is no matter of the recipe.
    assert training.pop("devices")["default"] == 1
    defaults = {key: value["default"] for key, value in training.items()}
    expected = {key: getattr(Recipe(), key) for key in defaults}
    assert defaults == expected
    assert tuple(model["widths"]["default"]) == Recipe().widths
    assert set(MODEL["training"]) == set(training)


def test_batches_take_the_models_and_the_machines_settings(cohorts):
    batches = batches_of(cohorts["knn_clique"], MODEL, "knn_clique", workers=2)
    assert (batches.layout, batches.normalisation) == ("channels", "log1p_cp10k")
    assert (batches.batch_size, batches.mask_share, batches.seed) == (32, 0.4, 5)
    assert (batches.buffer_spots, batches.workers) == (77, 2)
    assert batches.every_gene
    measured = MODEL | {"training": MODEL["training"] | {"genes": "measured"}}
    assert not batches_of(cohorts["knn_clique"], measured, "knn_clique", workers=2).every_gene


def test_what_no_section_measured_is_not_learnt(cohorts, tmp_path):
    """The decoder's rows of such a gene keep their first values; those of others do not."""
    sections = []
    for section, n_lacking in zip(cohorts["knn_clique"], (10, 30, 20), strict=True):
        changed = read_h5ad(section.counts_path)
        changed.var["measured"] = np.arange(changed.n_vars) >= n_lacking
        path = tmp_path / section.cohort / section.counts_path.name
        write_h5ad(changed, path)
        sections.append(replace(section, counts_path=path))
    recipe = replace(RECIPE, epochs=1, weight_decay=0.0)
    parts = [
        Batches(own, "mean", "log1p", batch_size=16, every_gene=False)
        for own in (sections[:2], sections[2:])
    ]
    assert unmeasured_words(parts[0]) == (
        "2 of 2 training sections did not measure all genes of the panel (at least 90 of 120); "
        "what a section did not measure is not predicted there, so that 10 genes are not learnt"
    )
    run = Trainer(recipe, *parts, tmp_path / "state", device=CPU)
    (tmp_path / "state").mkdir()
    before = run.network.fc_gene.bias.detach().clone()
    run.run()
    same = run.network.fc_gene.bias == before
    assert same[:10].all()
    assert (~same[10:]).sum() > 20  # of the others, the ReLU keeps many at 0


@pytest.fixture
def output(tmp_path):
    folder = tmp_path / "models/paper"
    return SimpleNamespace(
        best=folder / "best.pt",
        last=folder / "last.pt",
        history=folder / "history.tsv",
        summary=folder / "training.json",
    )


def test_publish_leaves_four_files_and_no_state(cohorts, undisturbed, tmp_path, output):
    state = output.best.parent / "state/0123456789abcdef"
    shutil.copytree(undisturbed["shuffled"], state)
    run = trainer(cohorts, state)
    publish(run, output, threads=2)
    names = {path.name for path in output.best.parent.iterdir()}
    assert names == {"best.pt", "last.pt", "history.tsv", "training.json"}
    for ours, theirs in ((output.best, "best.pt"), (output.last, "state.pt")):
        assert_equal_states(ours, undisturbed["shuffled"] / theirs)
    table = read_table(output.history)
    assert list(table["epoch"]) == [1, 2, 3]
    losses = [row["validation_loss"] for row in run.progress.history]
    assert list(table["validation_loss"]) == pytest.approx(losses, rel=1e-12)
    summary = json.loads(output.summary.read_text())
    assert summary["parameters"] == sum(p.numel() for p in run.network.parameters())
    assert (summary["train_samples"], summary["train_spots"]) == (2, 80)
    assert (summary["validation_samples"], summary["validation_spots"]) == (1, 40)
    assert summary["epochs"] == 3
    assert summary["core_hours"] == pytest.approx(table["seconds"].sum() * 2 / 3600, abs=1e-4)
    assert summary["gpu_hours"] is None


def test_publish_again_after_a_kill_in_between(cohorts, undisturbed, output):
    state = output.best.parent / "state/0123456789abcdef"
    shutil.copytree(undisturbed["shuffled"], state)
    output.best.write_text("from before")
    publish(trainer(cohorts, state), output, threads=2)
    assert_equal_states(output.best, undisturbed["shuffled"] / "best.pt")


def test_state_folder_is_named_by_recipe_and_contents(tmp_path):
    for name, text in (("a", "1"), ("b", "2"), ("c", "1")):
        (tmp_path / name).write_text(text)
    a, b, c = (tmp_path / name for name in "abc")
    folder = state_folder(tmp_path, MODEL, [a, b])
    assert folder.parent == tmp_path
    assert folder == state_folder(tmp_path, json.loads(json.dumps(MODEL)), [c, b])
    reordered = dict(reversed(MODEL.items()))
    assert folder == state_folder(tmp_path, reordered, [a, b])
    others = [
        state_folder(tmp_path, MODEL | {"mask_share": 0.3}, [a, b]),
        state_folder(tmp_path, MODEL | {"training": MODEL["training"] | {"seed": 6}}, [a, b]),
        state_folder(tmp_path, MODEL, [a]),
        state_folder(tmp_path, MODEL, [b, a]),
    ]
    b.write_text("3")
    others.append(state_folder(tmp_path, MODEL, [a, b]))
    assert len({folder, *others}) == 6


HOLDER = """
import signal, sys, time
from pathlib import Path
from sagefm.common.state import exclusive

def leave(*_):
    time.sleep(0.5)  # a state being saved
    Path(sys.argv[1], "saved").touch()
    sys.exit(143)

if sys.argv[2] == "exits":
    signal.signal(signal.SIGTERM, leave)
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path, repo):
    """Starts another process that holds the folder."""
    processes = []

    def start(how: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, tmp_path / "state", how],
            env=os.environ | {"PYTHONPATH": str(repo / "workflow")},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def test_a_newer_job_takes_over_when_the_older_has_saved(tmp_path, holder):
    process = holder("exits")
    # The older job is nobody's child here: its parent, Snakemake, is gone, and init reaps it.
    reaper = threading.Thread(target=process.wait)
    reaper.start()
    with exclusive(tmp_path / "state"):
        assert (tmp_path / "state/saved").exists()
        assert (tmp_path / "state/owner").read_text().split()[1] == str(os.getpid())
    reaper.join()
    assert process.returncode == 143


@contextmanager
def locked(folder: Path, text: str):
    """The folder is held by a process that is not asked, of which its file has the text."""
    (folder / "owner").write_text(text)
    with (folder / "owner").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield held


def released_later(held) -> threading.Timer:
    """Releases the lock in half a second."""
    timer = threading.Timer(0.5, fcntl.flock, (held, fcntl.LOCK_UN))
    timer.start()
    return timer


def own_words(process: int) -> str:
    """What the file of the owner has of a process of this machine."""
    return f"{socket.gethostname()} {process} {state.started(process)}"


def test_a_holder_that_ends_as_it_is_asked_is_no_error(tmp_path):
    """The name in the file may be of one that is gone by now."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    words = own_words(ended.pid)
    ended.wait()
    assert state.started(ended.pid) == ""
    with locked(tmp_path, words) as held, exclusive_after(held, tmp_path):
        pass


@contextmanager
def exclusive_after(held, folder: Path):
    """Waits for the lock, which is released meanwhile."""
    timer = released_later(held)
    with exclusive(folder):
        timer.join()
        assert (folder / "owner").read_text() == own_words(os.getpid())
        yield


def test_an_owner_that_has_not_written_yet_is_waited_for(tmp_path):
    with locked(tmp_path, "") as held, exclusive_after(held, tmp_path):
        pass


def test_the_word_of_another_machines_last_owner_is_read_again(tmp_path):
    """The lock of the file may be new, and its text the last owner's."""
    with locked(tmp_path, "elsewhere 12 34") as held:
        timer = threading.Timer(0.1, lambda: (held.truncate(0), held.flush()))
        timer.start()
        with exclusive_after(held, tmp_path):
            pass


def test_a_process_number_that_was_given_to_another_is_not_signalled(tmp_path, monkeypatch):
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(state, "TAKEOVER_SECONDS", 0.5)
    host, process, since = own_words(innocent.pid).split()
    try:
        words = rf"another process \({process} on {host}\) is already running this step"
        held = locked(tmp_path, f"{host} {process} {int(since) - 1}")
        with held, pytest.raises(InputError, match=words), exclusive(tmp_path):
            pytest.fail("two processes hold one state")
        assert innocent.poll() is None
        held = locked(tmp_path, f"{host} {process} {since}")
        with held, pytest.raises(InputError, match=words), exclusive(tmp_path):
            pytest.fail("two processes hold one state")
        assert innocent.wait(10) == -signal.SIGTERM
    finally:
        innocent.kill()
        innocent.wait()


def test_a_killed_holder_leaves_no_lock(tmp_path, holder):
    process = holder("stays")
    process.kill()
    process.wait()
    with exclusive(tmp_path / "state"):
        pass


def test_a_process_that_does_not_stop_is_named(tmp_path, holder, monkeypatch):
    process = holder("stays")
    monkeypatch.setattr(state, "TAKEOVER_SECONDS", 0.5)
    words = rf"another process \({process.pid} on .*\) is already running this step\. Fix: wait"
    with pytest.raises(InputError, match=words), exclusive(tmp_path / "state"):
        pytest.fail("two processes hold one state")
    assert process.poll() is None


def test_another_machines_process_is_not_signalled(tmp_path, holder, monkeypatch):
    process = holder("exits")
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    started = time.monotonic()
    words = rf"another process \({process.pid} on .*\) is already running this step"
    with pytest.raises(InputError, match=words), exclusive(tmp_path / "state"):
        pytest.fail("two machines hold one state")
    assert time.monotonic() - started < 5
    assert process.poll() is None
    assert not (tmp_path / "state/saved").exists()


def test_one_after_the_other(tmp_path):
    for _ in range(2):
        with exclusive(tmp_path / "state"):
            pass


@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_machine_is_prepared(device):
    before = torch.get_num_threads()
    try:
        found = prepare_machine(device, 2)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    expected = "cuda" if device == "auto" and torch.cuda.is_available() else "cpu"
    assert found == torch.device(expected)


def test_a_gpu_that_was_asked_for_is_insisted_on(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"sees none here.*`compute\.gpus` to 0"):
        prepare_machine("cuda", torch.get_num_threads())


def test_a_training_that_diverges_says_so(cohorts, tmp_path):
    run = trainer(cohorts, tmp_path, replace(RECIPE, learning_rate=1e30))
    with pytest.raises(InputError, match="training diverged: the validation loss of epoch 1 is"):
        run.run()
