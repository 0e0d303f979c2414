"""The results page of a run: verdict in words, five claims, figures, data, cost, files."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from docutils.core import publish_parts

from sagefm.common.text import capital
from sagefm.common.verdict import OUTCOMES
from sagefm.plotting.colours import PREDICTOR_NAMES
from sagefm.plotting.html import PAGE_STYLE, templates
from sagefm.report.results_words import paper_data_words, verdict_words

MARKS = {
    "held": ("✓", "held", "Held: significantly better than every alternative."),
    "did not hold": (
        "✗",
        "failed",
        "Did not hold: the 95% interval over patients excludes the claim.",
    ),
    "undecided": (
        "?",
        "open",
        "Undecided: too few patients, too short a training or too few alternatives to tell.",
    ),
    "-": ("–", "none", "Not part of this run."),
}
"""Of each outcome: its sign, its class in the style sheet, and its meaning."""


@dataclass(frozen=True)
class Figure:
    """A figure of the page: its PNG, and its caption as HTML."""

    path: Path
    caption: str

    @property
    def name(self) -> str:
        """Its file's name without the ending."""
        return self.path.stem

    @property
    def data(self) -> str:
        """The image as a `data:` address, so that the page needs no other file."""
        return f"data:image/png;base64,{base64.b64encode(self.path.read_bytes()).decode()}"


def rst_to_html(text: str, **values: object) -> str:
    """HTML of reStructuredText, which is a Jinja template of some values."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    rendered = environment.from_string(text).render(**values)
    return publish_parts(rendered, writer="html5", settings_overrides={"halt_level": 2})["body"]


def claim_rows(board: pd.DataFrame, model: str) -> list[dict[str, Any]]:
    """The claims on results, numbered 2 to 6 in the paper's order, as the page shows them.

    Parameters
    ----------
    board
        Of `scoreboard`.
    model
        The model whose rows are taken; a claim that was not judged on it has the row without one.
    """
    own = board[board["model"].isin([model, "-"])]
    numbered = own[own["claim"].str.match(r"[2-6] ")].drop_duplicates("claim")
    rows = []
    for row in numbered.to_dict("records"):
        outcome = row["outcome"] if row["outcome"] in OUTCOMES.values() else "-"
        sign, style, meaning = MARKS[outcome]
        reasons = [capital(part) for part in row["reason"].split("; ") if part]
        rows.append(
            {str(key): value for key, value in row.items()}
            | {"sign": sign, "style": style, "meaning": meaning, "outcome": outcome}
            | {"number": row["claim"].partition(" ")[0], "reasons": reasons}
        )
    return rows


def cohort_rows(sections: pd.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row a cohort: title, sections, patients, spots, organs.

    Parameters
    ----------
    sections
        Of `overview.sections_table`.
    titles
        Of each cohort, for people.
    """
    return [
        {
            "title": titles[str(name)] or name,
            "sections": len(own),
            "patients": own["patient"].nunique(),
            "spots": int(own["n_spots"].sum()),
            "organs": ", ".join(sorted(own["organ"].dropna().unique())),
        }
        for name, own in sections.groupby("cohort", sort=False)
    ]


def transfer_rows(
    table: pd.DataFrame | None, titles: Mapping[str, str], models: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Recovery of each model on each cohort; none if all are of a technology of the training.

    Parameters
    ----------
    table
        Of `recovery.transfer.transfer_table`; None if nothing was recovered.
    titles, models
        Of each cohort and model, for people.
    """
    if table is None or not (table["transfer"] == "yes").any():
        return []
    return [
        {
            **{"cohort": titles[row["cohort"]], "model": models[row["model"]]},
            "technology": row["technology"],
            "trained_on": row["trained_on"],
            "patients": row["n_patients"],
            "share": f"{row['recovered_shared']:.0%}",
            "other": f"{row['best_other_recovered_shared']:.0%}"
            f" ({PREDICTOR_NAMES[row['best_other']]})",
        }
        for row in table.to_dict("records")
    ]


def cost_table(benchmarks: Path) -> pd.DataFrame:
    """Time and memory of each rule's jobs, the longest first.

    Columns rule, jobs, minutes and cpu_minutes (summed over jobs; by the clock, and of all cores),
    peak_mb (of the largest job; NaN where no job ran long enough to be measured).

    Parameters
    ----------
    benchmarks
        Folder of Snakemake's benchmark files: `{rule}.tsv`, or a folder for each rule.
    """
    found = []
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        table = pd.read_csv(path, sep="\t", na_values=["-"])
        minutes = {"minutes": table["s"].sum() / 60, "cpu_minutes": table["cpu_time"].sum() / 60}
        found.append({"rule": rule, **minutes, "peak_mb": table["max_rss"].max()})
    columns = ["rule", "jobs", "minutes", "cpu_minutes", "peak_mb"]
    if not found:
        return pd.DataFrame(columns=columns)
    groups = pd.DataFrame(found).groupby("rule")
    sums = groups[["minutes", "cpu_minutes"]].sum().assign(peak_mb=groups["peak_mb"].max())
    table = sums.assign(jobs=groups.size())
    return table.sort_values("minutes", ascending=False).reset_index()[columns]


def file_rows(folder: Path, kinds: pd.DataFrame) -> list[dict[str, str]]:
    """The kinds of files that a run's folder has.

    Parameters
    ----------
    kinds
        `workflow/report/report/files.tsv`: path (a folder ends in a slash), what.
    """
    rows = kinds.to_dict("records")
    return [
        {str(key): str(value) for key, value in row.items()}
        for row in rows
        if (folder / row["path"]).exists() or row["path"] == "index.html"
    ]


def citation(cff: Mapping[str, Any]) -> list[str]:
    """What to cite: the paper, then the workflow, from `CITATION.cff`."""
    lines = []
    for paper in cff["references"]:
        names = ", ".join(
            f"{one['family-names']} {one['given-names'][0]}" for one in paper["authors"]
        )
        number = paper["identifiers"][0]["value"]
        lines.append(f"{names}. {paper['title']}. {number} ({paper['year']}).")
    return [*lines, f"{cff['title']}. Version {cff['version']}."]


def captioned(figures: Sequence[str], captions: Sequence[str], **values: object) -> list[Figure]:
    """Figures with their captions, which are templates of some values.

    Parameters
    ----------
    figures, captions
        Paths of PNG and of reStructuredText, in the same order.
    """
    pairs = zip(figures, captions, strict=True)
    return [Figure(Path(png), rst_to_html(Path(rst).read_text(), **values)) for png, rst in pairs]


def render_results(
    summary: str,
    body: str,
    rows: Sequence[Mapping[str, Any]],
    figures: Sequence[Figure],
    files: Sequence[Mapping[str, str]],
    **others: object,
) -> tuple[str, str]:
    """The page, and its first part alone for the first page of Snakemake's report.

    Parameters
    ----------
    summary, body
        Templates: `workflow/report/report/results_summary.html` and `results_page.html`.
    rows, figures, files
        Of `claim_rows`, `captioned` and `file_rows`.
    others
        What else the templates name.
    """
    environment = templates(summary=summary, body=body)
    answer, counts = verdict_words(rows)
    values = {
        **others,
        **{"rows": rows, "figures": figures, "files": files, "answer": answer, "counts": counts},
        "marks": MARKS.values(),
        "is_proxy": any(row["verdict"] == "proxy" for row in rows),
        "paper_data": paper_data_words(rows),
        "figure_names": {figure.name for figure in figures},
        "page_style": PAGE_STYLE,
    }
    page = environment.get_template("body").render(with_links=True, **values)
    return page, environment.get_template("summary").render(with_links=False, **values)
