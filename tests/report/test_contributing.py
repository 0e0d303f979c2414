"""docs/extending.md: every registry finds the printed example files, and all paths exist."""

import re

import numpy as np
import pytest
import torch
import yaml

from sagefm.cohorts.formats import registry as formats
from sagefm.config.schemas import first_error, load_schema
from sagefm.downloads.sources import registry as sources
from sagefm.networks import registry as networks
from sagefm.networks.base import build_network
from sagefm.report.docs import TABLES
from sagefm.representations import registry as representations
from sagefm.representations.represent import represent_entry
from support import helpers
from support.cohorts import write_cohort

ROOMS = {
    "cohorts/formats": formats,
    "downloads/sources": sources,
    "networks": networks,
    "representations/methods": representations,
}


@pytest.fixture(scope="module")
def text(repo):
    return (repo / "docs/extending.md").read_text()


@pytest.fixture
def examples(tmp_path, monkeypatch):
    """The name of the entry of each room that the page shows, installed."""
    monkeypatch.setenv("SAGEFM_PATH", str(tmp_path))
    names = helpers.install_examples(tmp_path)
    return {room: stem.removesuffix(".py") for room, _, stem in (n.rpartition("/") for n in names)}


def test_an_example_of_every_registry_is_known_to_the_tables(examples):
    assert set(examples) == set(ROOMS)
    tables = "".join(table() for table in TABLES.values())
    for room, name in examples.items():
        assert name in ROOMS[room].names()
        assert f"| `{name}` |" in tables


def test_the_representation_is_computed(examples, tmp_path):
    cohort = write_cohort(tmp_path)
    made, _ = represent_entry(examples["representations/methods"], {}, cohort, 0)
    np.testing.assert_allclose(made, np.log1p(cohort.counts().X).sum(axis=1), rtol=1e-5)


def test_the_network_is_built_and_may_be_a_models(examples):
    name = examples["networks"]
    network = build_network(name, 30, (8,))
    assert network.embed_channels(torch.ones(4, 30), torch.ones(4, 30)).shape == (4, 8)
    config = {"run": "x", "cohorts": {"x": {"samples": "x.tsv"}}}
    config["models"] = {"m": {"pretrain_on": ["x"], "network": name}}
    assert first_error(config, load_schema("config")) is None


def test_the_pages_are_short_and_their_paths_exist(repo, text):
    text += (repo / "CONTRIBUTING.md").read_text()
    assert len(text.splitlines()) <= 150
    folders = re.findall(r"`((?:workflow|tests|envs|config|resources)/[\w./]+)`", text)
    assert len(folders) > 5
    for path in folders:
        if "/X" not in path and "mine" not in path:
            assert (repo / path).exists(), path


def test_its_yaml_is_a_schemas(text):
    (key,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    (name,) = yaml.safe_load(key)
    assert name in load_schema("config")["properties"]["qc"]["properties"]
