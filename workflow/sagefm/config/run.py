"""What a config requests: models, cohorts, samples, and the parts of a run that read them.

Both the rules and the checks before a run use this module, so that they agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sagefm.common.model_names import model_title, model_titles

UNKNOWN_SPOTS = 4_992
"""Number of spots assumed for a section whose sheet gives none: a full Visium array."""

MAPPED = 5
"""Maximum number of representations whose clusters are drawn next to the labels."""


@dataclass(frozen=True)
class Use:
    """A part of a run that reads the sections of a cohort, with one of the models.

    Attributes
    ----------
    part
        `training`, or the chapter's key in the config.
    cohort, model
        Names of the cohort and the model.
    target
        The Snakemake target that needs it: `results`, or `impute`, which is made on request.
    """

    part: str
    cohort: str
    model: str
    target: str = "results"


@dataclass(frozen=True, eq=False)
class Run:
    """A config with the sheets of its cohorts, and what follows from them.

    Attributes
    ----------
    config
        The config: valid, with defaults filled in and references checked.
    sheets
        Sheet of each cohort, in the order of the config, from `read_samples`.
    """

    config: Mapping[str, Any]
    sheets: Mapping[str, pd.DataFrame]

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """Entries of the models by name."""
        return self.config["models"]

    @property
    def tasks(self) -> Mapping[str, Mapping[str, Any]]:
        """Entries of the tasks by name."""
        return self.config["tasks"]

    @property
    def judged(self) -> list[str]:
        """Models on which claims are judged: the config's choice, or all released, or the first."""
        return self.config["claims"]["models"] or self.released or list(self.models)[:1]

    @property
    def headline(self) -> str:
        """The model shown in the paper's figures: the first that is judged."""
        return self.judged[0]

    @property
    def released(self) -> list[str]:
        """Models that are downloaded or given, not trained."""
        return [name for name, model in self.models.items() if model["released"]]

    @property
    def trained(self) -> list[str]:
        """Models that are trained in this run."""
        return [name for name in self.models if name not in self.released]

    def chapter_models(self, chapter: str) -> list[str]:
        """Return the models that a chapter names; if it names none, those that are judged."""
        return self.config[chapter]["models"] or self.judged

    def judged_in(self, chapter: str) -> list[str]:
        """Return the judged models among those of a chapter."""
        return [model for model in self.judged if model in self.chapter_models(chapter)]

    def graph_kind(self, model: str) -> str:
        """Return the kind of graph that a model reads."""
        return self.config["graphs"][self.models[model]["graph"]]["kind"]

    def training_gpus(self, model: str) -> int:
        """Return GPUs per node of a model's training: one per device; 0 if jobs request none."""
        gpus, nodes = (self.models[model]["compute"][key] for key in ("gpus", "nodes"))
        devices = self.models[model]["training"]["devices"]
        return gpus and -(-max(gpus, devices) // nodes)

    def training_recipe(self, model: str) -> dict[str, Any]:
        """Return the settings that determine the result of a model's training.

        Batch size and devices are reduced to the spots per step, so that other devices rerun
        nothing.
        """
        keys = ("normalisation", "network", "widths", "mask_share", "training")
        recipe = {key: self.models[model][key] for key in keys}
        training = dict(recipe["training"])
        training["batch_size"] *= training.pop("devices")
        return recipe | {"training": training}

    # Cohorts and samples

    def uses(self) -> list[Use]:
        """List each cohort that a part of the run reads, with each model applied to it there."""
        pairs = [("training", c, m) for m in self.models for c in self.models[m]["pretrain_on"]]
        pairs += [
            ("representations", c, m) for c in self.represented_cohorts() for m in self.models
        ]
        pairs += [
            ("recovery", c, m) for c in self.config["recovery"]["cohorts"] for m in self.models
        ]
        pairs += [
            ("tasks", c, m)
            for t in self.tasks
            for c in self.predicted(t)
            for m in self.task_models(t)
        ]
        for part in ("imputation", "perturbation", "screen"):
            cohorts = self.config[part]["cohorts"]
            pairs += [(part, c, m) for c in cohorts for m in self.chapter_models(part)]
        conformance = self.config["conformance"]
        if conformance["embeddings"]:
            pairs.append(("conformance", conformance["cohort"], conformance["model"]))
        complete = self.config["imputation"]["complete"]
        models = self.chapter_models("imputation")
        requested = [Use("imputation", c, m, "impute") for c in complete for m in models]
        return [*(Use(*pair) for pair in pairs), *requested]

    def used_cohorts(self) -> list[str]:
        """Return the cohorts that the results need, in the order of the config."""
        used = {use.cohort for use in self.uses() if use.target == "results"}
        return [cohort for cohort in self.sheets if cohort in used]

    def represented_cohorts(self) -> list[str]:
        """Return the cohorts to represent: named for it, clustered, or used by a task."""
        needed = {*self.config["representations"]["cohorts"], *self.config["clustering"]["cohorts"]}
        needed.update(task["cohort"] for task in self.tasks.values())
        return [cohort for cohort in self.sheets if cohort in needed]

    def shown_cohorts(self) -> list[str]:
        """Return the cohorts with a page of sections: represented, or classified by a task."""
        found = {*self.represented_cohorts()}.union(*map(self.predicted, self.tasks))
        return [cohort for cohort in self.sheets if cohort in found]

    def model_cohorts(self, model: str) -> list[str]:
        """Return the cohorts that a model reads, also on request, in the order of the config."""
        read = {use.cohort for use in self.uses() if use.model == model}
        return [cohort for cohort in self.sheets if cohort in read]

    def samples(self, cohorts: Iterable[str]) -> list[tuple[str, str]]:
        """Return cohort and name of each sample of some cohorts."""
        return [(name, sample) for name in cohorts for sample in self.sheets[name]["sample"]]

    def rows(self, cohorts: Iterable[str], *more: str) -> list[dict[str, str]]:
        """Return the sheet rows of some cohorts: cohort, sample, dataset, patient and `more`."""
        columns = ["cohort", "sample", "dataset", "patient", *more]
        return [row for name in cohorts for row in self.sheets[name][columns].to_dict("records")]

    def spots(self, cohort: str) -> list[int]:
        """Return each section's spots as its sheet expects them, else `UNKNOWN_SPOTS`."""
        return [int(spots or UNKNOWN_SPOTS) for spots in self.sheets[cohort]["expected_spots"]]

    def technologies(self, cohort: str) -> list[str]:
        """Return the technologies named in a cohort's sheet, sorted."""
        return sorted({*self.sheets[cohort]["technology"]} - {""})

    @property
    def organs(self) -> list[str]:
        """Organs named in the sheets, sorted."""
        return sorted({organ for sheet in self.sheets.values() for organ in sheet["organ"]} - {""})

    def cohort_title(self, cohort: str | None) -> str | None:
        """Return a cohort's description for readers; None for None."""
        return cohort and (self.config["cohorts"][cohort]["title"] or cohort)

    @property
    def model_titles(self) -> dict[str, str]:
        """Names for readers of the models that have one; see `model_title`."""
        return model_titles(self.config["models"])

    def model_title(self, model: str) -> str:
        """Return a model's name for readers."""
        return model_title(model, self.model_titles)

    def is_paper_data(self, cohort: str | None) -> bool:
        """Whether a cohort is the paper's own data; False for None."""
        return cohort is not None and self.config["cohorts"][cohort]["paper_data"]

    def has_labels(self, cohort: str) -> bool:
        """Whether a cohort has labels, as a table or raw files."""
        entry = self.config["cohorts"][cohort]
        return bool(entry["labels"] or entry["raw_labels"])

    # Representations

    def representations(self, cohort: str) -> list[str]:
        """Return the names of a cohort's representations, the models' last."""
        methods = self.config["representations"]["methods"]
        chosen = [name for name in methods if _is_on(methods[name], cohort)]
        measured = cohort in self.config["representations"]["cohorts"]
        chosen += self.untrained_networks if measured else []
        return [*chosen, *(f"sagefm-{model}" for model in self.models)]

    @property
    def untrained_networks(self) -> list[str]:
        """Names of the representations by networks before their first training step."""
        return [f"untrained-{m}" for m in self.config["representations"]["untrained_networks"]]

    def mapped_representations(self, cohort: str) -> list[str]:
        """Return the representations drawn as clusters next to the labels, at most `MAPPED`."""
        there = self.representations(cohort)
        methods = self.config["representations"]["methods"]
        chosen = self.config["clustering"]["maps"] or [f"sagefm-{self.headline}", *methods]
        return ([name for name in chosen if name in there] or there)[:MAPPED]

    # Tasks

    def task_cohort(self, task: str) -> str:
        """Return the cohort of a task."""
        return self.tasks[task]["cohort"]

    def task_title(self, task: str) -> str:
        """Return a task's description for readers."""
        return self.tasks[task]["title"] or task

    def task_representations(self, task: str) -> list[str]:
        """Return the representations that a task compares."""
        chosen = self.tasks[task]["representations"]
        return chosen or self.representations(self.task_cohort(task))

    def task_models(self, task: str) -> list[str]:
        """Return the models among the representations of a task."""
        compared = self.task_representations(task)
        return [model for model in self.models if f"sagefm-{model}" in compared]

    def predicted(self, task: str) -> list[str]:
        """Return the cohorts without labels whose spots a task classifies."""
        return self.tasks[task]["predict"]

    def tasks_on(self, cohort: str) -> list[str]:
        """Return the tasks shown on a cohort: its own, and those that classify it."""
        return [
            task for task in self.tasks if cohort in (self.task_cohort(task), *self.predicted(task))
        ]

    def has_derived_labels(self, task: str) -> bool:
        """Whether the labels of a task are derived from gene sets."""
        return self.tasks[task]["labels"]["source"] == "module_scores"

    def task_genes(self, task: str) -> str:
        """Return a name for the genes used by the representations of a task.

        It is `without-{task}` if the genes that made its labels are withheld, otherwise
        `all-genes`.
        """
        withheld = self.has_derived_labels(task) and self.tasks[task]["labels"]["withhold"]
        return f"without-{task}" if withheld else "all-genes"

    def claiming_tasks(self) -> list[str]:
        """Return the tasks on which a claim of the paper is judged."""
        return [name for name, task in self.tasks.items() if task["claim"]]


def _is_on(entry: Mapping[str, Any], cohort: str) -> bool:
    """Whether an entry represents a cohort: it does unless it excludes the cohort.

    An entry with one matrix per cohort represents the cohorts that have one.
    """
    paths = entry.get("h5ad")
    everywhere = paths if isinstance(paths, Mapping) else [cohort]
    return cohort in entry.get("cohorts", everywhere)
