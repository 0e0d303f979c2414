"""Check the entries of `representations.methods` before any job starts."""

from collections.abc import Mapping

from sagefm.common.errors import InputError, hint
from sagefm.config.run import Run
from sagefm.representations.registry import held_bytes, load_entry, on_cohort, read_options, reads


def check_methods(run: Run) -> None:
    """Check that each method exists, has what it needs, and can do what the tasks require.

    Parameters
    ----------
    run
        The cohorts of its chapters and tasks must have been checked.

    Raises
    ------
    InputError
        At the first entry that cannot be used.
    """
    entries, represented = run.config["representations"]["methods"], run.represented_cohorts()
    for name, entry in entries.items():
        read_options(name, entry)
        for key, cohort in _named_cohorts(entry):
            if cohort not in run.sheets:
                raise InputError(
                    f"config, at representations.methods.{name}.{key}: no cohort `{cohort}` is "
                    f"defined; {hint(cohort, run.sheets)}."
                )
        for cohort in represented:
            if name in run.representations(cohort):
                _check_on(name, entry, cohort, list(run.sheets[cohort]["sample"]))
                if "labels" in reads(name, entry) and not run.has_labels(cohort):
                    raise InputError(
                        f"config, at representations.methods.{name}: cohort "
                        f"`{cohort}` has no labels. Fix: list those that have as its `cohorts`."
                    )
    for task in run.tasks:
        if run.task_genes(task) != "all-genes":
            _check_withholding(run, task)


def check_memory(run: Run, genes: int) -> None:
    """Check that no method holds more of a cohort in memory than `limits.dense_gb`.

    Parameters
    ----------
    run
        Its methods must have been checked. A cohort is skipped if its sheet does not give the spots
        of each section, and a method if its file does not say what it holds.
    genes
        Number of genes in the panel.

    Raises
    ------
    InputError
        At the first method that would.
    """
    limit = run.config["limits"]["dense_gb"]
    entries = run.config["representations"]["methods"]
    for cohort in run.represented_cohorts():
        if (run.sheets[cohort]["expected_spots"] == "").any():
            continue
        spots = sum(run.spots(cohort))
        for name in filter(entries.__contains__, run.representations(cohort)):
            held = held_bytes(name, on_cohort(name, entries[name], cohort), spots, genes)
            if held is not None and held > limit * 1e9:
                raise InputError(
                    f"config, at representations.methods.{name}: it holds all {spots:,} spots of "
                    f"cohort `{cohort}` in memory, {held / 1e9:,.0f} GB at once, but "
                    f"limits.dense_gb allows {limit:g}. Fix: leave the cohort out of its "
                    "`cohorts`, or raise the limit to what a node has."
                )


def _named_cohorts(entry: Mapping) -> list[tuple[str, str]]:
    """Return the cohorts that an entry names, each with the key that names it."""
    files = entry.get("h5ad")
    by_key = {"cohorts": entry.get("cohorts", []), "h5ad": files if isinstance(files, dict) else []}
    return [(key, cohort) for key, cohorts in by_key.items() for cohort in cohorts]


def _check_on(name: str, entry: Mapping, cohort: str, samples: list[str]) -> None:
    """Check an entry on one cohort."""
    own = on_cohort(name, entry, cohort)
    try:
        load_entry(name, own).check(read_options(name, own), cohort, samples)
    except InputError as error:
        raise InputError(f"config, at representations.methods.{name}: {error}") from error


def _check_withholding(run: Run, task: str) -> None:
    """Check that genes can be withheld from all representations for a task's derived labels."""
    entries = run.config["representations"]["methods"]
    for name in run.task_representations(task):
        if name in entries and not load_entry(name, entries[name]).withholds:
            raise InputError(
                f"config, at tasks.{task}: the genes that make the labels are withheld from what "
                f"predicts them, but `{name}` was computed elsewhere. Fix: list the task's "
                f"`representations` without `{name}`, or set `labels.withhold` to false."
            )
