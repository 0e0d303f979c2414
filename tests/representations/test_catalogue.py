"""Names, colours and roles of representations: from the method, and the same for all models."""

import re

import pytest

from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema
from sagefm.plotting.colours import (
    CLASS_COLOURS,
    MODEL_COLOURS,
    NEUTRAL,
    ORGAN_COLOURS,
    PATIENT_COLOURS,
    PREDICTOR_COLOURS,
)
from sagefm.representations.catalogue import REGISTERED, Catalogue, describe_models, is_model
from sagefm.representations.method import COMPARED, ROLES, Description
from sagefm.representations.registry import compared_as, described, differs, names


def test_names_are_for_people():
    assert REGISTERED.title("neighbour_mean") == "neighbour mean"
    assert REGISTERED.title("graphst") == "GraphST"
    assert REGISTERED.title("sagefm-two_channel") == "model two_channel"  # as in the config
    assert REGISTERED.title("mofa_30") == "mofa 30"
    assert REGISTERED.titles(["pca", "mofa"]) == "PCA and MOFA"


def test_each_method_has_a_colour_of_its_own():
    methods = [name for name in names() if name != "matrix"]  # whose entry says it
    colours = [REGISTERED.colour(name) for name in (*methods, "sagefm-paper")]
    assert len(set(colours)) == len(colours)
    assert REGISTERED.colour("sagefm-strict") == PREDICTOR_COLOURS["model"]
    assert not set(colours) & {*CLASS_COLOURS, *PATIENT_COLOURS, *ORGAN_COLOURS}
    assert REGISTERED.colour("mofa_30") == NEUTRAL


def test_methods_say_themselves_what_others_are_compared_with():
    niches = ["hops", "neighbour_mean", "niche_channels", "niche_pca"]
    published = ["banksy", "graphst", "stagate"]
    assert REGISTERED.references("baseline", "untrained") == ["mofa", "pca", *niches]
    assert REGISTERED.references() == ["mofa", "pca", *niches, *published, "random", "depth"]
    assert REGISTERED.references("ceiling") == ["labels"]
    assert REGISTERED.baselines() == ["mofa"]
    assert REGISTERED.untrained(spatial=True) == niches
    assert REGISTERED.untrained(spatial=False) == ["pca"]
    assert is_model("sagefm-paper") and not is_model("pca")


def test_models_of_a_run_have_titles_and_blues_in_the_order_of_the_config():
    found = Catalogue(describe_models(["paper", "mine"], {"paper": "SAGE-FM (paper's recipe)"}))
    assert found.title("sagefm-paper") == "SAGE-FM (paper's recipe)"
    assert found.title("untrained-paper") == "untrained SAGE-FM (paper's recipe)"
    assert found.title("sagefm-mine") == "model mine"
    assert [found.colour(f"sagefm-{name}") for name in ("paper", "mine")] == [*MODEL_COLOURS[:2]]
    assert found.references("control") == ["untrained-mine", "untrained-paper"]
    assert found["sagefm-paper"].role == "other"


def test_entries_of_a_run_come_before_the_registry():
    entries = {"pca_30": {"method": "pca", "components": 30}, "pca": {"title": "principal axes"}}
    found = Catalogue(described(entries))
    assert found["pca_30"] == Description("pca 30", NEUTRAL, "untrained", False)
    assert found["pca"].title == found["pca"].in_words == "principal axes"
    assert found.colour("pca") == REGISTERED.colour("pca")
    assert found.references() == ["pca", "pca_30"]  # and nothing that the run lacks
    assert found.baselines() == ["mofa"]  # the claims name it nevertheless


def test_an_entry_can_be_compared_as_something_else():
    theirs = {"h5ad": "theirs.h5ad", "obsm": "X", "title": "Theirs"}
    entries = {"pca": {}, "theirs": theirs | {"role": "spatial method"}, "other": theirs}
    found = Catalogue(described(entries))
    assert found.references() == ["pca", "theirs"]
    assert found.title("theirs") == "Theirs"
    assert differs("theirs", entries["theirs"]) == ""
    assert "authors" not in compared_as(["pca", "theirs"], entries)
    with pytest.raises(InputError, match=r"methods\.theirs: `spatial` is not a role of a method"):
        described({"theirs": theirs | {"role": "spatial"}})


def test_the_config_says_which_roles_there_are():
    methods = load_schema("config")["properties"]["representations"]["properties"]["methods"]
    words = methods["additionalProperties"]["properties"]["role"]["description"]
    compared, named = (re.findall("`(.*?)`", part) for part in (words.split(".")[1], words))
    assert compared == list(COMPARED) and set(named) == set(ROLES)


def test_what_a_published_method_is_not_as_its_authors_have_it():
    assert differs("graphst", {}) == differs("banksy", {}) == "nothing"
    assert differs("graphst", {"epochs": 300}) == "epochs 300 (authors: 600)"
    mofa = {"method": "mofa", "n_top_genes": 1000}
    unnamed = "n_top_genes 1000 (authors: no number named)"
    assert differs("mine", mofa) == f"factors 15 (authors: 10), {unnamed}"
    assert differs("mofa", {"factors": 10, "n_top_genes": 1000}) == unnamed
    assert differs("pca", {"components": 3}) == ""


def test_captions_have_how_methods_were_fitted_and_set():
    entries = {
        "pca": {}, "raw": {}, "banksy": {}, "depth": {}, "labels": {},
        "graphst": {"epochs": 300}, "mofa": {"factors": 10, "n_top_genes": 1000},
    }  # fmt: skip
    assert compared_as(["sagefm-paper", *entries], entries) == (
        "Fitted, without labels, on the spots that are scored: PCA, BANKSY, GraphST, MOFA. "
        "Not fitted on them: raw expression. "
        "Settings that differ from the authors': GraphST: epochs 300 (authors: 600); "
        "MOFA: n_top_genes 1000 (authors: no number named). Settings of the authors: BANKSY."
    )
    assert compared_as(["sagefm-paper", "depth"], entries) == ""
