"""Find errors that only show in the contents of sheets and label tables, before any job starts."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sagefm.annotation.terms import UNASSIGNED, check_named
from sagefm.common.errors import InputError, hint
from sagefm.common.io import UNCLOSED, over_several_cells, read_table
from sagefm.common.keys import check_case, named_values, trimmed
from sagefm.common.texts import read_text
from sagefm.config.run import Run
from sagefm.config.schemas import load_schema
from sagefm.graphs.arrays import ARRAYS
from sagefm.perturbation.pair_sources import read_pairs
from sagefm.sections.genes import named_columns


def check_label_tables(config: Mapping, sheets: Mapping[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Check that tables of labels, or of gene sets for labels, contain what the config names.

    Parameters
    ----------
    config
        The config: valid, with references checked.
    sheets
        Sheet of each cohort.

    Returns
    -------
    dict
        Number of spots of each named class, by task with labels in a table, for `check_classes`.

    Raises
    ------
    InputError
        At the first table that lacks something.
    """
    classes: dict[str, pd.Series] = {}
    for name, cohort in config["cohorts"].items():
        if cohort["labels"]:
            columns, at = ("sample", "spot", "label"), f"cohorts.{name}.labels"
            classes[name] = _classes(cohort["labels"], columns, sheets[name], name, at)
        if codes := (cohort["raw_labels"] or {}).get("codes"):
            table_of(codes, ("code", "label"), f"cohorts.{name}.raw_labels.codes")
    _check_unscored(config, classes)
    found = {}
    for name, task in config["tasks"].items():
        labels, cohort = task["labels"], task["cohort"]
        at = f"config, at tasks.{name}"
        there = classes.get(cohort) if labels["source"] == "cohort" else None
        if labels["source"] == "table":
            columns = labels["sample_column"], labels["spot_column"], labels["column"]
            if len({*columns}) < len(columns):
                raise InputError(
                    f"{at}.labels: samples, spots and labels are in columns `{columns[0]}`, "
                    f"`{columns[1]}` and `{columns[2]}`. Fix: name three."
                )
            there = _classes(
                labels["path"], columns, sheets[cohort], cohort, f"tasks.{name}.labels.path"
            )
        if there is not None:
            found[name] = there
        named = None if there is None else {*there.index}
        if labels["source"] == "module_scores":
            sets = table_of(labels["gene_sets"], ("set", "gene"), f"tasks.{name}.labels.gene_sets")
            named = {*named_values(sets["set"]).dropna(), UNASSIGNED}
        if named is not None:
            try:
                check_named(named, task["drop"], task["merge"])
            except InputError as error:
                raise InputError(f"{at}: {error}") from error
    return found


def _check_unscored(config: Mapping, classes: Mapping[str, pd.Series]) -> None:
    """Check that labels to be excluded from scores are labels of a clustered cohort."""
    clustering = config["clustering"]
    clustered = [cohort for cohort in clustering["cohorts"] if config["cohorts"][cohort]["labels"]]
    if not clustered or len(clustered) < len(clustering["cohorts"]):
        return  # the content of R's files is not known here
    there = {name for cohort in clustered for name in classes[cohort].index}
    for name in clustering["drop"]:
        if name not in there and name not in _UNSCORED:
            raise InputError(
                f"config, at clustering.drop: no spot is labelled `{name}`; "
                f"{hint(name, sorted(there))}."
            )


_UNSCORED = load_schema("config")["properties"]["clustering"]["properties"]["drop"]["default"]


def _classes(
    path: str, columns: tuple[str, str, str], sheet: pd.DataFrame, cohort: str, at: str
) -> pd.Series:
    """Return the number of spots of each class in a checked table, for samples of a cohort."""
    table = table_of(path, columns, at)[[*columns]].apply(named_values)
    sample, spot, label = columns
    named = table[sample].dropna().unique()
    if not set(named) & set(sheet["sample"]):
        given = f"`{named[0]}`" if len(named) else "none at all"
        raise InputError(
            f"config, at {at}: {path} names no sample of cohort `{cohort}` (it names {given}, the "
            f"sheet `{sheet['sample'].iloc[0]}`). Fix: name samples as the sheet does."
        )
    check_case(sorted({*named, *sheet["sample"]}), f"config, at {at}: {path}: samples")
    own = table[table[sample].isin(sheet["sample"])].dropna()
    if (twice := own.duplicated([sample, spot])).any():
        first = own[twice].iloc[0]
        raise InputError(
            f"config, at {at}: {path} names spot `{first[spot]}` of sample `{first[sample]}` more "
            "than once. Fix: keep one line a spot."
        )
    classes = own[label].value_counts()
    check_case(sorted(classes.index), f"config, at {at}: {path}: classes")
    return classes


def table_of(path: str, columns: Sequence[str], at: str) -> pd.DataFrame:
    """Read a text table that must have some columns once each; `at` is the config's key."""
    where = f"config, at {at}: {path}"
    try:
        table = read_table(path, dtype=str)
        header = read_table(path, dtype=str, header=None, nrows=1).iloc[0].dropna().map(trimmed)
        read_text(path)  # refuses bytes of 0, at which pandas would end a cell
    except InputError as error:
        raise InputError(f"config, at {at}: {error}") from error
    except (ValueError, OSError) as error:  # pandas' own errors
        if "EOF inside string" in str(error):
            raise InputError(f"{where} {UNCLOSED}") from error
        raise InputError(
            f"{where} cannot be read as a table ({error}). Fix: give one with the columns "
            f"{', '.join(columns)}."
        ) from error
    fix = "add it, or correct the path"
    if len(header) == 1:
        fix = "separate columns by tabs, or by commas in a file whose name ends in `.csv`"
    if over_several_cells(table).any():
        raise InputError(f"{where} {UNCLOSED}")
    for column in columns:
        alike = [name for name in header if name.lower() == column]
        if column not in table.columns:
            fix = f"write `{alike[0]}` as `{column}`" if alike else fix
            raise InputError(
                f"{where} has no column `{column}` (it has {', '.join(header)}). Fix: {fix}."
            )
        if (header == column).sum() > 1:
            raise InputError(f"{where} has two columns `{column}`. Fix: keep one.")
    return table


def check_keys(sheets: Mapping[str, pd.DataFrame]) -> None:
    """Check that patients, data sets and groups of samples are spelled consistently.

    Raises
    ------
    InputError
        If two names differ only in capitals, since they would count as two patients or two organs.
    """
    rows = pd.concat(list(sheets.values()), ignore_index=True)
    for column, what in _GROUPS.items():
        check_case([name for name in rows[column].unique() if name], f"sheets: {what}")
    for _, own in rows.groupby("dataset"):
        check_case([name for name in own["patient"].unique() if name], "sheets: patients")


_GROUPS = {
    "dataset": "data sets",
    "organ": "organs",
    "disease_state": "states of disease",
    "technology": "technologies",
}


def check_arrays(run: Run) -> None:
    """Check that models on a `grid` only read samples with a known array.

    Raises
    ------
    InputError
        At the first sample with an unknown array.
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
                        f"array that is known; {hint(technology, ARRAYS)}. Fix: "
                        "correct it, or give `array`."
                    )


def check_genes(config: Mapping) -> None:
    """Check files that name genes: pairs (unless downloaded), aliases, and the screen's genes.

    Raises
    ------
    InputError
        At the first file that cannot be read, or names genes that the panel lacks.
    """
    panel = read_text(config["panel"]).split()
    screen = config["screen"]
    for gene in (gene for pair in config["perturbation"]["named"] for gene in pair):
        if gene not in panel:
            raise InputError(
                f"config, at perturbation.named: `{gene}` is not in the panel. Fix: name genes as "
                "the panel does."
            )
    if path := config["harmonise"]["aliases"]:
        table_of(path, ("alias", "symbol"), "harmonise.aliases")
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
