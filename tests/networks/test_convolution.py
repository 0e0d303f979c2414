"""A graph convolution leaves nothing in the folder for temporary files."""

import os
import subprocess
import sys
from pathlib import Path

MAKE = """
import torch
from sagefm.networks.base import build_network
nodes, edges = torch.rand(3, 4), torch.tensor([[0, 1, 2], [1, 2, 0]])
for _ in range(2):
    network = build_network("gcn", 4, (3, 2), seed=1)
    print(network.embed_subgraphs(nodes, edges, torch.tensor([0])).shape)
"""


def test_no_file_is_left_in_the_folder_for_temporary_files(repo, tmp_path):
    (tmp_path / "of_another.py").touch()
    environment = {**os.environ, "PYTHONPATH": str(repo / "workflow"), "TMPDIR": str(tmp_path)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else Python caches no code beside it
    made = subprocess.run(
        [sys.executable, "-c", MAKE], env=environment, capture_output=True, text=True
    )
    assert made.stdout == "torch.Size([1, 2])\n" * 2, made.stderr
    left = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [Path("of_another.py")]
