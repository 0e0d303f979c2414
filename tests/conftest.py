"""Paths and the panel, shared by all tests."""

import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "workflow"))


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root."""
    return REPO


@pytest.fixture(scope="session")
def panel() -> list[str]:
    """The paper's 14,558 gene symbols, in the model's order."""
    return (REPO / "resources/panel/sagefm_genes.txt").read_text().split()
