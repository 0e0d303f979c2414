"""Read gene pairs from ligand-receptor resources, gene sets, TF targets or a user's table."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.common.errors import InputError, hint
from sagefm.common.io import read_table
from sagefm.common.keys import trimmed
from sagefm.common.texts import read_text

COLUMNS = ["input", "output", "sign", "group"]

TF_COLUMNS = ("source", "target", "weight")

NAMED = 5
"""Maximum number of unknown genes named in an error."""


def read_pairs(entry: Mapping, panel: Sequence[str]) -> pd.DataFrame:
    """Read the gene pairs of one entry of the config's `perturbation.pairs`.

    Parameters
    ----------
    entry
        `source` and its settings:

        - `liana`: `resource`, a ligand-receptor resource of the liana package. Complexes are split
          into subunits, and each ligand subunit is paired with each receptor subunit;
        - `gene_sets`: `gene_sets` (GMT) and `drivers` (TSV: input, set, reason). A driver is paired
          with every other gene of its set;
        - `tf_targets`: `path` (CSV or TSV, by suffix: source, target, weight, as in CollecTRI);
        - `table`: `path` (TSV: input, output, and optionally sign, group).
    panel
        The model's genes. All genes of a `table` must be among them; those of other sources that
        are not are dropped by `pairs.pairs_of_cohort`.

    Returns
    -------
    DataFrame
        input, output: symbols in the source; sign: int64, 1 if the output is expected to rise with
        the input, -1 if to fall, 0 if the source gives no weight; group: gene set, resource or the
        table's own group, or empty.

    Raises
    ------
    InputError
        If a file cannot be read or has the wrong content.
    """
    match entry["source"]:
        case "liana":
            return _of_liana(entry["resource"])
        case "gene_sets":
            return _of_gene_sets(entry["gene_sets"], entry["drivers"])
        case "tf_targets":
            return _of_tf_targets(entry["path"])
        case _:
            return _of_table(entry["path"], panel)


def _of_liana(resource: str) -> pd.DataFrame:
    from liana.resource import select_resource

    rows = [
        (*pair, 1, resource)
        for ligand, receptor in select_resource(resource).itertuples(index=False)
        for pair in product(ligand.split("_"), receptor.split("_"))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read_gmt(path: str | Path) -> dict[str, list[str]]:
    """Read the genes of each set of a GMT file. A line has a set's name, a description and genes.

    Raises
    ------
    InputError
        If the file cannot be read, a line has no gene, or two lines have the same set.
    """
    try:
        lines = read_text(path).splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}). Fix: correct `gene_sets`.") from error
    sets = {}
    for number, line in enumerate(lines, start=1):
        name, *rest = [trimmed(cell) for cell in line.split("\t")]
        genes = [gene for gene in rest[1:] if gene]
        if not any((name, *rest)):
            continue
        if not genes:
            raise InputError(
                f"{path}, line {number}: has no gene. Fix: give a set a line, its name, a "
                "description and its genes, separated by tabs."
            )
        if name in sets:
            raise InputError(
                f"{path}, line {number}: set `{name}` is in an earlier line already. Fix: keep one "
                "of them, or give it another name."
            )
        sets[name] = list(dict.fromkeys(genes))
    return sets


def _of_gene_sets(gene_sets: str | Path, drivers: str | Path) -> pd.DataFrame:
    sets = read_gmt(gene_sets)
    table = _read(drivers, ("input", "set", "reason"))
    rows = []
    for line, driver, name in table[["input", "set"]].itertuples():
        if name not in sets:
            raise InputError(
                f"{drivers}, line {line}: no set `{name}` is in {gene_sets}; {hint(name, sets)}."
            )
        rows += [(driver, gene, 1, name) for gene in sets[name] if gene != driver]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_tf_targets(path: str | Path) -> pd.DataFrame:
    table = _read(path, TF_COLUMNS)
    weight = pd.to_numeric(table["weight"], errors="coerce")
    unreadable = weight.isna() & table["weight"].notna()
    _refuse(path, table, unreadable, "the weight is not a number. Fix: correct it")
    return pd.DataFrame(
        {
            "input": table["source"],
            "output": table["target"],
            "sign": np.sign(weight.fillna(0)).astype(np.int64),
            "group": "",
        }
    ).reset_index(drop=True)


def _of_table(path: str | Path, panel: Sequence[str]) -> pd.DataFrame:
    table = _read(path, ("input", "output"))
    if "sign" not in table:
        table["sign"] = "1"
    if "group" not in table:
        table["group"] = ""
    sign = pd.to_numeric(table["sign"], errors="coerce")
    _refuse(path, table, ~sign.isin([1, -1]), "the sign must be 1 or -1. Fix: correct it")
    same = table["input"] == table["output"]
    _refuse(path, table, same, "a gene cannot be its own output. Fix: remove the line")
    twice = table.duplicated(["input", "output"])
    _refuse(path, table, twice, "this pair is in an earlier line already. Fix: keep one of them")
    _check_genes(path, table, panel)
    table["sign"] = sign.astype(np.int64)
    return table[COLUMNS].fillna({"group": ""}).reset_index(drop=True)


def _refuse(path: str | Path, table: pd.DataFrame, bad: pd.Series, why: str) -> None:
    """Raise an InputError that names the first bad line and its first two cells."""
    if bad.any():
        line = bad.idxmax()
        pair = " -> ".join(table.loc[line].iloc[:2])
        raise InputError(f"{path}, line {line} ({pair}): {why}.")


def _check_genes(path: str | Path, table: pd.DataFrame, panel: Sequence[str]) -> None:
    """Raise an InputError if a gene of a user's table is not in the panel."""
    genes = table[["input", "output"]].stack().drop_duplicates()
    unknown = genes[~genes.isin(list(panel))]
    if len(unknown) == len(genes):
        raise InputError(
            f"{path}: none of its {len(genes)} genes is in the panel (the first: "
            f"`{genes.iloc[0]}`). Fix: give human gene symbols, as the panel has them."
        )
    if len(unknown):
        named = [f"`{gene}` (line {line})" for (line, _), gene in unknown[:NAMED].items()]
        more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
        raise InputError(
            f"{path}: {', '.join(named)}{more}: not in the panel. Fix: remove them, or correct the "
            "symbols."
        )


def _read(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table as text, `columns` first, indexed by line number (the header is line 1).

    Raises
    ------
    InputError
        If it cannot be read, has no rows, lacks a column, or has an empty cell in the first two
        columns.
    """
    try:
        table = read_table(path, dtype=str, skip_blank_lines=False)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: cannot be read as a table ({reason}). Fix: correct it."
        ) from error
    if missing := [column for column in columns if column not in table]:
        raise InputError(
            f"{path}: has no column `{missing[0]}` (it has {', '.join(table.columns)}). "
            "Fix: add it, or correct the path."
        )
    table.index += 2
    table = table.apply(lambda column: column.map(trimmed, na_action="ignore"))
    table = table.mask(table == "").dropna(how="all")
    if table.empty:
        raise InputError(f"{path}: has no rows. Fix: give at least one.")
    empty = table[list(columns[:2])].isna().any(axis=1)
    if empty.any():
        cells = " and ".join(f"`{column}`" for column in columns[:2])
        raise InputError(
            f"{path}, line {empty.idxmax()}: the pair is incomplete. Fix: give both {cells}."
        )
    return table[[*columns, *table.columns.difference(columns)]]
