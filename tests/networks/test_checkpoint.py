"""Checkpoints: the released format is read and written, and other files are refused."""

import pickle
import zipfile
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from sagefm.common.errors import InputError
from sagefm.common.io import temporary_of
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import load_network, read_checkpoint, save_checkpoint
from support.released import Released

GENES, WIDTHS = 50, (16, 8, 8, 8, 16)


@pytest.fixture(scope="module")
def released() -> Released:
    torch.manual_seed(0)
    network = Released(GENES, WIDTHS)
    for parameter in network.parameters():  # PyG's biases start at 0: a wrong one would not show
        nn.init.normal_(parameter, std=0.3)
    return network


@pytest.fixture
def path(tmp_path, released) -> Path:
    """A file as released: its entries by name, optimiser and scheduler after a step."""
    optimizer = torch.optim.Adam(released.parameters(), lr=5e-5, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=10, factor=0.9)
    for parameter in released.parameters():
        parameter.grad = torch.zeros_like(parameter)
    scheduler.step(0.1)
    path = tmp_path / "released.pt"
    torch.save(
        {
            "model_state_dict": released.state_dict(),
            "optimizer_state_dict": optimizer.state_dict(),
            "scheduler_state_dict": scheduler.state_dict(),
            "epoch": 126,
            "best_val_loss": 0.08,
            "hidden_channels": list(WIDTHS),
            "learning_rate": 5e-5,
            "weight_decay": 1e-4,
            "mask_percentage": 0.3,
            "batch_size": 64,
        },
        path,
    )
    return path


def cliques(n=15, count=4):
    """`count` cliques of `n` spots, their edges and centres."""
    x = torch.rand(count * n, GENES, generator=torch.Generator().manual_seed(1))
    pairs = torch.combinations(torch.arange(n)).T
    both = torch.cat([pairs, pairs.flip(0)], dim=1)
    edges = torch.cat([both + i * n for i in range(count)], dim=1)
    return x, edges, torch.arange(count) * n


@pytest.mark.parametrize("n", [15, 6])
def test_a_released_checkpoint_gives_the_released_outputs(path, released, n):
    ours = load_network(path, "gcn", GENES)
    assert not ours.training
    assert ours.widths == WIDTHS
    x, edges, centre = cliques(n)
    embedding, prediction = released(x, edges, centre)
    general = ours.embed_subgraphs(x, edges, centre)
    collapsed = ours.embed_mean(x.reshape(4, n, GENES).mean(dim=1))
    assert torch.equal(general, embedding)
    assert torch.equal(ours.decode(general), prediction)
    torch.testing.assert_close(collapsed, embedding, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours.decode(collapsed), prediction, atol=1e-5, rtol=1e-5)


def test_a_released_checkpoint_keeps_its_other_entries(path):
    checkpoint = read_checkpoint(path)
    assert checkpoint["epoch"] == 126
    assert checkpoint["hidden_channels"] == list(WIDTHS)
    assert set(checkpoint["optimizer_state_dict"]) == {"state", "param_groups"}


@pytest.mark.parametrize("network", ["gcn", "two_channel"])
@pytest.mark.parametrize("widths", [WIDTHS, (4, 3), tuple(range(3, 15))])
def test_ours_round_trip(tmp_path, network, widths):
    model = build_network(network, GENES, widths, seed=1)
    save_checkpoint(tmp_path / "a.pt", model, epoch=3, progress={"history": [{"mse": 0.5}]})
    again = load_network(tmp_path / "a.pt", network, GENES)
    assert again.widths == widths
    state = model.state_dict()
    assert list(state) == list(again.state_dict())
    assert all(torch.equal(state[name], again.state_dict()[name]) for name in state)
    assert read_checkpoint(tmp_path / "a.pt")["progress"] == {"history": [{"mse": 0.5}]}


def test_ours_load_into_the_released_network(tmp_path):
    """Our format is the released one: its own class takes our weights."""
    model = build_network("gcn", GENES, WIDTHS, seed=1)
    save_checkpoint(tmp_path / "a.pt", model)
    theirs = Released(GENES, WIDTHS)
    checkpoint = torch.load(tmp_path / "a.pt", weights_only=True)
    theirs.load_state_dict(checkpoint["model_state_dict"], strict=True)
    x, edges, centre = cliques()
    assert torch.equal(theirs(x, edges, centre)[0], model.embed_subgraphs(x, edges, centre))


def test_a_full_disk_while_saving_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    """/dev/full refuses every write as a full disk does."""
    model = build_network("gcn", GENES, WIDTHS, seed=1)
    path = tmp_path / "a.pt"
    save_checkpoint(path, model, epoch=1)
    temporary_of(tmp_path / "a.pt").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"a\.pt: no space left on the disk"):
        save_checkpoint(path, model, epoch=2)
    assert read_checkpoint(path)["epoch"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


class Evil:
    """Unpickled, it makes a file; so would any class with `__reduce__`."""

    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def cut(share, path):
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def damage(path):
    """Flip the file's directory, at its end, to zeros."""
    content = path.read_bytes()
    path.write_bytes(content[:-200] + bytes(200))


def lfs_pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 376893782\n")


def other_zip(path):
    path.unlink()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("readme.txt", "no tensors")


def with_panel(n, path):
    save_checkpoint(path, build_network("gcn", n, WIDTHS))


def without_decoder(path):
    state = torch.load(path)["model_state_dict"]
    torch.save({"model_state_dict": {k: v for k, v in state.items() if "fc" not in k}}, path)


def without_a_layer(path):
    state = torch.load(path)["model_state_dict"]
    torch.save({"model_state_dict": {k: v for k, v in state.items() if "conv3" not in k}}, path)


def two_channel(path):
    save_checkpoint(path, build_network("two_channel", GENES, WIDTHS))


TRUNCATED = "truncated, or not a PyTorch checkpoint. Fix: fetch or train it again"
BAD_FILES = {
    "missing": (Path.unlink, "there is no such checkpoint. Fix: correct its path"),
    "empty": (partial(cut, 0), TRUNCATED),
    "first bytes": (partial(cut, 0.01), TRUNCATED),
    "half": (partial(cut, 0.5), TRUNCATED),
    "last bytes lost": (partial(cut, 0.99), TRUNCATED),
    "directory lost": (damage, TRUNCATED),
    "Git LFS pointer": (lfs_pointer, TRUNCATED),
    "zip of something else": (other_zip, TRUNCATED),
    "list": (lambda path: torch.save([1, 2], path), "has no `model_state_dict`"),
    "no decoder": (without_decoder, "has no `fc_gene.weight`"),
    "shorter panel": (
        partial(with_panel, 49),
        "predicts 49 genes, but the panel has 50. Fix: use the",
    ),
    "longer panel": (
        partial(with_panel, 51),
        "predicts 51 genes, but the panel has 50. Fix: use the",
    ),
    "a layer lost": (
        without_a_layer,
        "do not fit a `gcn` network .*Fix: name the network that was",
    ),
    "another network": (two_channel, "do not fit a `gcn` network .*Fix: name the network that was"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_in_one_sentence(path, case):
    spoil, words = BAD_FILES[case]
    spoil(path)
    with pytest.raises(InputError, match=words) as error:
        load_network(path, "gcn", GENES)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_bare_state_dict_is_read(path, tmp_path):
    torch.save(torch.load(path)["model_state_dict"], tmp_path / "bare.pt")
    whole, bare = (
        load_network(one, "gcn", GENES).state_dict() for one in (path, tmp_path / "bare.pt")
    )
    assert all(torch.equal(whole[name], bare[name]) for name in whole)


def test_a_released_checkpoint_is_no_two_channel_network(path):
    with pytest.raises(InputError, match="do not fit a `two_channel` network"):
        load_network(path, "two_channel", GENES)


@pytest.mark.parametrize("how", ["torch zip", "torch legacy", "plain pickle"])
def test_code_in_a_checkpoint_is_not_run(tmp_path, how):
    target, path = tmp_path / "executed", tmp_path / "evil.pt"
    content = {"model_state_dict": {}, "extra": Evil(target)}
    if how == "plain pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "torch zip")
    with pytest.raises(
        InputError, match=r"evil\.pt: (not a checkpoint of plain|truncated, or not)"
    ):
        read_checkpoint(path)
    assert not target.exists()
    torch.load(path, weights_only=False) if how != "plain pickle" else pickle.loads(
        path.read_bytes()
    )
    assert target.exists(), "the file was harmless: the test shows nothing"
