"""What the config says of gene pairs and of the screen, checked before any job starts."""

from collections.abc import Callable, Mapping

from sagefm.errors import InputError

PAIR_KEYS = {
    "liana": ("resource",),
    "gene_sets": ("gene_sets", "drivers"),
    "tf_targets": ("path", "url", "sha256"),
    "table": ("path",),
}
"""What the sources of gene pairs read: all of it, but `tf_targets`, which has a choice."""


def check_pairs(config: Mapping, present: Callable) -> None:
    """Check that each table of gene pairs has what its source reads, and nothing else."""
    for name, entry in config["perturbation"]["pairs"].items():
        at, source = f"perturbation.pairs.{name}", entry["source"]
        given = {key for key in entry if key != "source" and entry[key] is not None}
        if unread := sorted(given - set(PAIR_KEYS[source])):
            raise InputError(
                f"config, at {at}: source `{source}` does not read `{unread[0]}`; take it out, or "
                "choose another `source`."
            )
        if source == "tf_targets":
            if ("path" in given) == ("url" in given):
                raise InputError(f"config, at {at}: give either `path` or `url`.")
            if "sha256" in given and "url" not in given:
                raise InputError(f"config, at {at}: `sha256` is of a `url`; take it out.")
        elif missing := [key for key in PAIR_KEYS[source] if key not in given]:
            raise InputError(f"config, at {at}: source `{source}` needs `{missing[0]}`; add it.")
        for key in ("path", "gene_sets", "drivers"):
            present(entry[key], f"{at}.{key}")


def check_screen(config: Mapping, present: Callable) -> None:
    """Check that the screen's files exist, and that it has contexts and a truth to hold against."""
    screen = config["screen"]
    present(screen["inputs"], "screen.inputs")
    if screen["outputs"] not in ("pairs", "all"):
        present(screen["outputs"], "screen.outputs")
    for name in screen["cohorts"]:
        cohort = config["cohorts"][name]
        if screen["context"] == "label" and not (cohort["labels"] or cohort["raw_labels"]):
            raise InputError(
                f"config, at screen.context: cohort `{name}` has no `labels`; give them there, or "
                "choose another `context`."
            )
    if screen["cohorts"] and not config["perturbation"]["pairs"]:
        raise InputError(
            "config, at screen.cohorts: a screen is scored against `perturbation.pairs`, of which "
            "there are none; add a table, or leave `cohorts` empty."
        )
