"""A network is one file: placed in a searched folder, it is known everywhere."""

import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from sagefm.common.errors import InputError
from sagefm.common.registry import SEARCH_PATH
from sagefm.networks.base import build_network, loss
from sagefm.networks.checkpoint import load_network, save_checkpoint
from sagefm.networks.registry import describe, help_of, names
from sagefm.preflight.disk import PARAMETER_BYTES, checkpoint_bytes
from sagefm.report.overview import layers_table
from sagefm.sections.dense import make_batch
from sagefm.sections.section import load_chunk
from support import helpers, small


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The name of the network that docs/extending.md shows, its file in a folder of the test."""
    monkeypatch.setenv(SEARCH_PATH, str(tmp_path))
    helpers.install_examples(tmp_path)
    return "one_layer"


def test_it_is_listed_with_its_words(added):
    assert added in names()
    assert help_of(added) == "A single matrix from the neighbours' mean to the embedding."
    facts = describe(added)
    assert facts.title == "a single matrix"
    assert facts.loss.words == "mean squared error"
    assert facts.layout("grid") == "channels" and not facts.collapses_on("grid")
    assert not facts.refuses_missing_genes


def test_it_trains_and_is_loaded_again(added, tmp_path):
    section = small.write_sections(tmp_path, ["heart-1"], genes=60)
    chunk = load_chunk(section, "log1p")
    rows = np.arange(20)
    network = build_network(added, 60, (8,), seed=0)
    mask = np.zeros((20, 60), dtype=bool)
    mask[:, ::3] = True
    batch = make_batch([(chunk, rows)], describe(added).layout("knn_clique"), mask)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        total, entries = loss(network, batch)
        (total / entries).backward()
        optimizer.step()
        losses.append(float(total.detach() / entries))
    assert losses[-1] < losses[0]
    save_checkpoint(tmp_path / "best.pt", network)
    again = load_network(tmp_path / "best.pt", added, 60)
    assert again.widths == (8,)
    assert torch.equal(again.read.weight, network.read.weight)


def test_it_is_in_figure_1_and_in_the_need_of_disk(added):
    network = build_network(added, 30, (8,))
    weights = [one.numel() for one in network.parameters() if one.dim() == 2]
    expected = PARAMETER_BYTES * sum(weights)
    assert checkpoint_bytes({"network": added, "widths": [8]}, 30) == expected
    shapes = [(key, tuple(own.shape)) for key, own in network.named_parameters()]
    assert layers_table(shapes)["layer"].tolist() == ["read", "fc_gene"]
    assert describe(added).input_words("grid", 7) == "centre, and mean of its neighbours"


def test_a_name_that_is_near_is_offered():
    with pytest.raises(InputError, match="did you mean `two_channel`"):
        describe("two_chanel")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('TITLE = "a single matrix"', "", r"one_layer\.py: `TITLE` is missing. Fix: add it"),
        ('"channels"}', '"chanels"}', "no layout `chanels`; did you mean `channels`"),
        ('"a single matrix"', "title()", r"line 7: not a constant.*Fix: write a number, text"),
    ],
)
def test_a_file_that_lacks_something_is_named(added, tmp_path, old, new, words):
    path = tmp_path / "networks/one_layer.py"
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new))
    with pytest.raises(InputError, match=words):
        describe(added)


def test_facts_are_read_without_torch(repo):
    code = (
        "import sys; from sagefm.networks.registry import names, help_of, describe\n"
        "print([help_of(name) for name in names()], describe('gcn').layout('grid'))\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(repo / "workflow")}
    )


def test_nothing_outside_their_files_tests_for_a_networks_name(repo):
    """A comparison with a network's name would be one more place to change for a new network."""
    tested = re.compile(rf"(==|!=|\bin \()\s*[\"'](?:{'|'.join(names())})[\"']")
    files = [*(repo / "workflow").rglob("*.py"), *(repo / "workflow").rglob("*.smk")]
    assert not [str(path) for path in files if tested.search(path.read_text())]
    assert tested.search('model["network"] == "gcn"')
