"""The ladder from the paper's recipe to our networks: each step is what its title says."""

import pytest
import torch
import yaml

from sagefm.networks.base import build_network
from sagefm.networks.registry import describe

GENES, SPOTS = 30, 6


@pytest.fixture
def ladder(repo, monkeypatch) -> dict:
    """The models of the config, their networks known."""
    monkeypatch.setenv("SAGEFM_PATH", str(repo / "config/ladder"))
    return yaml.safe_load((repo / "config/ladder.yaml").read_text())["models"]


@pytest.fixture
def spots() -> tuple[torch.Tensor, torch.Tensor]:
    """Expression of some spots and of their neighbours."""
    return torch.rand(2, SPOTS, GENES, generator=torch.Generator().manual_seed(0)).unbind()


def filled(name: str):
    """A network of the ladder whose components are drawn, not fitted."""
    network = build_network(name, GENES, (8,), seed=0)
    with torch.no_grad():
        for part in (network.centre_components, network.neighbours_components):
            part.normal_(generator=torch.Generator().manual_seed(1))
        network.centre_mean.fill_(0.5)
    return network


def test_it_begins_at_the_demos_recipe_of_the_paper(ladder, repo):
    demo = yaml.safe_load((repo / "config/config.yaml").read_text())["models"]["paper"]
    for key in (demo.keys() | ladder["paper"].keys()) - {"title"}:
        assert ladder["paper"][key] == demo[key], key


def test_the_full_run_has_a_network_of_the_ladder_and_the_light_model(ladder, repo):
    full, light = (
        yaml.safe_load((repo / f"config/{name}.yaml").read_text())["models"]
        for name in ("paper", "light")
    )
    for own, entry in ((ladder["channels"], full["channels"]), (light["light"], full["light"])):
        for key in ("network", "widths", "normalisation"):
            assert own.get(key) == entry.get(key), key
        # Of so many sections, an epoch is worth more: how many there are is another matter.
        assert own["training"].items() >= entry["training"].items()


def test_its_networks_are_known(ladder):
    found = {describe(model.get("network", "gcn")).name for model in ladder.values()}
    assert found == {"gcn", "two_channel", "from_components", "from_mean", "contrast"}


def test_from_components_predicts_the_mean_where_nothing_sets_a_spot_apart(ladder, spots):
    network = filled("from_components")
    embedding = network.embed_channels(*spots)
    assert embedding.shape == (SPOTS, 100)
    assert torch.equal(network.decode(torch.zeros_like(embedding)), torch.full((SPOTS, GENES), 0.5))
    mask = torch.ones(SPOTS, GENES, dtype=torch.bool)
    total, entries = network.loss(embedding, spots[0], mask)
    error = (network.decode(embedding) - spots[0]).square().sum()
    torch.testing.assert_close(total, error)
    assert entries == SPOTS * GENES


def test_from_mean_predicts_the_sections_mean_at_its_average_spot(ladder, spots):
    network, background = filled("from_mean"), spots[0].mean(dim=0).expand(SPOTS, GENES)
    average = network.embed_background(background, background)
    context = background, background.expm1()
    torch.testing.assert_close(network.decode(average, *context), background)
    away = network.decode(network.embed_background(*spots), *context)
    assert not torch.allclose(away, background)
