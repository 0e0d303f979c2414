"""Configuration and sheets: read once, checked whole, before any job starts.

Every error is one sentence that names the file, the key or the row's sample, and the remedy. No
heavy import stands here: this is read whenever the workflow is parsed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import yaml
from jsonschema import Draft202012Validator, ValidationError

from sagefm.errors import InputError, hint
from sagefm.methods.registry import read_options
from sagefm.pair_checks import check_pairs, check_screen

SCHEMAS = Path(__file__).parents[1] / "schemas"

_OF_COHORTS = (
    "representations",
    "recovery",
    "imputation",
    "clustering",
    "perturbation",
    "screen",
)
"""Chapters whose `cohorts` name entries of the config's."""


_TYPES = {
    "array": "a list",
    "object": "a table of keys",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
"""Types of JSON in words."""


def load_schema(name: str) -> dict:
    """A schema of `workflow/schemas` by its name without suffix."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text())


def first_error(instance: object, schema: dict) -> str | None:
    """What is wrong with an instance, in words, with the nearest allowed name where one is close.

    Returns
    -------
    str or None
        `at {where}: {what}`, of the first error; None if the instance is valid.
    """
    errors = Draft202012Validator(schema).iter_errors(instance)
    error = min(errors, key=lambda e: (len(e.absolute_path), str(e.absolute_path)), default=None)
    if error is None:
        return None
    where = ".".join(str(part) for part in error.absolute_path) or "the top level"
    return f"at {where}: {_in_words(error)}"


def _in_words(error: ValidationError) -> str:
    if error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        known = list(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))[0]
        return f"unknown key `{unknown}`; {hint(unknown, known, 'known are')}"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"`{missing}` is missing"
    if error.validator == "enum":
        return f"`{error.instance}` is not one of {', '.join(map(repr, error.validator_value))}"
    if error.validator == "type":
        allowed = error.validator_value
        names = [allowed] if isinstance(allowed, str) else allowed
        given = "nothing" if error.instance is None else f"`{error.instance}`"
        return f"{given} is given, but {' or '.join(_TYPES[name] for name in names)} is wanted"
    return error.message


def check_config(config: Mapping) -> None:
    """Check a config against its schema.

    Raises
    ------
    InputError
        At the first unknown or missing key, or value of the wrong type or range.
    """
    if problem := first_error(config, load_schema("config")):
        raise InputError(f"config, {problem}. config/README.md explains every key.")


def check_references(config: Mapping, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Check that what the config names exists: cohorts, graphs, patients, files.

    Parameters
    ----------
    config
        Valid, defaults filled in.
    sheets
        Each cohort's sheet, from `read_samples`.

    Raises
    ------
    InputError
        At the first name or path that leads nowhere.
    """

    def known(names: list[str], where: str, table: Mapping, what: str) -> None:
        for name in names:
            if name not in table:
                raise InputError(
                    f"config, at {where}: no {what} `{name}` is defined; {hint(name, table)}."
                )

    def present(path: str | None, where: str) -> None:
        if path and not Path(path).exists():
            raise InputError(
                f"config, at {where}: {path} does not exist (looked from {Path.cwd()}); "
                "correct the path."
            )

    present(config["panel"], "panel")
    present(config["harmonise"]["aliases"], "harmonise.aliases")
    present(config["split"]["duplicates"], "split.duplicates")
    for name, cohort in config["cohorts"].items():
        present(cohort["labels"], f"cohorts.{name}.labels")
        if raw := cohort["raw_labels"]:
            present(raw.get("codes"), f"cohorts.{name}.raw_labels.codes")
            if cohort["labels"]:
                raise InputError(
                    f"config, at cohorts.{name}: give either `labels` or `raw_labels`."
                )
    for chapter in _OF_COHORTS:
        known(config[chapter]["cohorts"], f"{chapter}.cohorts", config["cohorts"], "cohort")
    for name, entry in config["representations"]["methods"].items():
        read_options(name, entry)
        at = f"representations.methods.{name}.cohorts"
        known(entry.get("cohorts", []), at, config["cohorts"], "cohort")
    represented = [*config["representations"]["methods"]]
    represented += [f"sagefm-{model}" for model in config["models"]]
    names = dict.fromkeys(represented)
    known(config["clustering"]["maps"], "clustering.maps", names, "representation")
    _check_tasks(config, names, known, present)
    check_pairs(config, present)
    check_screen(config["screen"], config["perturbation"]["pairs"], present)
    known(config["imputation"]["complete"], "imputation.complete", config["cohorts"], "cohort")
    for chapter in ("imputation", "perturbation", "screen"):
        known(config[chapter]["models"], f"{chapter}.models", config["models"], "model")
    for name, model in config["models"].items():
        at = f"models.{name}"
        known(model["pretrain_on"], f"{at}.pretrain_on", config["cohorts"], "cohort")
        known([model["graph"]], f"{at}.graph", config["graphs"], "graph")
        patients = {p: None for c in model["pretrain_on"] for p in sheets[c]["patient"]}
        known(model["held_out_patients"], f"{at}.held_out_patients", patients, "patient")
        if (released := model["released"]) is not None:
            if sum(key in released for key in ("path", "url", "git_lfs")) != 1:
                raise InputError(
                    f"config, at {at}.released: give either `path`, `url` or `git_lfs`."
                )
            if "url" in released and "sha256" not in released:
                raise InputError(
                    f"config, at {at}.released: a `url` needs its `sha256`, so that what is "
                    "fetched is what was meant."
                )
            present(released.get("path"), f"{at}.released.path")


def _check_tasks(config: Mapping, represented: Mapping, known: Callable, present: Callable) -> None:
    """Check that what the tasks name exists, and that no two speak to one claim."""
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
                f"config, at {at}.labels: source `{labels['source']}` needs `{needs}`; add it."
            )
        cohort = config["cohorts"][task["cohort"]]
        if labels["source"] == "cohort" and not (cohort["labels"] or cohort["raw_labels"]):
            raise InputError(
                f"config, at {at}.labels: cohort `{task['cohort']}` has no `labels`; give them "
                "there, or another `source` here."
            )
        for key in ("path", "gene_sets"):
            present(labels[key], f"{at}.labels.{key}")
        if (claim := task["claim"]) in claims:
            raise InputError(
                f"config, at {at}.claim: task `{claims[claim]}` speaks to `{claim}` already; "
                "leave one of them null."
            )
        if claim:
            claims[claim] = name


def read_samples(path: str | Path, cohort: str) -> pd.DataFrame:
    """A cohort's sheet: one row a sample, all columns of the schema, empty where not given.

    Raises
    ------
    InputError
        If the sheet is missing, empty, or has a bad row; the sentence names the row's sample.
    """
    sheet = _read_sheet(path, "samples", cohort, f"cohorts.{cohort}.samples")
    return sheet.assign(cohort=cohort)


def read_label_files(path: str | Path, cohort: str, samples: pd.DataFrame) -> pd.DataFrame:
    """A cohort's sheet of label files: one row a sample that has labels.

    Raises
    ------
    InputError
        As `read_samples`, or if a row's sample is not one of the cohort's `samples`.
    """
    sheet = _read_sheet(path, "label_files", cohort, f"cohorts.{cohort}.raw_labels.files")
    for name in sheet["sample"]:
        if name not in set(samples["sample"]):
            raise InputError(
                f"sheet {path} (cohort `{cohort}`): the cohort has no sample `{name}`; "
                f"{hint(name, samples['sample'])}."
            )
    return sheet


def _read_sheet(path: str | Path, schema_name: str, cohort: str, key: str) -> pd.DataFrame:
    where = f"sheet {path} (cohort `{cohort}`)"
    try:
        sheet = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise InputError(
            f"{where} does not exist (looked from {Path.cwd()}); correct {key} in the config."
        ) from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{where} is not a table of tab-separated columns ({error}).") from error
    if len(sheet.columns) == 1:
        raise InputError(
            f"{where} is not a table of tab-separated columns (its first line is one: "
            f"`{sheet.columns[0]}`); put tabs between them."
        )
    if sheet.empty:
        raise InputError(f"{where} has no rows; list at least one sample.")
    schema = load_schema(schema_name)
    for number, row in enumerate(sheet.to_dict("records"), start=2):
        name = row.get("sample", "")
        if problem := first_error(row, schema):
            raise InputError(f"{where}, line {number}, sample `{name}`, {problem}.")
        for column in ("path_or_id", "positions"):
            local = row["source"] == "local" and row.get(column)
            if local and not Path(row[column]).exists():
                raise InputError(
                    f"{where}, sample `{name}`: {column} {row[column]} does not exist (looked from "
                    f"{Path.cwd()}); correct the sheet."
                )
    twice = sheet["sample"][sheet["sample"].duplicated()]
    if len(twice):
        raise InputError(f"{where}: sample `{twice.iloc[0]}` occurs twice; give each its own name.")
    return sheet.reindex(columns=list(schema["properties"]), fill_value="")
