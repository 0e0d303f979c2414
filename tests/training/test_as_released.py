"""`as_released` behaves like the released code: weights, order, validation, checkpoints."""

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import read_checkpoint, save_checkpoint
from sagefm.sections.batches import Batches
from sagefm.sections.masks import FIXED_STREAM
from sagefm.training.evaluation import evaluate
from sagefm.training.split import in_released_order, paths_of_part
from sagefm.training.trainer import Recipe, Trainer
from support import small
from support.released import Released, masked_loss, steps

CPU = torch.device("cpu")
GENES = 120
RECIPE = Recipe(
    widths=small.WIDTHS, batch_size=16, order="as_released", validation="as_released", epochs=3
)


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("as_released"))


def batches(sections, layout="mean") -> Batches:
    return Batches(sections, layout, "log1p", batch_size=RECIPE.batch_size, seed=RECIPE.seed)


def trainer(sections, state, **changes) -> Trainer:
    """Trains on two sections of 40 spots: 5 batches an epoch; stops by a third: 16, 16 and 8."""
    parts = batches(sections[:2]), batches(sections[2:])
    return Trainer(replace(RECIPE, **changes), *parts, state, device=CPU)


def theirs(seed: int = 0) -> tuple[Released, torch.optim.Adam]:
    torch.manual_seed(seed)
    network = Released(GENES, small.WIDTHS)
    return network, torch.optim.Adam(network.parameters(), lr=5e-5, weight_decay=1e-4)


def assert_close(network, other, start):
    """Weights are equal but for rounding: 1e-3 of the way that training has moved them."""
    ours, found, before = network.state_dict(), other.state_dict(), start
    assert list(ours) == list(found)
    for name in ours:
        moved = (found[name] - before[name]).abs().max()
        assert moved > 0, name
        assert (ours[name] - found[name]).abs().max() < 1e-3 * moved, name


def test_a_seed_draws_the_released_weights_in_the_released_order():
    network, _ = theirs(9001)
    ours = build_network("gcn", GENES, small.WIDTHS, seed=9001)
    names = [name for name, _ in network.named_parameters()]
    assert names[0] == "conv1.bias" and names[-1] == "fc_gene.bias"
    assert [name for name, _ in ours.named_parameters()] == names
    for name, weights in network.state_dict().items():
        assert torch.equal(ours.state_dict()[name], weights), name


def test_a_checkpoint_goes_there_and_comes_back(sections, tmp_path):
    """An epoch here, one there, one here again: as three of either."""
    every = batches(sections[:2], "subgraphs")
    epochs = [list(every.epoch(i, stream=i)) for i in (1, 2, 3)]
    alone, alone_optimizer = theirs(9001)
    start = {name: weights.clone() for name, weights in alone.state_dict().items()}

    trainer(sections, tmp_path / "first", epochs=1).run()
    steps(alone, alone_optimizer, epochs[0])
    made_here = read_checkpoint(tmp_path / "first/state.pt")
    network, optimizer = theirs(1)
    network.load_state_dict(made_here["model_state_dict"])
    optimizer.load_state_dict(made_here["optimizer_state_dict"])
    assert_close(network, alone, start)
    steps(network, optimizer, epochs[1])
    steps(alone, alone_optimizer, epochs[1])
    assert_close(network, alone, start)

    made_there = {"optimizer_state_dict": optimizer.state_dict(), "epoch": 1}
    save_checkpoint(tmp_path / "there.pt", network, **made_there)
    checkpoint = read_checkpoint(tmp_path / "there.pt")
    again = trainer(sections, tmp_path / "again")
    again.network.load_state_dict(checkpoint["model_state_dict"])
    again.optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
    again.progress.epoch = checkpoint["epoch"] + 2  # the next; theirs count from 0
    again.run()
    steps(alone, alone_optimizer, epochs[2])
    assert_close(again.network, alone, start)
    assert read_checkpoint(tmp_path / "first/state.pt")["epoch"] == 0


def test_the_optimisers_state_is_in_the_released_order(sections, tmp_path):
    """Its entries have numbers for names; loaded in another order they fit without an error."""
    trainer(sections, tmp_path, epochs=1).run()
    state = read_checkpoint(tmp_path / "state.pt")["optimizer_state_dict"]["state"]
    network, _ = theirs()
    shapes = [tuple(parameter.shape) for parameter in network.parameters()]
    assert [tuple(state[i]["exp_avg"].shape) for i in range(len(state))] == shapes


def test_validation_is_the_mean_of_batch_means_on_masks_drawn_anew(sections, tmp_path):
    run = trainer(sections, tmp_path, learning_rate=1e-30, weight_decay=0.0)
    history = run.run().history
    network, _ = theirs(9001)
    for epoch, row in enumerate(history, start=1):
        with torch.inference_mode():
            means = [
                masked_loss(network, batch).item()
                for batch in batches(sections[2:], "subgraphs").epoch(0, stream=epoch)
            ]
        assert len(means) == 3
        assert row["validation_loss"] == pytest.approx(np.mean(means), rel=1e-5)
    assert len({row["validation_loss"] for row in history}) == 3


def test_a_short_last_batch_counts_as_much_as_any(sections):
    network = build_network("gcn", GENES, small.WIDTHS, seed=1)
    data = batches(sections[2:])
    by_batch, error = evaluate(network, data, CPU, stream=FIXED_STREAM, by_batch=True)
    by_entry, same = evaluate(network, data, CPU, stream=FIXED_STREAM)
    assert error == same == pytest.approx(by_entry, rel=1e-6)
    assert abs(by_batch - by_entry) > 1e-5


def test_sections_are_shuffled_once_as_the_list_of_all_files_is():
    """The whole list is shuffled, then cut: a part's order is that of the whole."""
    names = [f"s{i:02d}" for i in range(20)]
    parts = ["test" if i % 7 == 0 else "train" for i in range(20)]
    split = pd.DataFrame({"cohort": "c", "sample": names, "part": parts})
    before = split.copy()
    listed = list(names)
    state = random.getstate()
    random.seed(9001)
    random.shuffle(listed)
    random.setstate(state)
    found = in_released_order(split, 9001)
    assert list(found["sample"]) == listed != names
    assert random.getstate() == state
    pd.testing.assert_frame_equal(split, before)
    paths = [f"samples/c/{name}.h5ad" for name in names]
    trained = [path.stem for path in paths_of_part(found, paths, "train")]
    assert trained == [name for name in listed if parts[names.index(name)] == "train"]
