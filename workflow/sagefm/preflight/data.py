"""What only a look into sheets and label tables shows to be wrong, shown before any job starts."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sagefm.annotation.terms import UNASSIGNED, check_named
from sagefm.common.errors import InputError, hint
from sagefm.common.io import read_table
from sagefm.common.keys import check_case, named_values
from sagefm.config.run import Run
from sagefm.graphs.arrays import ARRAYS
from sagefm.perturbation.pair_sources import read_pairs
from sagefm.sections.genes import named_columns


def check_label_tables(config: Mapping, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Check that tables of labels, or of gene sets to make them of, have what the config names.

    Parameters
    ----------
    config
        Valid, its references checked.
    sheets
        Each cohort's sheet.

    Raises
    ------
    InputError
        At the first table that does not.
    """
    classes: dict[str, set[str]] = {}
    for name, cohort in config["cohorts"].items():
        if cohort["labels"]:
            columns, at = ("sample", "spot", "label"), f"cohorts.{name}.labels"
            classes[name] = _classes(cohort["labels"], columns, sheets[name], name, at)
    for name, task in config["tasks"].items():
        labels, cohort = task["labels"], task["cohort"]
        there = classes.get(cohort) if labels["source"] == "cohort" else None
        if labels["source"] == "table":
            columns = labels["sample_column"], labels["spot_column"], labels["column"]
            at = f"tasks.{name}.labels.path"
            there = _classes(labels["path"], columns, sheets[cohort], cohort, at)
        if labels["source"] == "module_scores":
            sets = table_of(labels["gene_sets"], ("set", "gene"), f"tasks.{name}.labels.gene_sets")
            there = {*sets["set"].dropna(), UNASSIGNED}
        if there is not None:
            try:
                check_named(there, task["drop"], task["merge"])
            except InputError as error:
                raise InputError(f"config, at tasks.{name}: {error}") from error


def _classes(
    path: str, columns: tuple[str, str, str], sheet: pd.DataFrame, cohort: str, at: str
) -> set[str]:
    """The labels that a table, checked, gives to samples of a cohort."""
    table = table_of(path, columns, at)
    table = table.apply(named_values)
    named = table[columns[0]].dropna().unique()
    if not set(named) & set(sheet["sample"]):
        given = f"`{named[0]}`" if len(named) else "none at all"
        raise InputError(
            f"config, at {at}: {path} names no sample of cohort `{cohort}` (it names {given}, the "
            f"sheet `{sheet['sample'].iloc[0]}`). Fix: name samples as the sheet does."
        )
    classes = set(table.loc[table[columns[0]].isin(sheet["sample"]), columns[2]].dropna())
    check_case(sorted(classes), f"config, at {at}: {path}: classes")
    return classes


def table_of(path: str, columns: tuple[str, ...], at: str) -> pd.DataFrame:
    """Some columns of a table of text, which has to have them; `at` is the config's key."""
    try:
        table = read_table(path, dtype=str, usecols=lambda name: name in columns)
        there = [*read_table(path, nrows=0).columns]
    except (ValueError, OSError) as error:  # pandas' own errors, and bytes that are no text
        raise InputError(
            f"config, at {at}: {path} cannot be read as a table ({error}). Fix: give one with the "
            f"columns {', '.join(columns)}."
        ) from error
    for column in columns:
        if column not in there:
            raise InputError(
                f"config, at {at}: {path} has no column `{column}` (it has {', '.join(there)}). "
                "Fix: add it, or correct the path."
            )
    return table


def check_keys(sheets: Mapping[str, pd.DataFrame]) -> None:
    """Check that patients and data sets of all sheets are named by one spelling each.

    Raises
    ------
    InputError
        If two names differ in capitals alone: they would count as two patients.
    """
    rows = pd.concat(list(sheets.values()), ignore_index=True)
    check_case([name for name in rows["dataset"].unique() if name], "sheets: data sets")
    for _, own in rows.groupby("dataset"):
        check_case([name for name in own["patient"].unique() if name], "sheets: patients")


def check_arrays(run: Run) -> None:
    """Check that a model on a `grid` meets no sample whose array is not known here.

    Raises
    ------
    InputError
        At the first sample that has none.
    """
    for model, entry in run.models.items():
        if run.graph_kind(model) != "grid":
            continue
        for cohort in run.model_cohorts(model):
            for row in run.sheets[cohort].to_dict("records"):
                technology = row["technology"]
                if not row["array"] and technology not in ARRAYS:
                    given = f"technology `{technology}`" if technology else "no technology"
                    raise InputError(
                        f"cohort `{cohort}`, sample `{row['sample']}`: the sheet gives {given}, "
                        f"but graph `{entry['graph']}` of model `{model}`, a `grid`, needs an "
                        f"array that is known; {hint(technology, ARRAYS)}, or give `array`."
                    )


def check_genes(config: Mapping) -> None:
    """Check the files of gene pairs, but those that are fetched, and of the screen's genes.

    Raises
    ------
    InputError
        At the first that cannot be read, or names genes that the panel lacks.
    """
    panel = Path(config["panel"]).read_text(encoding="utf-8-sig").split()
    screen = config["screen"]
    try:
        for name, pairs in config["perturbation"]["pairs"].items():
            at = f"perturbation.pairs.{name}"
            if pairs["path"] or pairs["gene_sets"]:
                read_pairs(pairs, panel)
        for key in ("inputs", "outputs"):
            at = f"screen.{key}"
            if screen[key] not in (None, "pairs", "all"):
                named_columns(screen[key], panel)
    except InputError as error:
        raise InputError(f"config, at {at}: {error}") from error
