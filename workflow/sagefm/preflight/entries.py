"""Refuse keys of config entries that have no effect because another key excludes them."""

from collections.abc import Callable, Collection, Mapping

from sagefm.common.errors import InputError
from sagefm.config.schemas import load_schema

GRAPH_KEYS = {
    "knn_clique": ("size", "ties"),
    "star": ("size", "ties"),
    "grid": ("rings", "corners"),
    "radius": ("radius_spacings",),
}
"""Keys that each kind of graph reads."""

LABEL_KEYS = {
    "cohort": (),
    "table": ("path", "column", "sample_column", "spot_column"),
    "module_scores": ("gene_sets", "margin", "withhold"),
}
"""Keys that each source of a task's labels reads."""

PAIR_KEYS = {
    "liana": ("resource",),
    "gene_sets": ("gene_sets", "drivers"),
    "tf_targets": ("path", "url", "sha256"),
    "table": ("path",),
}
"""Keys that each source of gene pairs reads: all are required, but `tf_targets` has
alternatives."""


def check_pairs(config: Mapping, present: Callable) -> None:
    """Check that each table of gene pairs has the keys that its source reads, and no others."""
    for name, entry in config["perturbation"]["pairs"].items():
        at, source = f"perturbation.pairs.{name}", entry["source"]
        given = {key for key in entry if key != "source" and entry[key] is not None}
        _refuse_unread(at, "source", source, given - {*PAIR_KEYS[source]})
        if source == "tf_targets":
            if ("path" in given) == ("url" in given):
                raise InputError(
                    f"config, at {at}: one address is needed. Fix: give either `path` or `url`."
                )
            if "sha256" in given and "url" not in given:
                raise InputError(f"config, at {at}: `sha256` is of a `url`. Fix: take it out.")
        elif missing := [key for key in PAIR_KEYS[source] if key not in given]:
            raise InputError(
                f"config, at {at}: source `{source}` needs `{missing[0]}`. Fix: add it."
            )
        for key in ("path", "gene_sets", "drivers"):
            present(entry[key], f"{at}.{key}")


def check_graphs(config: Mapping) -> None:
    """Check that no graph sets a key that its kind does not read; defaults are allowed."""
    defaults = _defaults("graphs")
    for name, entry in config["graphs"].items():
        kind = entry["kind"]
        given = {key for key in defaults if entry[key] != defaults[key]}
        _refuse_unread(f"graphs.{name}", "kind", kind, given - {*GRAPH_KEYS[kind]})


def check_label_sources(config: Mapping) -> None:
    """Check that no task sets a key of `labels` that its source ignores; defaults are allowed."""
    defaults = _defaults("tasks", "labels")
    for name, task in config["tasks"].items():
        labels = task["labels"]
        source = labels["source"]
        given = {key for key in defaults if labels[key] != defaults[key]} - {"source"}
        _refuse_unread(f"tasks.{name}.labels", "source", source, given - {*LABEL_KEYS[source]})


def _defaults(table: str, *path: str) -> dict:
    """Return the defaults of an entry in a table of the config, or of a key of the entry."""
    schema = load_schema("config")["properties"][table]["additionalProperties"]
    for key in path:
        schema = schema["properties"][key]
    return {key: one["default"] for key, one in schema["properties"].items() if "default" in one}


def _refuse_unread(at: str, key: str, chosen: str, unread: Collection[str]) -> None:
    if unread:
        raise InputError(
            f"config, at {at}: {key} `{chosen}` does not read `{min(unread)}`. Fix: take it out, "
            f"or choose another `{key}`."
        )
