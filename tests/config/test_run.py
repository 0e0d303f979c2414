"""What a config requests: cohorts, models, samples, representations."""

import copy

import pytest

from sagefm.config.run import UNKNOWN_SPOTS, Run, Use
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.config.sheets import read_samples
from support.configs import good_config


@pytest.fixture
def run(good_files) -> Run:
    """Models `paper` and `other` are trained on `atlas`; `breast` is represented."""
    config = copy.deepcopy(good_config())
    set_defaults(config, load_schema("config"))
    config["recovery"]["cohorts"] = []
    for name in ("third", "fourth"):
        config["cohorts"][name] = dict(config["cohorts"]["breast"])
    sheets = {
        name: read_samples(entry["samples"], name) for name, entry in config["cohorts"].items()
    }
    return Run(config, sheets)


def test_only_what_a_part_of_the_run_reads_is_used(run):
    assert run.used_cohorts() == ["atlas", "breast"]
    assert run.represented_cohorts() == ["breast"]


def test_the_technologies_of_a_cohort_are_those_its_sheet_names(run):
    sheet = run.sheets["atlas"]
    sheet["technology"] = ["Visium", *[""] * (len(sheet) - 1)]
    assert run.technologies("atlas") == ["Visium"]
    sheet["technology"] = ""
    assert run.technologies("atlas") == []


@pytest.mark.parametrize("chapter", ["recovery", "imputation", "perturbation", "screen"])
def test_the_cohorts_of_every_chapter_are_used(run, chapter):
    run.config[chapter]["cohorts"] = ["third"]
    assert run.used_cohorts() == ["atlas", "breast", "third"]
    assert run.represented_cohorts() == ["breast"]
    assert run.model_cohorts("paper") == ["atlas", "breast", "third"]
    # The chapters but recovery name their models; by default it is the first of the config.
    others = ["atlas", "breast", "third"][: 3 if chapter == "recovery" else 2]
    assert run.model_cohorts("other") == others
    if chapter != "recovery":
        run.config[chapter]["models"] = ["other"]
        assert run.chapter_models(chapter) == ["other"]
        assert Use(chapter, "third", "other") in run.uses()
        assert run.model_cohorts("paper") == ["atlas", "breast"]


def test_what_is_made_on_request_is_no_part_of_the_results_but_read_by_a_model(run):
    run.config["imputation"]["complete"] = ["fourth"]
    assert "fourth" not in run.used_cohorts()
    assert run.model_cohorts("paper") == ["atlas", "breast", "fourth"]
    assert run.model_cohorts("other") == ["atlas", "breast"]


def test_the_cohort_of_a_task_is_represented_by_every_model(run):
    run.config["tasks"]["one"] = {
        "cohort": "third",
        "representations": ["pca", "sagefm-other"],
        "title": None,
        "claim": "subtypes",
        "labels": {"source": "module_scores", "withhold": True},
        "predict": [],
    }
    assert run.represented_cohorts() == ["breast", "third"]
    assert run.model_cohorts("paper") == ["atlas", "breast", "third"]
    assert run.task_models("one") == ["other"]
    assert run.task_genes("one") == "without-one"
    assert run.task_title("one") == "one"
    assert run.claiming_tasks() == ["one"]
    run.tasks["one"]["labels"]["withhold"] = False
    run.tasks["one"]["representations"] = []
    assert run.task_genes("one") == "all-genes"
    assert run.task_representations("one") == run.representations("third")


def test_a_cohort_without_labels_is_embedded_by_the_models_of_the_task_alone(run):
    task = {"cohort": "breast", "representations": ["pca", "sagefm-other"], "predict": ["third"]}
    run.config["tasks"]["one"] = task
    assert Use("tasks", "third", "other") in run.uses()
    assert "third" in run.used_cohorts() and "third" not in run.represented_cohorts()
    assert run.shown_cohorts() == ["breast", "third"]
    assert run.model_cohorts("paper") == ["atlas", "breast"]
    assert run.model_cohorts("other") == ["atlas", "breast", "third"]


def test_methods_and_models_are_the_representations_of_a_cohort(run):
    run.config["representations"]["methods"] = {
        "raw": {},
        "pca": {"cohorts": ["third"]},
        "mine": {"h5ad": {"third": "mine.h5ad"}, "obsm": "X"},
    }
    assert run.representations("breast") == ["raw", "sagefm-paper", "sagefm-other"]
    assert run.representations("third") == ["raw", "pca", "mine", "sagefm-paper", "sagefm-other"]
    assert run.mapped_representations("breast") == ["sagefm-paper", "raw"]
    run.config["representations"] |= {"cohorts": ["breast"], "untrained_networks": ["other"]}
    assert run.representations("breast") == [
        "raw", "untrained-other", "sagefm-paper", "sagefm-other",
    ]  # fmt: skip
    assert "untrained-other" not in run.representations("third")
    run.config["clustering"]["maps"] = ["pca"]
    assert run.mapped_representations("third") == ["pca"]
    assert run.mapped_representations("breast") == run.representations("breast")


def test_models_are_trained_or_released(run):
    run.models["other"]["released"] = {"path": "release.pt"}
    assert (run.trained, run.released) == (["paper"], ["other"])
    assert run.graph_kind("other") == "grid"


def test_the_released_models_are_judged_or_the_first_unless_the_config_names_others(run):
    assert (run.judged, run.headline) == (["paper"], "paper")
    run.models["other"]["released"] = {"path": "release.pt"}
    assert (run.judged, run.headline) == (["other"], "other")
    assert run.chapter_models("screen") == ["other"]
    run.config["claims"]["models"] = ["paper", "other"]
    assert (run.judged, run.headline) == (["paper", "other"], "paper")
    assert run.judged_in("screen") == ["paper", "other"]
    run.config["screen"]["models"] = ["other"]
    assert run.judged_in("screen") == ["other"]


@pytest.mark.parametrize(
    ("gpus", "devices", "nodes", "each"), [(0, 4, 2, 0), (1, 4, 2, 2), (2, 1, 1, 2)]
)
def test_each_node_of_a_training_asks_for_its_share_of_gpus(run, gpus, devices, nodes, each):
    run.models["paper"]["compute"].update(gpus=gpus, nodes=nodes)
    run.models["paper"]["training"]["devices"] = devices
    assert run.training_gpus("paper") == each


def test_a_recipe_counts_the_spots_of_a_step_over_all_devices(run):
    alone = run.training_recipe("paper")
    run.models["paper"]["training"]["devices"] = 2
    two = run.training_recipe("paper")
    assert two["training"]["batch_size"] == 2 * alone["training"]["batch_size"]
    run.models["paper"]["training"]["batch_size"] //= 2
    assert run.training_recipe("paper") == alone
    assert run.models["paper"]["training"]["devices"] == 2  # the config is left as it was


def test_samples_and_spots_are_those_of_the_sheets(run):
    assert run.samples(["breast"]) == [("breast", name) for name in ("bs1", "bs2", "bs3")]
    run.sheets["atlas"].loc[0, "expected_spots"] = "12"
    assert run.spots("atlas") == [12, UNKNOWN_SPOTS, UNKNOWN_SPOTS]
    row = run.rows(["atlas"], "technology")[0]
    assert [*row] == ["cohort", "sample", "dataset", "patient", "technology"]
    assert row["sample"] == "s1"
    assert run.cohort_title("atlas") == "atlas" and run.cohort_title(None) is None
    assert not run.is_paper_data("atlas") and not run.is_paper_data(None)
