"""Models that continue others: what they inherit, and what is refused."""

import copy

import pytest

from sagefm.common.errors import InputError
from sagefm.config.continued import complete_models
from support.configs import assert_sentence, check, good_config

FIRST = {
    "title": "first",
    "pretrain_on": ["atlas"],
    "widths": [32],
    "training": {"epochs": 1, "seed": 3},
    "compute": {"threads": 2, "workers": 4},
}


def test_a_model_has_all_of_the_one_it_continues_but_what_it_gives_itself():
    models = {
        "third": {"continues": "second", "training": {"epochs": 5}},  # before what it continues
        "second": {
            "continues": "first",
            "title": "second",
            "training": {"epochs": 2},
            "compute": {"threads": 1},
        },
        "first": copy.deepcopy(FIRST),
    }
    complete_models(models)
    assert models["first"] == FIRST
    assert models["second"] == {
        "continues": "first",
        "title": "second",
        "pretrain_on": ["atlas"],
        "widths": [32],
        "training": {"epochs": 2, "seed": 3},
        "compute": {"threads": 1, "workers": 4},
    }
    second = models["second"] | {"continues": "second", "training": {"epochs": 5, "seed": 3}}
    assert models["third"] == second


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"next": {"continues": "papr"}}, ["models.next.continues", "did you mean `paper`?"]),
        ({"next": {}}, ["models.next", "`pretrain_on` is missing"]),
        (
            {"next": {"continues": "paper", "graph": "rings2"}},
            ["models.next", "continues `paper` has its `graph`"],
        ),
        (
            {"next": {"continues": "paper", "training": {"learning_rate": 0.1}}},
            ["has its `training.learning_rate`"],
        ),
        (
            {"next": {"continues": "last"}, "last": {"continues": "next"}},
            ["`next` continues this model in turn"],
        ),
        (
            {
                "next": {"continues": "given"},
                "given": {"pretrain_on": ["atlas"], "released": {"path": "release.pt"}},
            },
            ["models.next.continues", "`given` is released"],
        ),
        (
            {"next": {"continues": "other", "training": {"epochs": 3}}},
            ["models.next.training.epochs", "3 is not more than the 3 of `other`"],
        ),
    ],
)
def test_what_cannot_be_continued_is_refused(good_files, entries, words):
    config = good_config()
    config["models"] |= entries
    with pytest.raises(InputError) as error:
        check(config)
    assert_sentence(error.value, words)


def test_a_config_with_a_model_that_continues_another_is_good(good_files):
    config = good_config()
    config["models"]["next"] = {"continues": "other", "training": {"epochs": 4}}
    entry = check(config)["models"]["next"]
    assert (entry["graph"], entry["training"]["epochs"]) == ("rings2", 4)
