"""Read pathologists' labels from R's files, without R: Seurat objects or named vectors of codes.

A file is parsed (package `rdata`) but never evaluated. Only the table of spots of a Seurat object
is converted.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError, hint
from sagefm.common.io import read_table
from sagefm.common.keys import named_values

META, SUFFIX = "meta.data", r"-\d+$"
"""Slot of a Seurat object with the spots, and the barcode suffix that R's merge of sections
adds."""


def read_r_labels(
    path: str | Path, column: str | None, codes: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Read the labels of one section.

    Parameters
    ----------
    path
        A file of R's `save` or `saveRDS`, in any of its compressions, with a Seurat object or a
        vector of integer codes named by spot.
    column
        Column of a Seurat object's `meta.data`.
    codes
        Meanings of a vector's codes: columns code, label.

    Returns
    -------
    DataFrame
        Columns spot, label, for labelled spots only. Barcodes have no suffix (`-1`), unless two
        would be equal without it.

    Raises
    ------
    InputError
        If the file is not a complete R file, holds neither, or lacks the column or the meaning of a
        code.
    """
    path = Path(path)
    content = _content(path)
    if isinstance(content, pd.DataFrame):
        labels = _column(content, column, path)
    else:
        labels = _decoded(content, codes, path)
    labels = labels[labels.notna()].astype(str)
    bare = labels.index.astype(str).str.replace(SUFFIX, "", regex=True)
    spots = bare if bare.is_unique else labels.index.astype(str)
    return pd.DataFrame({"spot": spots, "label": labels.to_numpy()})


def label_table(
    files: Mapping[str, str | Path], column: str | None, codes: str | Path | None = None
) -> pd.DataFrame:
    """Read the labels of a cohort, as input for `labels.join_labels`.

    Parameters
    ----------
    files
        A file for `read_r_labels` for each sample.
    column
        As for `read_r_labels`.
    codes
        Table (TSV) of the codes' meanings: columns code, label.

    Returns
    -------
    DataFrame
        Columns sample, spot, label.

    Raises
    ------
    InputError
        As for `read_r_labels`, or if the table of codes cannot be read.
    """
    meaning = None if codes is None else _meaning(Path(codes))
    tables = [
        read_r_labels(path, column, meaning).assign(sample=sample) for sample, path in files.items()
    ]
    return pd.concat(tables, ignore_index=True)[["sample", "spot", "label"]]


def _meaning(path: Path) -> pd.DataFrame:
    try:
        table = read_table(path, dtype=str)[["code", "label"]].apply(named_values).dropna()
        table = table.astype({"code": int})
    except InputError:
        raise
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: is not a table with the columns code (whole numbers) and label. Fix: correct "
            "it."
        ) from error
    if (twice := table["code"].duplicated()).any():
        code = table.loc[twice, "code"].iloc[0]
        raise InputError(f"{path}: code {code} has two labels. Fix: keep one line a code.")
    return table


def _content(path: Path) -> pd.DataFrame | pd.Series:
    """Return the spot table of the file's Seurat object, or its named vector."""
    from rdata.conversion import convert
    from rdata.parser import parse_file

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the format is known by content, not by name
            found = parse_file(path, extension=".rds").object
            for thing in _saved(found):
                slots = _attributes(thing)
                if META in slots:
                    return pd.DataFrame(convert(slots[META]))
                if "names" in slots and thing.info.type.name in ("INT", "REAL"):
                    return pd.Series(thing.value, index=convert(slots["names"]))
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file. Fix: correct the sheet of label files.") from error
    except MemoryError:
        raise
    except Exception as error:  # any error of the parser on a damaged file
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path}: cannot be read as a file of R's save or saveRDS, perhaps truncated "
            f"({reason}). Fix: fetch it again."
        ) from error
    raise InputError(
        f"{path}: holds neither a Seurat object nor a vector of codes named by spot. Fix: give "
        "one of these, or a table of labels in the config's `labels`."
    )


def _saved(found) -> list:
    """Return a file's objects: one from `saveRDS`, or the linked list of named ones of `save`."""
    if found.info.type.name != "LIST":
        return [found]
    things = []
    while found.info.type.name == "LIST":
        thing, found = found.value
        things.append(thing)
    return things


def _attributes(thing) -> dict:
    """Return an object's attributes, which are the slots of an S4 object."""
    slots, link = {}, thing.attributes
    while link is not None and link.info.type.name == "LIST":
        tag = link.tag.referenced_object or link.tag
        value, rest = link.value
        slots[tag.value.value.decode()] = value
        link = rest
    return slots


def _column(table: pd.DataFrame, column: str | None, path: Path) -> pd.Series:
    if column not in table.columns:
        raise InputError(
            f"{path}: `{META}` has no column `{column}`; {hint(str(column), map(str, table))}."
        )
    if isinstance(table.index, pd.RangeIndex):
        raise InputError(f"{path}: `{META}` does not name its spots. Fix: give another object.")
    return table[column]


def _decoded(vector: pd.Series, codes: pd.DataFrame | None, path: Path) -> pd.Series:
    if codes is None:
        raise InputError(
            f"{path}: holds codes, not names. Fix: give the table of their meaning in the config's "
            "`raw_labels.codes`."
        )
    meaning = codes.set_index("code")["label"]
    vector = vector.dropna()
    unknown = sorted(set(vector) - set(meaning.index))
    if unknown:
        raise InputError(
            f"{path}: code {unknown[0]:g} has no meaning in `raw_labels.codes`. Fix: add its line."
        )
    return vector.map(meaning)
