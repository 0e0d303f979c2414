"""Recognise names of genes that are not a panel's symbols, and mitochondrial genes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:  # takes a second to import; callers have it already
    from anndata import AnnData

ENSEMBL = r"ENS[A-Z]*G\d+"

MITOCHONDRIAL = frozenset(
    f"ENSG00000{number}"
    for number in (
        *("198888", "198763", "198804", "198712", "228253", "198899", "198938"),
        *("198840", "212907", "198886", "198786", "198695", "198727"),
    )
)
"""Ensembl ids of MT-ND1 to MT-CYB, as in the features of Space Ranger 1.1 (GEO GSE210616)."""

TRANSCRIPT = r"(?:ENS[A-Z]*T\d+|[NX][MR]_\d+)(?:\.\d+)?"
"""Pattern of Ensembl or RefSeq transcript ids."""

_MITO = re.compile(r"^MT[-._:]", re.IGNORECASE)
_MONTH = "(?:Mar|Mrz|Mär|Sept|Sep|Dec|Dez|Feb|Oct|Okt|Nov|Apr)"
_DATE = re.compile(
    rf"X?(?:\d{{1,2}}[-. ]+{_MONTH}|{_MONTH}[-. ]+\d{{1,2}}|\d{{4}}-\d\d-\d\d(?: 00:00:00)?)",
    re.IGNORECASE,
)
"""Dates as shown by spreadsheets (English or German), as R column names, and as read by pandas."""

_PREFIX = re.compile(r"^((?:GRCh|GRCm|hg|mm)\d+[-_.]+)(?=\w)")
_MOUSE = r"^[A-Z][a-z0-9]+"
_LOWER = r"[a-z0-9.-]*[a-z][a-z0-9.-]*"
_QUOTES = "\"'"
_PARTS = re.compile(r"[|_:;/\s]+")
"""Separators between a symbol and other parts of a name, such as an id or a species."""

MOST = 0.5
"""A form is that of all names if at least this share of them has it."""


@dataclass(frozen=True)
class Diagnosis:
    """Why names of genes do not match a panel's.

    Parameters
    ----------
    reason
        What the names are, and how to fix it.
    certain
        Whether this holds whatever share of the panel is found.
    """

    reason: str
    certain: bool = True


def mitochondrial(
    symbols: np.ndarray, var: pd.DataFrame, aliases: Mapping[str, set[str]] | None = None
) -> np.ndarray:
    """Return which genes of a section are mitochondrial: bool (genes,).

    Parameters
    ----------
    symbols
        Symbols from `panel.source_symbols`.
    var
        The section's genes by name, with `gene_ids` if it has them.
    aliases
        Aliases from `panel.read_aliases`; an alias of a symbol `MT-...` counts.
    """
    known = {alias for alias, names in (aliases or {}).items() if any(map(_MITO.match, names))}
    ids = pd.Index(var.get("gene_ids", var.index.to_series())).astype(str)
    bare = ids.str.replace(r"\.\d+$", "", regex=True)
    by_name = np.array([bool(_MITO.match(name)) for name in symbols], dtype=bool)
    return by_name | bare.isin(MITOCHONDRIAL | known) | pd.Index(symbols).isin(known)


def date_names(names: pd.Index) -> list[str]:
    """Return names that a spreadsheet turned into dates: `1-Sep` (SEPTIN1), `Mar-01` (MARCHF1)."""
    return [name for name in names if _DATE.fullmatch(name)]


def diagnose(adata: "AnnData", symbols: np.ndarray, panel: pd.Index) -> Diagnosis | None:
    """Say what is wrong with the names of a section's genes, if their form shows it.

    Parameters
    ----------
    symbols
        Symbols from `panel.source_symbols`.
    panel
        Symbols of the model.
    """
    names = pd.Index(symbols.astype(str))
    if not len(names):
        return None
    first = names[0]
    if names.str.fullmatch(r"\d+(?:\.0)?").mean() > MOST:
        return Diagnosis(
            f"its genes are named by numbers (the first: `{first}`). Fix: put the symbols in "
            "var_names or var['gene_symbols']."
        )
    prefixes = [found.group(1) for name in names if (found := _PREFIX.match(name))]
    if len(prefixes) > MOST * len(names):
        return Diagnosis(
            f"the names of its genes begin with a reference (`{prefixes[0]}`). Fix: remove it from "
            "the names, and leave out genes of other species."
        )
    if names.str.fullmatch(TRANSCRIPT).mean() > MOST:
        return Diagnosis(
            f"it counts transcripts (the first: `{first}`). Fix: add up the transcripts of each "
            "gene, and name the genes by their symbols."
        )
    if names.str.match(ENSEMBL).mean() > MOST and not names.str.startswith("ENSG").any():
        return Diagnosis(
            f"its genes are those of another species (the first: `{first}`; human ids begin with "
            "ENSG). Fix: give human sections, or map the genes to human symbols first."
        )
    if names.str.match(ENSEMBL).mean() > MOST:
        version = " with versions" if names.str.fullmatch(ENSEMBL + r"\.\d+").mean() > MOST else ""
        return Diagnosis(
            f"its genes are named by Ensembl ids{version} (the first: `{first}`). Fix: put the "
            "symbols in var['gene_symbols'], or give a table of ids and symbols as `aliases`.",
            certain=False,
        )
    capitals = int(panel.str.upper().isin(names.str.upper()).sum())
    as_they_are = int(panel.isin(names).sum())
    if names.str.fullmatch(_LOWER).mean() > MOST and capitals > 5 * as_they_are:
        return Diagnosis(
            f"its genes are named in lower case (the first: `{first}`). Fix: write the symbols in "
            "capitals."
        )
    if names.str.match(_MOUSE).mean() > MOST and capitals > 5 * as_they_are:
        return Diagnosis(
            f"{capitals} of the panel's would match in capitals, so that these look like mouse "
            f"symbols (the first: `{first}`). Fix: give human sections, or map the genes to human "
            "symbols first."
        )
    for part in (0, -1):
        parts = [_PARTS.split(name.strip(_QUOTES))[part] for name in names]
        if panel.isin(parts).sum() > 5 * as_they_are:
            return Diagnosis(
                f"the names of its genes hold more than a symbol (the first: `{first}`). Fix: "
                f"leave the symbol alone (`{parts[0]}`)."
            )
    return None
