"""Check the whole config, with the sheets that it names, before any job starts.

Every error is one sentence that names the key and the fix. Heavy imports are avoided, since this
module is loaded whenever the workflow is parsed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import yaml

from sagefm.common.errors import InputError, hint
from sagefm.common.keys import check_case
from sagefm.common.texts import read_text
from sagefm.config.continued import check_epochs
from sagefm.config.run import Run
from sagefm.config.schemas import first_error, load_schema
from sagefm.preflight.entries import check_graphs, check_label_sources, check_pairs
from sagefm.preflight.representations import check_methods
from sagefm.stats.patients import name_patients


def check_screen(config: Mapping, present: Callable) -> None:
    """Check that the screen's files exist, and that it has contexts and pairs to compare with."""
    screen = config["screen"]
    present(screen["inputs"], "screen.inputs")
    if screen["outputs"] not in ("pairs", "all"):
        present(screen["outputs"], "screen.outputs")
    for name in screen["cohorts"]:
        cohort = config["cohorts"][name]
        if screen["context"] == "label" and not (cohort["labels"] or cohort["raw_labels"]):
            raise InputError(
                f"config, at screen.context: cohort `{name}` has no `labels`. Fix: give them "
                "there, or "
                "choose another `context`."
            )
    for chapter in ("perturbation", "screen"):
        if config[chapter]["cohorts"] and not config["perturbation"]["pairs"]:
            raise InputError(
                f"config, at {chapter}.cohorts: this chapter needs pairs, but `perturbation.pairs` "
                "is empty. Fix: add a table, or leave `cohorts` empty."
            )


_OF_COHORTS = (
    "representations",
    "recovery",
    "imputation",
    "clustering",
    "perturbation",
    "screen",
)
"""Chapters whose `cohorts` refer to entries of the config."""

_NAMED = ("cohorts", "graphs", "models", "tasks", "methods")
"""Tables of the config whose names become file names; some disks ignore capitals."""


def check_written(path: str | Path) -> None:
    """Check that a config file repeats no key in one place; YAML would silently drop the first.

    Raises
    ------
    InputError
        At the first repeated key. The message names the line.
    """
    nodes = [yaml.compose(read_text(path), Loader=yaml.SafeLoader)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                name, line = str(key.value), key.start_mark.line + 1
                if name in seen:
                    raise InputError(
                        f"config {path}, line {line}: key `{name}` is given twice, first in "
                        f"line {seen[name]}. Fix: keep one, or put what belongs to it under one."
                    )
                seen[name] = line
                nodes.append(value)
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value


def check_config(config: Mapping) -> None:
    """Check a config against its schema.

    Raises
    ------
    InputError
        At the first unknown or missing key, or value of the wrong type or range.
    """
    if problem := first_error(config, load_schema("config")):
        fix = "" if "Fix: " in problem else ". Fix: correct it; config/README.md explains every key"
        raise InputError(f"config, {problem}{fix}.")


def check_references(config: Mapping, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Check that everything named in the config exists: cohorts, graphs, patients, files.

    Parameters
    ----------
    config
        The config: valid, with defaults filled in.
    sheets
        Sheet of each cohort, from `read_samples`.

    Raises
    ------
    InputError
        At the first name or path that does not exist.
    """

    def known(names: list[str], where: str, table: Mapping, what: str) -> None:
        for name in names:
            if name not in table:
                raise InputError(
                    f"config, at {where}: no {what} `{name}` is defined; {hint(name, table)}."
                )

    def present(path: str | None, where: str) -> None:
        if path == "" or (path and Path(path).is_dir()):
            given = f"{path} is a folder" if path else "nothing is given"
            raise InputError(
                f"config, at {where}: {given}, but a file is wanted. Fix: name one, or leave the "
                "key out."
            )
        if path and not Path(path).exists():
            raise InputError(
                f"config, at {where}: {path} does not exist (looked from {Path.cwd()}). Fix: "
                "correct the path."
            )

    for key in _NAMED:
        entries = config["representations"]["methods"] if key == "methods" else config[key]
        check_case(entries, f"config, at {key}: the names")
    present(config["panel"], "panel")
    present(config["harmonise"]["aliases"], "harmonise.aliases")
    present(config["split"]["duplicates"], "split.duplicates")
    for name, cohort in config["cohorts"].items():
        present(cohort["labels"], f"cohorts.{name}.labels")
        if raw := cohort["raw_labels"]:
            present(raw.get("codes"), f"cohorts.{name}.raw_labels.codes")
            if cohort["labels"]:
                raise InputError(
                    f"config, at cohorts.{name}: labels are given twice. "
                    "Fix: give either `labels` or `raw_labels`."
                )
    for chapter in _OF_COHORTS:
        known(config[chapter]["cohorts"], f"{chapter}.cohorts", config["cohorts"], "cohort")
    represented = [*config["representations"]["methods"]]
    represented += [f"sagefm-{model}" for model in config["models"]]
    run, untrained = Run(config, sheets), "untrained_networks"
    trained = dict.fromkeys(run.trained)
    chosen = config["representations"][untrained]
    known(chosen, f"representations.{untrained}", trained, "trained model")
    represented += run.untrained_networks
    names = dict.fromkeys(represented)
    known(config["clustering"]["maps"], "clustering.maps", names, "representation")
    _check_tasks(config, names, known, present)
    check_methods(run)
    check_graphs(config)
    check_label_sources(config)
    check_pairs(config, present)
    check_screen(config, present)
    known(config["imputation"]["complete"], "imputation.complete", config["cohorts"], "cohort")
    for chapter in ("claims", "imputation", "perturbation", "screen"):
        known(config[chapter]["models"], f"{chapter}.models", config["models"], "model")
    for name, model in config["models"].items():
        at = f"models.{name}"
        known(model["pretrain_on"], f"{at}.pretrain_on", config["cohorts"], "cohort")
        known([model["graph"]], f"{at}.graph", config["graphs"], "graph")
        trained_on = pd.concat([sheets[cohort] for cohort in model["pretrain_on"]])
        patients = dict.fromkeys(name_patients(trained_on.reset_index(drop=True)))
        known(model["held_out_patients"], f"{at}.held_out_patients", patients, "patient")
        nodes, devices = model["compute"]["nodes"], model["training"]["devices"]
        if devices % nodes:
            raise InputError(
                f"config, at {at}.compute.nodes: {nodes} nodes cannot share {devices} devices "
                f"evenly. Fix: let {at}.training.devices be a multiple of it."
            )
        if ":" in (device := model["compute"]["device"]) and devices > nodes:
            raise InputError(
                f"config, at {at}.compute.device: {device} is one GPU, but {at}.training.devices "
                f"asks for {devices // nodes} in each machine. Fix: write `cuda`, or train on one "
                "device."
            )
        if model["released"] is not None:
            _check_published(model["released"], f"{at}.released", present)
    check_epochs(config["models"])
    _check_conformance(config, known, present)


def _check_published(entry: Mapping, at: str, present: Callable) -> None:
    """Check that an entry gives the place of its file in exactly one way."""
    if sum(key in entry for key in ("path", "url", "git_lfs")) != 1:
        raise InputError(
            f"config, at {at}: one address is needed. Fix: give either `path`, `url` or `git_lfs`."
        )
    if "url" in entry and "sha256" not in entry:
        raise InputError(
            f"config, at {at}: a `url` needs its `sha256`. Fix: add it; the download is "
            "checked against it."
        )
    present(entry.get("path"), f"{at}.path")


def _check_conformance(config: Mapping, known: Callable, present: Callable) -> None:
    """Check that released embeddings are compared with those of a released model."""
    entry = config["conformance"]
    if entry["embeddings"] is None:
        return
    _check_published(entry["embeddings"], "conformance.embeddings", present)
    for key, what in (("model", "model"), ("cohort", "cohort")):
        if entry[key] is None:
            raise InputError(f"config, at conformance: `embeddings` needs `{key}`. Fix: add it.")
        known([entry[key]], f"conformance.{key}", config[f"{what}s"], what)
    if not config["models"][entry["model"]]["released"]:
        raise InputError(
            f"config, at conformance.model: `{entry['model']}` is trained here. Fix: name a "
            "model that "
            "has `released`."
        )


def _check_tasks(config: Mapping, represented: Mapping, known: Callable, present: Callable) -> None:
    """Check that everything named by tasks exists, and that no two tasks test one claim."""
    claims: dict[str, str] = {}
    for name, task in config["tasks"].items():
        at, labels = f"tasks.{name}", task["labels"]
        known([task["cohort"]], f"{at}.cohort", config["cohorts"], "cohort")
        known(
            task["representations"],
            f"{at}.representations",
            represented,
            "representation",
        )
        needs = {"table": "path", "module_scores": "gene_sets"}.get(labels["source"])
        if needs and not labels[needs]:
            raise InputError(
                f"config, at {at}.labels: source `{labels['source']}` needs `{needs}`. Fix: add it."
            )
        cohort = config["cohorts"][task["cohort"]]
        if labels["source"] == "cohort" and not (cohort["labels"] or cohort["raw_labels"]):
            raise InputError(
                f"config, at {at}.labels: cohort `{task['cohort']}` has no `labels`. Fix: give "
                "them "
                "there, or another `source` here."
            )
        for key in ("path", "gene_sets"):
            present(labels[key], f"{at}.labels.{key}")
        known(task["predict"], f"{at}.predict", config["cohorts"], "cohort")
        _check_predicted(config, task, f"{at}.predict")
        if (claim := task["claim"]) in claims:
            raise InputError(
                f"config, at {at}.claim: task `{claims[claim]}` already answers `{claim}`. Fix: "
                "set one of them to null."
            )
        if claim:
            claims[claim] = name


def _check_predicted(config: Mapping, task: Mapping, at: str) -> None:
    """Check that a task classifies cohorts without labels, by a model's embedding of both."""
    for name in task["predict"]:
        cohort = config["cohorts"][name]
        if name == task["cohort"]:
            raise InputError(
                f"config, at {at}: `{name}` is the cohort of the task itself. Fix: name a cohort "
                "without labels."
            )
        if task["labels"]["source"] == "cohort" and (cohort["labels"] or cohort["raw_labels"]):
            raise InputError(
                f"config, at {at}: cohort `{name}` has `labels` itself. Fix: make it the `cohort` "
                "of a task of its own, or name a cohort without labels."
            )
    models = [f"sagefm-{model}" for model in config["models"]]
    if task["predict"] and task["representations"] and not {*models} & {*task["representations"]}:
        raise InputError(
            f"config, at {at}: the task compares no model, and other representations are fitted to "
            f"each cohort by itself. Fix: add one to its `representations`, such as `{models[0]}`."
        )
