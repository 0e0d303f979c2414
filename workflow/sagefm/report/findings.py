"""What README and `docs/` say of results, written from tables that are committed (`make findings`).

A run leaves many tables. `collect` takes from them the rows that the documentation quotes, into
`docs/results/{run}`; texts are written from these, so that no number in them is typed.
"""

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sagefm.common.errors import InputError
from sagefm.common.io import atomic, read_table
from sagefm.report.cost_figure import IMAGE as COSTS
from sagefm.report.cost_figure import write_costs
from sagefm.report.growth_figure import IMAGE as GROWTH
from sagefm.report.growth_figure import write_growth
from sagefm.report.results_page import cost_table
from sagefm.report.study import DIGITS, tabulate_study, trainings
from sagefm.report.study_figure import IMAGE as STUDY
from sagefm.report.study_figure import write_study

RESULTS = Path("docs/results")
TEMPLATES = Path("docs/templates")
FIGURES = Path("resources/figures")
NAMING = (Path("config/config.yaml"), Path("config/novae.yaml"))
"""Configs whose titles the figures of the documentation have."""


@dataclass(frozen=True)
class Kept:
    """What is kept of a run's tables of one kind.

    Attributes
    ----------
    files
        Where they are in the run's folder; parts in braces become columns.
    rows
        Columns, and the values that a kept row has in them.
    without
        Columns left out: those that differ from machine to machine.
    """

    files: str
    rows: Mapping[str, tuple] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    def read(self, run: Path) -> pd.DataFrame:
        """The kept rows of all files of a run: none if the run has no such file."""
        pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.files)))
        tables = []
        for path in sorted(run.glob(re.sub(r"{\w+}", "*", self.files))):
            found = pattern.fullmatch(path.relative_to(run).as_posix())
            assert found
            table = read_table(path)
            for column, values in self.rows.items():
                table = table[table[column].isin(values)]
            table = table.drop(columns=[c for c in self.without if c in table])
            tables.append(table.assign(**found.groupdict()))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


TIMES = ("seconds", "fit_seconds", "representation_seconds", "training_seconds", "peak_mib")

KEPT = {
    "scoreboard": Kept("scoreboard.tsv"),
    "recovery": Kept("recovery/{model}/{cohort}/summary.tsv", {"stratum_kind": ("all",)}),
    "tasks": Kept(
        "tasks/{task}/scores.tsv",
        {"subset": ("all",), "classifier": ("logistic", "majority")},
        without=TIMES,
    ),
    "task_comparisons": Kept(
        "tasks/{task}/comparisons.tsv",
        {
            "subset": ("all",),
            "classifier": ("logistic",),
            "protocol": ("held_out_patients",),
            "metric": ("patient_balanced_accuracy",),
        },
    ),
    "task_patients": Kept(
        "tasks/{task}/patients.tsv",
        {"classifier": ("logistic",), "protocol": ("held_out_patients",)},
    ),
    "clustering": Kept(
        "clustering/{cohort}/summary.tsv",
        {"scope": ("section",), "clustering": ("kmeans",), "metric": ("ari",)},
        without=TIMES,
    ),
    "integration": Kept(
        "clustering/{cohort}/summary.tsv",
        {"scope": ("cohort",), "clustering": ("integration",), "metric": ("bras", "cilisi")},
        without=TIMES,
    ),
    "imputation": Kept("imputation/{model}/{cohort}/summary.tsv"),
    "perturbation": Kept("perturbation/{model}/{cohort}/{pairs}/summary.tsv"),
    "discrimination": Kept("perturbation/{model}/{cohort}/{pairs}/discrimination.tsv"),
    "programmes": Kept("programmes/summary.tsv"),
    "programme_labels": Kept("programmes/labels.tsv"),
    "programme_sets": Kept("programmes/sets.tsv"),
    "programme_fits": Kept("programmes/fits.tsv"),
    "calibration": Kept("calibration.tsv"),
    "exploration": Kept("exploration.tsv"),
    "decoders": Kept("decoders.tsv"),
    # Of the folder results/bench, which benchmarks write.
    "bench": Kept("bench.tsv"),
    "peers": Kept("peers.tsv"),
    "scale": Kept("scale.tsv"),
    "prediction": Kept("prediction.tsv"),
    "growth": Kept("growth.tsv"),
    "rehearsal": Kept("rehearsal.tsv"),
    "rehearsal_full": Kept("rehearsal_full.tsv"),
}
"""Tables by the name that they have in `docs/results/{run}` and in templates."""


def collect(run: Path, folder: Path) -> None:
    """Write the rows of `KEPT` that a run has into a folder, and what its jobs cost.

    Raises
    ------
    InputError
        If the run has none of them.
    """
    tables = {name: kept.read(run) for name, kept in KEPT.items()}
    tables["costs"] = cost_table(run / "benchmarks")
    tables["trainings"] = trainings(run / "models")
    if not any(map(len, tables.values())):
        raise InputError(f"{run}: has no table to keep. Fix: name the folder of a finished run.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if len(table):
            with atomic(folder / f"{name}.tsv") as temporary:
                table.to_csv(temporary, sep="\t", index=False, float_format=f"%.{DIGITS}g")


@dataclass(frozen=True)
class KeptTables:
    """The committed tables of one run, for templates."""

    folder: Path

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every table by its name."""
        return {path.stem: read_table(path) for path in sorted(self.folder.glob("*.tsv"))}

    def rows(self, table: str, **conditions: Any) -> list[dict[str, Any]]:
        """Rows with the given values in the given columns, in the table's order."""
        found = self.tables[table]
        for column, value in conditions.items():
            found = found[found[column] == value]
        return found.to_dict("records")

    def row(self, table: str, **conditions: Any) -> dict[str, Any]:
        """The one row with the given values in the given columns.

        Raises
        ------
        InputError
            If there is none, or more than one.
        """
        found = self.rows(table, **conditions)
        if len(found) != 1:
            where = ", ".join(f"{column} {value}" for column, value in conditions.items())
            raise InputError(
                f"{self.folder}/{table}.tsv: {len(found)} rows have {where}, not one. Fix: "
                "correct the template."
            )
        return found[0]


def percent(value: float, digits: int = 1) -> str:
    """A share as percent: `42.0%`."""
    return f"{value:.{digits}%}".replace("-", "−")


def number(value: float, form: str = ".3f") -> str:
    """A number by a format, with a true minus sign; a dash where there is none."""
    if math.isnan(value):
        return "-"
    return format(value, form).replace("-", "−")


def render(template: str, results: Path = RESULTS, templates: Path = TEMPLATES) -> str:
    """A text of a template, which reads `demo.row("recovery", ...)` for the run `demo`.

    `config("config/ladder.yaml")` is what a config file says.

    Raises
    ------
    InputError
        If a table does not have the row that the template asks for.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "number": number}
    environment.globals["config"] = lambda path: yaml.safe_load(Path(path).read_text())
    runs = {path.name: KeptTables(path) for path in sorted(results.iterdir()) if path.is_dir()}
    return environment.get_template(template).render(**runs)


_PLACE = re.compile(r"(<!-- from (\S+) -->\n).*?(<!-- end of \2 -->)", re.DOTALL)


def fill(text: str, results: Path = RESULTS, templates: Path = TEMPLATES) -> str:
    """A text whose parts between `<!-- from NAME -->` and `<!-- end of NAME -->` are made anew.

    NAME is a template's file.
    """

    def made(found: re.Match) -> str:
        return f"{found[1]}{render(found[2], results, templates)}{found[3]}"

    return _PLACE.sub(made, text)


def documents() -> list[Path]:
    """The texts with such parts: README and the pages of `docs/`."""
    return [Path("README.md"), *sorted(Path("docs").glob("*.md"))]


if __name__ == "__main__":
    for folder in map(Path, sys.argv[1:]):
        collect(folder, RESULTS / folder.name)
    tabulate_study(Path("config/study.yaml"), RESULTS / "study")
    for document in documents():
        document.write_text(fill(document.read_text()))
    write_costs(RESULTS, NAMING, FIGURES / COSTS)
    write_study(RESULTS / "study", FIGURES / STUDY)
    write_growth(RESULTS, FIGURES / GROWTH)
