"""A released checkpoint is put in place only if it fits."""

import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import load_network, save_checkpoint, take_checkpoint

GENES, WIDTHS = 30, (8, 4, 8)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder with a checkpoint, and one that was cut off."""
    folder = tmp_path_factory.mktemp("shelf")
    save_checkpoint(folder / "release.pt", build_network("gcn", GENES, WIDTHS, seed=0), epoch=126)
    content = (folder / "release.pt").read_bytes()
    (folder / "half.pt").write_bytes(content[: len(content) // 2])
    return folder


def test_it_is_taken_as_it_is(shelf, tmp_path):
    path = tmp_path / "model/best.pt"
    take_checkpoint(shelf / "release.pt", "gcn", GENES, path)
    found = load_network(path, "gcn", GENES).state_dict()
    for name, weights in load_network(shelf / "release.pt", "gcn", GENES).state_dict().items():
        assert torch.equal(found[name], weights)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "network", "genes", "words"),
    [
        ("release.pt", "gcn", 7, "predicts 30 genes, but the panel has 7"),
        ("release.pt", "two_channel", GENES, "do not fit a `two_channel` network"),
        ("half.pt", "gcn", GENES, "truncated"),
    ],
)
def test_a_file_that_does_not_fit_is_named(shelf, tmp_path, name, network, genes, words):
    path = shelf / name
    with pytest.raises(InputError, match=words) as caught:
        take_checkpoint(path, network, genes, tmp_path / "best.pt")
    assert str(caught.value).startswith(str(path))
    assert str(tmp_path) not in str(caught.value)
    assert not list(tmp_path.iterdir())
    assert path.exists()
