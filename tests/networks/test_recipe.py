"""A model's recipe next to its checkpoint: written, read, found, and required."""

import json

import pytest

from sagefm.common.errors import InputError
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import load_network, save_checkpoint
from sagefm.networks.recipe import ModelRecipe, find_model, read_recipe, write_recipe

RECIPE = ModelRecipe(
    ["B", "A", "C"],
    "two_channel",
    "log1p_cp10k",
    {"kind": "star", "size": 9},
    {"min_spots": 20},
    {"duplicates": "sum", "aliases": None},
)


@pytest.fixture
def folder(tmp_path):
    """A model's folder, as a run leaves it."""
    network = build_network("two_channel", 3, (4, 2), seed=0)
    save_checkpoint(tmp_path / "best.pt", network, network="two_channel", normalisation="log1p")
    write_recipe(tmp_path / "recipe.json", RECIPE)
    return tmp_path


def test_a_recipe_is_read_as_it_was_written(folder):
    assert read_recipe(folder / "recipe.json") == RECIPE
    assert list(json.loads((folder / "recipe.json").read_text()))[-1] == "panel"  # the long one


def test_a_model_is_a_folder_or_a_checkpoint_in_it(folder):
    assert find_model(folder) == (folder / "best.pt", RECIPE)
    (folder / "best.pt").rename(folder / "last.pt")
    assert find_model(folder / "last.pt") == (folder / "last.pt", RECIPE)


def test_a_checkpoint_by_itself_is_the_authors(tmp_path, panel):
    """Theirs says nothing of network, graph or panel: those of the paper."""
    path = tmp_path / "HEST1k_epoch_126.pt"
    save_checkpoint(path, build_network("gcn", 4, (4, 2), seed=0), epoch=126)
    checkpoint, recipe = find_model(path)
    assert checkpoint == path
    assert recipe == ModelRecipe(
        panel, "gcn", "log1p", {"kind": "knn_clique", "ties": "ball_tree"}, {}, {}
    )


@pytest.mark.parametrize("named", ["folder", "checkpoint"])
def test_one_of_ours_needs_its_recipe(folder, named):
    (folder / "recipe.json").unlink()
    with pytest.raises(
        InputError,
        match=r"best\.pt: recipe\.json.*is missing.*Fix: copy it.*or give a `recipe`",
    ):
        find_model(folder if named == "folder" else folder / "best.pt")


@pytest.mark.parametrize("name", ["nowhere", "nowhere.pt", "."])
def test_no_model_is_one_sentence(tmp_path, name):
    with pytest.raises(InputError, match=r"there is no such model\. Fix: name a checkpoint"):
        find_model(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not a model's recipe"),
        ("{}", "is not a model's recipe"),
        ("[1]", "is not a model's recipe|not a key of a recipe"),
        ('{"panel": [], "netwrok": "gcn"}', "`netwrok` is not a key of a recipe"),
    ],
)
def test_a_spoilt_recipe_is_one_sentence(folder, text, words):
    (folder / "recipe.json").write_text(text)
    with pytest.raises(InputError, match=words):
        find_model(folder)


def test_a_model_of_the_package_goes_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint, recipe = find_model("light")
    assert (checkpoint.parent.name, recipe.network) == ("light", "light")
    assert load_network(checkpoint, recipe.network, len(recipe.panel)).programmes.any()


def test_a_folder_of_the_users_comes_before_a_model_of_the_package(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    folder.rename(folder.parent / "light")
    assert find_model("light")[1] == RECIPE


def test_where_there_is_no_model_those_of_the_package_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no such model.*comes with the package: light\."):
        find_model(tmp_path / "liht")
