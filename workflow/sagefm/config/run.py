"""What a config asks for: models, cohorts, samples, and the parts of a run that read them.

The rules and the checks before a run ask here, so that they agree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sagefm.common.model_names import model_title, model_titles

UNKNOWN_SPOTS = 4_992
"""Spots of a section whose row of the sheet gives no number: all of a Visium array."""

MAPPED = 5
"""Representations whose clusters are drawn beside the labels, at most."""


@dataclass(frozen=True)
class Use:
    """A part of a run that reads the sections of a cohort, with one of the models.

    Attributes
    ----------
    part
        `training`, or the chapter by its key of the config.
    cohort, model
        Their names.
    target
        The target of Snakemake that needs it: `results`, or `impute`, which is made on request.
    """

    part: str
    cohort: str
    model: str
    target: str = "results"


@dataclass(frozen=True, eq=False)
class Run:
    """A config with the sheets of its cohorts, and what follows from the two.

    Attributes
    ----------
    config
        Valid, defaults filled in, its references checked.
    sheets
        Of each cohort in the order of the config, from `read_samples`.
    """

    config: Mapping[str, Any]
    sheets: Mapping[str, pd.DataFrame]

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """The models' entries by name."""
        return self.config["models"]

    @property
    def tasks(self) -> Mapping[str, Mapping[str, Any]]:
        """The tasks' entries by name."""
        return self.config["tasks"]

    @property
    def judged(self) -> list[str]:
        """The models on which the claims are judged: the config's, the released, or the first."""
        return self.config["claims"]["models"] or self.released or list(self.models)[:1]

    @property
    def headline(self) -> str:
        """The model that the paper's figures show: the first that is judged."""
        return self.judged[0]

    @property
    def released(self) -> list[str]:
        """The models that are downloaded or given, not trained."""
        return [name for name, model in self.models.items() if model["released"]]

    @property
    def trained(self) -> list[str]:
        """The models that are trained here."""
        return [name for name in self.models if name not in self.released]

    def chapter_models(self, chapter: str) -> list[str]:
        """The models of a chapter that names its own; those that are judged if it names none."""
        return self.config[chapter]["models"] or self.judged

    def judged_in(self, chapter: str) -> list[str]:
        """The models of a chapter that are judged."""
        return [model for model in self.judged if model in self.chapter_models(chapter)]

    def graph_kind(self, model: str) -> str:
        """The kind of graph that a model reads."""
        return self.config["graphs"][self.models[model]["graph"]]["kind"]

    def training_gpus(self, model: str) -> int:
        """GPUs of each node of a model's training: one a device; 0 if its jobs ask for none."""
        gpus, nodes = (self.models[model]["compute"][key] for key in ("gpus", "nodes"))
        devices = self.models[model]["training"]["devices"]
        return gpus and -(-max(gpus, devices) // nodes)

    def training_recipe(self, model: str) -> dict[str, Any]:
        """What a model's training makes of its data.

        Of batch and devices it has the spots of a step alone, for other devices to rerun nothing.
        """
        keys = ("normalisation", "network", "widths", "mask_share", "training")
        recipe = {key: self.models[model][key] for key in keys}
        training = dict(recipe["training"])
        training["batch_size"] *= training.pop("devices")
        return recipe | {"training": training}

    # Cohorts and samples

    def uses(self) -> list[Use]:
        """Each cohort that a part of the run reads, with each model that is applied to it there."""
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
        """Cohorts that the results need, in the order of the config."""
        used = {use.cohort for use in self.uses() if use.target == "results"}
        return [cohort for cohort in self.sheets if cohort in used]

    def represented_cohorts(self) -> list[str]:
        """Cohorts that are represented: those named for it, clustered, or of a task."""
        needed = {*self.config["representations"]["cohorts"], *self.config["clustering"]["cohorts"]}
        needed.update(task["cohort"] for task in self.tasks.values())
        return [cohort for cohort in self.sheets if cohort in needed]

    def shown_cohorts(self) -> list[str]:
        """Cohorts that have a page of their sections: represented, or classified by a task."""
        found = {*self.represented_cohorts()}.union(*map(self.predicted, self.tasks))
        return [cohort for cohort in self.sheets if cohort in found]

    def model_cohorts(self, model: str) -> list[str]:
        """Cohorts whose sections a model reads, on request as well, in the order of the config."""
        read = {use.cohort for use in self.uses() if use.model == model}
        return [cohort for cohort in self.sheets if cohort in read]

    def samples(self, cohorts: Iterable[str]) -> list[tuple[str, str]]:
        """Cohort and name of each sample of some cohorts."""
        return [(name, sample) for name in cohorts for sample in self.sheets[name]["sample"]]

    def rows(self, cohorts: Iterable[str], *more: str) -> list[dict[str, str]]:
        """Rows of some cohorts in their sheets: cohort, sample, dataset, patient and `more`."""
        columns = ["cohort", "sample", "dataset", "patient", *more]
        return [row for name in cohorts for row in self.sheets[name][columns].to_dict("records")]

    def spots(self, cohort: str) -> list[int]:
        """Spots of each section of a cohort, as its sheet expects them; else `UNKNOWN_SPOTS`."""
        return [int(spots or UNKNOWN_SPOTS) for spots in self.sheets[cohort]["expected_spots"]]

    def technologies(self, cohort: str) -> list[str]:
        """The technologies that the sheet of a cohort names, sorted."""
        return sorted({*self.sheets[cohort]["technology"]} - {""})

    @property
    def organs(self) -> list[str]:
        """The organs that the sheets name, sorted."""
        return sorted({organ for sheet in self.sheets.values() for organ in sheet["organ"]} - {""})

    def cohort_title(self, cohort: str | None) -> str | None:
        """What a cohort is, for people; None of None."""
        return cohort and (self.config["cohorts"][cohort]["title"] or cohort)

    @property
    def model_titles(self) -> dict[str, str]:
        """Names of models for readers, of those that have one; for `model_title`."""
        return model_titles(self.config["models"])

    def model_title(self, model: str) -> str:
        """A model's name for readers."""
        return model_title(model, self.model_titles)

    def is_paper_data(self, cohort: str | None) -> bool:
        """Whether a cohort is the paper's own data; False of None."""
        return cohort is not None and self.config["cohorts"][cohort]["paper_data"]

    def has_labels(self, cohort: str) -> bool:
        """Whether a cohort has labels: a table, or raw files."""
        entry = self.config["cohorts"][cohort]
        return bool(entry["labels"] or entry["raw_labels"])

    # Representations

    def representations(self, cohort: str) -> list[str]:
        """Names of the representations of a cohort, the models' last."""
        methods = self.config["representations"]["methods"]
        chosen = [name for name in methods if _is_on(methods[name], cohort)]
        measured = cohort in self.config["representations"]["cohorts"]
        chosen += self.untrained_networks if measured else []
        return [*chosen, *(f"sagefm-{model}" for model in self.models)]

    @property
    def untrained_networks(self) -> list[str]:
        """Names of the representations by networks before their first step."""
        return [f"untrained-{m}" for m in self.config["representations"]["untrained_networks"]]

    def mapped_representations(self, cohort: str) -> list[str]:
        """Those whose clusters are drawn beside the labels, `MAPPED` at most."""
        there = self.representations(cohort)
        methods = self.config["representations"]["methods"]
        chosen = self.config["clustering"]["maps"] or [f"sagefm-{self.headline}", *methods]
        return ([name for name in chosen if name in there] or there)[:MAPPED]

    # Tasks

    def task_cohort(self, task: str) -> str:
        """The cohort of a task."""
        return self.tasks[task]["cohort"]

    def task_title(self, task: str) -> str:
        """What a task asks, for people."""
        return self.tasks[task]["title"] or task

    def task_representations(self, task: str) -> list[str]:
        """The representations that a task compares."""
        chosen = self.tasks[task]["representations"]
        return chosen or self.representations(self.task_cohort(task))

    def task_models(self, task: str) -> list[str]:
        """The models among the representations of a task."""
        compared = self.task_representations(task)
        return [model for model in self.models if f"sagefm-{model}" in compared]

    def predicted(self, task: str) -> list[str]:
        """The cohorts without labels whose spots a task classifies."""
        return self.tasks[task]["predict"]

    def tasks_on(self, cohort: str) -> list[str]:
        """The tasks whose classes are shown on a cohort: its own, and those that classify it."""
        return [
            task for task in self.tasks if cohort in (self.task_cohort(task), *self.predicted(task))
        ]

    def has_derived_labels(self, task: str) -> bool:
        """Whether the labels of a task are made from gene sets."""
        return self.tasks[task]["labels"]["source"] == "module_scores"

    def task_genes(self, task: str) -> str:
        """Genes of the representations of a task.

        `without-{task}` where the genes that made its labels are withheld, else `all-genes`.
        """
        withheld = self.has_derived_labels(task) and self.tasks[task]["labels"]["withhold"]
        return f"without-{task}" if withheld else "all-genes"

    def claiming_tasks(self) -> list[str]:
        """The tasks that a claim of the paper is judged by."""
        return [name for name, task in self.tasks.items() if task["claim"]]


def _is_on(entry: Mapping[str, Any], cohort: str) -> bool:
    """Whether an entry represents a cohort: any that it does not leave out.

    One of matrices represents those that have one, if each has its own.
    """
    paths = entry.get("h5ad")
    everywhere = paths if isinstance(paths, Mapping) else [cohort]
    return cohort in entry.get("cohorts", everywhere)
