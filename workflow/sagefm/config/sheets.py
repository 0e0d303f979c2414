"""Sheets of samples and of label files, read once and checked completely before any job starts.

Every error is one sentence that names the sheet, the row's sample, and the fix. Heavy imports are
avoided, since this module is loaded whenever the workflow is parsed.
"""

import csv
import re
from pathlib import Path

import pandas as pd

from sagefm.common.errors import InputError, hint
from sagefm.common.io import UNCLOSED, over_several_cells, read_table
from sagefm.common.keys import check_case, named, trimmed
from sagefm.common.texts import read_text
from sagefm.config.schemas import first_error, load_schema
from sagefm.downloads.sources.registry import is_fetched

READ_BY = (
    *("cohort", "sample", "path_or_id", "source", "format", "positions"),
    *("layer", "library", "library_key", "orientation", "absent"),
    *("expected_spots", "expected_genes"),
)
"""Columns of a sample sheet that decide how a section is read; the others only describe it."""


def read_samples(path: str | Path, cohort: str) -> pd.DataFrame:
    """Read a cohort's sheet: one row per sample, all columns of the schema, empty where not given.

    Raises
    ------
    InputError
        If the sheet is missing, empty, or has a bad row. The message names the row's sample.
    """
    sheet = _read_sheet(path, "samples", cohort, f"cohorts.{cohort}.samples")
    return sheet.assign(cohort=cohort)


def read_label_files(path: str | Path, cohort: str, samples: pd.DataFrame) -> pd.DataFrame:
    """Read a cohort's sheet of label files: one row per sample with labels.

    Raises
    ------
    InputError
        As for `read_samples`, or if a row's sample is not one of the cohort's `samples`.
    """
    sheet = _read_sheet(path, "label_files", cohort, f"cohorts.{cohort}.raw_labels.files")
    for name in sheet["sample"]:
        if name not in set(samples["sample"]):
            raise InputError(
                f"sheet {path} (cohort `{cohort}`): the cohort has no sample `{name}`; "
                f"{hint(name, samples['sample'])}."
            )
    return sheet


def _read_sheet(path: str | Path, schema_name: str, cohort: str, key: str) -> pd.DataFrame:
    where = f"sheet {path} (cohort `{cohort}`)"
    options = {"sep": "\t", "dtype": str, "na_values": [], "skip_blank_lines": False}
    try:
        header, before = _header(read_text(path))
        if not header:
            raise InputError(f"{path} is empty. Fix: list at least one sample.")
        sheet = read_table(path, skiprows=before, **options)
    except FileNotFoundError as error:
        raise InputError(
            f"{where} does not exist (looked from {Path.cwd()}). Fix: correct {key} in the config."
        ) from error
    except InputError as error:
        raise InputError(str(error).replace(str(path), where, 1)) from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        if "EOF inside string" in str(error):
            raise InputError(f"{where} {UNCLOSED}") from error
        raise InputError(
            f"{where} is not a table of tab-separated columns ({error}). Fix: give its first line "
            "the names of all columns, and remove lines that are not rows."
        ) from error
    if len(sheet.columns) == 1:
        raise InputError(
            f"{where} is not a table of tab-separated columns (its first line is one: "
            f"`{sheet.columns[0]}`). Fix: put tabs between them."
        )
    schema = load_schema(schema_name)
    sheet.columns = [_standard(str(name), schema) for name in sheet.columns]
    _check_header([_standard(trimmed(name), schema) for name in header], where)
    sheet.index += 2 + before  # line numbers of the file
    if (split := over_several_cells(sheet)).any():
        name = sheet["sample"][split].iloc[0] if "sample" in sheet else ""
        raise InputError(f"{where}, sample `{name}`, {UNCLOSED}")
    sheet = _trim(sheet.fillna(""))
    sheet = sheet[(sheet != "").any(axis=1)]
    if sheet.empty:
        raise InputError(f"{where} has no rows. Fix: list at least one sample.")
    _check_columns(list(sheet.columns), schema, where)
    for number, row in zip(sheet.index, sheet.to_dict("records"), strict=True):
        name = row.get("sample", "")
        if problem := first_error(row, schema):
            raise InputError(
                f"{where}, line {number}, sample `{name}`, {problem}. Fix: correct the sheet."
            )
        for column in ("path_or_id", "positions"):
            here = row.get(column) and not is_fetched(row["source"])
            if here and not Path(row[column]).exists():
                raise InputError(
                    f"{where}, line {number}, sample `{name}`: {column} {row[column]} does not "
                    f"exist (looked from {Path.cwd()}). Fix: {_path_fix(row[column])}."
                )
    twice = sheet["sample"][sheet["sample"].duplicated()]
    if len(twice):
        raise InputError(
            f"{where}: sample `{twice.iloc[0]}` occurs twice. Fix: give each its own name."
        )
    check_case(sheet["sample"], f"{where}: samples")
    sheet = sheet.reset_index(drop=True)
    return sheet.reindex(columns=list(schema["properties"]), fill_value="")


def _header(text: str) -> tuple[list[str], int]:
    """Return the column names as written, and the number of empty and comment lines before them."""
    for number, line in enumerate(text.splitlines()):
        if line.strip() and not (line.startswith("#") and "\t" not in line):
            return next(csv.reader([line], delimiter="\t")), number
    return [], 0


def _standard(name: str, schema: dict) -> str:
    """Return a column's name as in the schema, ignoring capitals, and spaces or dashes in it."""
    found = re.sub(r"[\s-]+", "_", name).lower()
    return found if found in schema["properties"] else name


def _check_header(names: list[str], where: str) -> None:
    for number, name in enumerate(names):
        if name and name in names[:number]:
            raise InputError(f"{where} has two columns `{name}`. Fix: keep one.")


def _path_fix(path: str) -> str:
    """Suggest a fix for a path that does not exist."""
    if path.startswith(("http://", "https://")):
        return "set `source` to the one that fetches it, such as `url`"
    if re.match(r"~|\$|[a-z0-9]+://", path):
        return "write the path out, as `~`, variables and addresses are not resolved"
    if path != trimmed(path):
        return "type it anew, as it holds a sign that is not shown or an accent written apart"
    if path[0] in "'\"":
        return "take off the quotation marks"
    return "correct the sheet"


NOBODY = frozenset(
    ("-", "--", "?", ".", "unknown", "unspecified", "missing", "not available", "not known")
)
"""Words for an unknown patient in lower case, in addition to `keys.MISSING`."""


def _patient(cell: str) -> str:
    name = named(cell)
    return "" if name.lower() in NOBODY or re.fullmatch(r"#[A-Z/0]+[!?]", name) else name


def _trim(sheet: pd.DataFrame) -> pd.DataFrame:
    """Strip white space from cells; empty those of descriptive columns that mean "missing"."""
    kept = {"path_or_id": _path, "positions": _path, "sample": trimmed, "patient": _patient}
    return sheet.apply(lambda column: column.map(kept.get(column.name, named)))


def _path(cell: str) -> str:
    return cell.strip()


def _check_columns(columns: list[str], schema: dict, where: str) -> None:
    missing = [name for name in schema["required"] if name not in columns]
    for number, name in enumerate(columns, 1):
        if name == f"Unnamed: {number - 1}":
            raise InputError(f"{where}: column {number} has no name. Fix: name it, or take it out.")
        if name not in schema["properties"]:
            known = hint(name, schema["properties"], "known are")
            lacking = f", and `{missing[0]}` is missing" if missing else ""
            stop = "" if known.endswith("?") else "."
            raise InputError(
                f"{where}: unknown column `{name}`{lacking}; {known}{stop} Fix: correct its name, "
                "or take it out."
            )
    if missing:
        raise InputError(f"{where}: column `{missing[0]}` is missing. Fix: add it.")
