"""Tables of gene sets for derived labels; quick to import, as they are also read before a run."""

from pathlib import Path

from sagefm.annotation.terms import UNASSIGNED
from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.common.keys import check_case, named_values
from sagefm.common.text import count


def read_gene_sets(path: str | Path) -> dict[str, list[str]]:
    """Read the genes of each set from a table with the columns `set` and `gene`.

    Raises
    ------
    InputError
        If a column is missing, there are fewer than two sets, two names differ only in case, or one
        has the name reserved for spots without a class.
    """
    table = read_table(path, dtype=str)
    if missing := {"set", "gene"} - set(table.columns):
        raise InputError(f"{path}: has no column {', '.join(sorted(missing))}. Fix: add it.")
    table = table[["set", "gene"]].apply(named_values).dropna()
    sets = {name: list(dict.fromkeys(own)) for name, own in table.groupby("set")["gene"]}
    if len(sets) < 2:
        raise InputError(f"{path}: has {count(len(sets), 'gene set')}. Fix: give two or more.")
    check_case(sets, f"{path}: gene sets")
    if UNASSIGNED in sets:
        raise InputError(
            f"{path}: `{UNASSIGNED}` is reserved for spots that no set leads in. Fix: give the "
            "set another name."
        )
    return sets
