"""A graph convolution is torch_geometric's, is imported when needed, and leaves no file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch_geometric.nn import GCNConv

from sagefm.networks.convolution import GraphConvolution

MAKE = """
import sys
import torch
from sagefm.networks.base import build_network
nodes, edges = torch.rand(3, 4), torch.tensor([[0, 1, 2], [1, 2, 0]])
for _ in range(2):
    network = build_network("gcn", 4, (3, 2), seed=1)
    assert network.embed_mean(nodes).shape == (3, 2)
    print("torch_geometric" in sys.modules)
    print(network.embed_subgraphs(nodes, edges, torch.tensor([0])).shape)
"""


def test_its_weights_and_their_names_are_those_of_the_same_seed():
    torch.manual_seed(3)
    theirs = GCNConv(40, 30)
    after = torch.rand(2)
    torch.manual_seed(3)
    ours = GraphConvolution(40, 30)
    assert torch.equal(torch.rand(2), after)
    expected = {"bias": theirs.bias, "lin.weight": theirs.lin.weight}
    found = dict(ours.named_parameters())
    assert list(found) == [name for name, _ in theirs.named_parameters()] == list(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("sizes", [(6, 4), (4, 6)])
def test_outputs_and_gradients_are_those_of_the_layer(sizes):
    torch.manual_seed(0)
    ours, theirs = GraphConvolution(*sizes), GCNConv(*sizes)
    torch.nn.init.uniform_(ours.bias)
    theirs.load_state_dict(ours.state_dict())
    nodes, edges = torch.rand(5, sizes[0]), torch.tensor([[0, 1, 2, 3, 0], [1, 2, 0, 0, 3]])
    outputs = [layer(nodes, edges) for layer in (ours, theirs)]
    assert torch.equal(*outputs)
    for output in outputs:
        output.square().sum().backward()
    assert torch.equal(ours.lin.weight.grad, theirs.lin.weight.grad)
    assert torch.equal(ours.bias.grad, theirs.bias.grad)


def test_cliques_import_no_torch_geometric_and_no_file_is_left(repo, tmp_path):
    (tmp_path / "of_another.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(repo / "workflow"), "TMPDIR": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else Python caches no code beside it
    made = subprocess.run(
        [sys.executable, "-c", MAKE], env=environment, capture_output=True, text=True
    )
    shape = "torch.Size([1, 2])\n"
    assert made.stdout == f"False\n{shape}True\n{shape}", made.stderr
    left = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [Path("of_another.py")]
