"""Paths and the panel, shared by all tests."""

from pathlib import Path

import pytest

pytest_plugins = ["strict_skips"]

REPO = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root."""
    return REPO


@pytest.fixture(scope="session")
def panel() -> list[str]:
    """The paper's 14,558 gene symbols, in the model's order."""
    return (REPO / "resources/panel/sagefm_genes.txt").read_text().split()
