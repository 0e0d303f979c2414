"""The model's gene panel, and the mapping of a section's own genes to it."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from sagefm.cohorts.gene_names import ENSEMBL, diagnose
from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.common.keys import trimmed

if TYPE_CHECKING:  # takes a second to import, so only where it is needed
    from anndata import AnnData

DUPLICATES = ("first", "sum")

_VERSION = re.compile(r"^(ENS[A-Z]*G\d+)\.\d+$")


def read_aliases(path: str | Path) -> dict[str, set[str]]:
    """Read a TSV with the columns `alias` (earlier symbol or Ensembl id) and `symbol`.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    try:
        table = read_table(path, dtype=str)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Fix: correct `aliases`.") from error
    if not {"alias", "symbol"} <= set(table.columns):
        raise InputError(
            f"{path}: needs the tab-separated columns `alias` and `symbol`. Fix: add them."
        )
    aliases = defaultdict(set)
    names = table[["alias", "symbol"]].apply(lambda own: own.map(trimmed, na_action="ignore"))
    for alias, symbol in names.dropna().itertuples(index=False):
        aliases[alias].add(symbol)
    return dict(aliases)


def source_symbols(adata: "AnnData") -> np.ndarray:
    """Return symbols of a section: `var['gene_symbols']` where var_names are ids or numbers."""
    names = adata.var_names.to_numpy(dtype=object)
    if "gene_symbols" not in adata.var:
        return names
    ids = adata.var_names.str.match(rf"{ENSEMBL}|\d+$")
    return np.where(ids, adata.var["gene_symbols"].to_numpy(dtype=object), names)


def harmonise_by(
    adata: "AnnData", panel: Sequence[str], settings: Mapping
) -> "tuple[AnnData, dict[str, int | str]]":
    """Apply `harmonise` with the config's settings, whose `aliases` is a path or None."""
    others = {key: value for key, value in settings.items() if key != "aliases"}
    path = settings.get("aliases")
    return harmonise(adata, panel, aliases=read_aliases(path) if path else None, **others)


def harmonise(
    adata: "AnnData",
    panel: Sequence[str],
    *,
    duplicates: str = "first",
    min_overlap: float = 0.5,
    aliases: Mapping[str, set[str]] | None = None,
) -> "tuple[AnnData, dict[str, int | str]]":
    """Map a section's genes to the panel.

    A gene is mapped to the panel gene of its name. If that name is not in the panel, the source's
    `var['gene_symbols']` is tried for an Ensembl id. Then the alias table is tried, with the gene's
    name and its Ensembl id. An alias counts only if it leads to a single panel gene. The source
    must not already have that gene, and no gene of another name may lead to it.

    Parameters
    ----------
    adata
        A section as returned by `readers.read_source`.
    panel
        Gene symbols in the model's order.
    duplicates
        Treatment of a symbol that occurs more than once: `first` keeps the first (as the released
        code does), `sum` adds them up.
    min_overlap
        Minimum share of the panel that must be found, 0 to 1.
    aliases
        See `read_aliases`.

    Returns
    -------
    adata, counts
        The section with `X` csr int32 (spots x panel), missing genes zero, and found genes marked
        in `var['in_source']`. Counts: `genes_source`, `genes_panel` (found), `genes_missing`,
        `genes_renamed` (panel genes found by another name), `genes_duplicated`, `duplicates_rule`.

    Raises
    ------
    InputError
        If too little of the panel is found or counted, or the names are of another species.
    """
    from anndata import AnnData

    if duplicates not in DUPLICATES:
        raise InputError(
            f"harmonise: duplicates `{duplicates}` is unknown. Fix: use `first` or `sum`."
        )
    index = pd.Index(panel)
    target = index.get_indexer(adata.var_names)
    direct = set(target)
    _fill(target, index.get_indexer(source_symbols(adata)))
    if aliases:
        _fill(target, _alias_targets(adata, target, index, aliases))

    source = np.flatnonzero(target >= 0)
    found, first, times = np.unique(target[source], return_index=True, return_counts=True)
    _check_overlap(adata, index, len(found), min_overlap)
    if duplicates == "first":
        source = source[first]
    selection = sp.csr_matrix(
        (np.ones(len(source), np.int32), (source, target[source])), shape=(adata.n_vars, len(panel))
    )
    matrix = sp.csr_matrix(adata.X @ selection)
    matrix.sort_indices()
    if not matrix.nnz:
        raise InputError(
            f"none of the {len(found)} panel genes that the section has is ever counted. Fix: give "
            "a section with counts."
        )
    in_source = np.zeros(len(panel), dtype=bool)
    in_source[found] = True
    harmonised = AnnData(
        X=matrix,
        obs=adata.obs.copy(),
        var=pd.DataFrame({"in_source": in_source}, index=index),
        obsm={"spatial": adata.obsm["spatial"].copy()},
        uns=dict(adata.uns),
    )
    return harmonised, {
        "genes_source": adata.n_vars,
        "genes_panel": len(found),
        "genes_missing": len(panel) - len(found),
        "genes_renamed": len(set(found) - direct),
        "genes_duplicated": int((times > 1).sum()),
        "duplicates_rule": duplicates,
    }


def _fill(target: np.ndarray, other: np.ndarray) -> None:
    """Fill in panel indices from `other` where `target` has none and no gene has it by name."""
    free = (target < 0) & (other >= 0) & ~np.isin(other, target)
    target[free] = other[free]


def _alias_targets(
    adata: "AnnData", target: np.ndarray, index: pd.Index, aliases: Mapping[str, set[str]]
) -> np.ndarray:
    """Return each unmapped gene's panel index by the alias table; -1 for none or several."""
    names = source_symbols(adata)
    ids = adata.var.get("gene_ids", adata.var_names.to_series())
    result = np.full(adata.n_vars, -1)
    leads = defaultdict(set)
    for gene in np.flatnonzero(target < 0):
        symbols = set()
        for key in (names[gene], _VERSION.sub(r"\1", ids.iloc[gene])):
            symbols |= aliases.get(key, set())
        hits = index.get_indexer(sorted(symbols))
        hits = hits[hits >= 0]
        if len(hits) == 1:
            result[gene] = hits[0]
            leads[hits[0]].add(names[gene])
    ambiguous = [hit for hit, genes in leads.items() if len(genes) > 1]
    result[np.isin(result, ambiguous)] = -1
    return result


def _check_overlap(adata: "AnnData", index: pd.Index, found: int, least: float) -> None:
    """Raise an InputError, with the likely reason, if a section lacks too much of the panel."""
    diagnosis = diagnose(adata, source_symbols(adata), index) if found < len(index) / 2 else None
    if found >= max(least * len(index), 1) and not (diagnosis and diagnosis.certain):
        return
    reason = (
        f": {diagnosis.reason}"
        if diagnosis
        else ". Fix: give a whole-transcriptome section, or lower `min_overlap`."
    )
    raise InputError(
        f"only {found} of the panel's {len(index)} genes are among the section's {adata.n_vars} "
        f"({found / len(index):.0%}, at least {least:.0%} are needed){reason}"
    )
