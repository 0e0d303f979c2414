"""The scoreboard, as a table and as the report's first page: verdicts by claim and model."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sagefm.claims.reported import reported_claims
from sagefm.common.errors import InputError
from sagefm.common.verdict import OUTCOMES
from sagefm.plotting.html import render_page

COLUMNS = (
    *("claim", "model", "reported", "obtained", "baseline", "n", "verdict", "evidence", "reason"),
    *("outcome", "protocol", "plain", "figure", "score", "alternative", "lead"),
)


def scoreboard(reported: pd.DataFrame, chapters: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one row per claim and model: claims in the paper's order, models in the chapters'.

    A claim that no chapter computes has one row, `not computed`, without a model.

    Parameters
    ----------
    reported
        The paper's claims: `resources/reported.tsv`.
    chapters
        Tables from `claims_table`.

    Raises
    ------
    InputError
        If a chapter writes a claim that the paper's table lacks, or two write the same.
    """
    found = pd.concat([table.astype(str) for table in chapters], ignore_index=True)
    if unknown := set(found["id"]) - set(reported["id"]):
        raise InputError(
            f"claim `{min(unknown)}` is not in resources/reported.tsv. Fix: add its row."
        )
    twice = found[found.duplicated(["id", "model"])]
    if len(twice):
        claim, model = twice.iloc[0][["id", "model"]]
        raise InputError(
            f"claim `{claim}` on model `{model}` is reported by two chapters. Fix: "
            "report it in one."
        )
    board = reported_claims(reported).merge(found, on="id", how="left")
    board["verdict"] = board["verdict"].fillna("not computed")
    board["reason"] = board["reason"].fillna("not part of this run")
    return board.fillna("-")[list(COLUMNS)]


STYLE = """
.facts { color: #555; }
.short { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.2rem; }
.short section { border-top: 4px solid; padding-top: .2rem; }
.short h2 { font-size: 1.05rem; margin: .3rem 0; }
.short ul { margin: 0; padding-left: 1.1rem; }
.short section.held { border-color: #009E73; }
.short section.did-not-hold { border-color: #D55E00; }
.short section.undecided { border-color: #8A8A8A; }
td:nth-child(1) { font-weight: 600; min-width: 10rem; }
td:nth-child(2) { min-width: 8rem; }
td:nth-child(n+3) { min-width: 18rem; }
th span { display: block; font-weight: normal; }
.verdict { display: inline-block; padding: .05rem .5rem; border: 1.5px solid #444;
           border-radius: .7rem; white-space: nowrap; font-weight: 600; }
.verdict.supported { background: #009E73; color: #fff; }
.verdict.contradicted { background: #D55E00; color: #fff; }
.verdict.proxy { border-style: dashed; }
.verdict.not-computed { border-color: #bbb; color: #777; }
.more { font-size: 13px; color: #444; }
"""

TEMPLATE = """{% extends "page" %}
{% block title %}Scoreboard{% endblock %}
{% block style %}{{ style | safe }}{% endblock %}
{% block content %}
<h1>Scoreboard of run <em>{{ run }}</em></h1>
<p class="facts">SAGE-FM workflow {{ version }}; code {{ code }}; config {{ config_sha256[:16] }};
Python {{ python }}.</p>
{% if proxies %}
<p><strong>{{ proxies }} of {{ rows | length }} rows are proxies</strong>: this run's data are not
the paper's.</p>
{% endif %}
<div class="short">
{% for outcome, claims in short.items() %}
<section class="{{ outcome | replace(" ", "-") }}"><h2>{{ titles[outcome] }}</h2><ul>
{% for claim, found in claims %}
<li>{{ claim }}: {{ found }}</li>
{% else %}
<li>nothing</li>
{% endfor %}
</ul></section>
{% endfor %}
</div>
<p>Each row is a claim of the paper (arXiv:2601.15504), each column a model on which it was judged.
<em>Supported</em>, <em>contradicted</em> and <em>inconclusive</em> are verdicts on the paper's own
data; <em>proxy</em> means that the figure was computed on other data, which the reason names:
whether the claim held there is not evidence for or against the paper. <em>Not computed</em>: not
part of this run. A claim is supported if the model significantly exceeds everything that it is
compared with (published methods, untrained baselines, controls), and was trained until its
validation loss stopped falling, or is the released checkpoint. It is contradicted if an interval
excludes it. All else is inconclusive.</p>
<table>
<thead><tr><th>claim</th><th>the paper reports</th>
{% for title, words in models.values() %}<th>{{ title }}<span>{{ words }}</span></th>{% endfor %}
</tr></thead>
<tbody>
{% for claim, reported, cells in claims %}
<tr>
<td>{{ claim }}</td><td>{{ reported }}</td>
{% for row in cells %}
<td><span class="verdict {{ row.verdict | replace(" ", "-") }}">{{ row.verdict }}</span>
{% if row.outcome != "-" %} {{ row.outcome }} here{% endif %}
{% if row.obtained != "-" %}<p>{{ row.obtained }}</p>{% endif %}
{% if row.baseline != "-" %}<p class="more">References: {{ row.baseline }}</p>{% endif %}
<details class="more"><summary>how and why</summary><p>{{ row.reason }}</p>
{% if row.protocol != "-" %}<p>{{ row.protocol }}; {{ row.n }}</p>{% endif %}
<code>{{ row.evidence }}</code></details>
</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
{% endblock %}
"""

NOT_COMPUTED = {
    **dict.fromkeys(COLUMNS, "-"),
    "verdict": "not computed",
    "reason": "not computed for this model",
}
"""Cell of a model on which a claim was not judged."""

IN_SHORT = {
    "held": "What held on this run's data",
    "did not hold": "What did not hold",
    "undecided": "What this run cannot decide",
}


def scoreboard_html(
    board: pd.DataFrame,
    run: str,
    models: Mapping[str, tuple[str, str]],
    provenance: Mapping[str, Any],
) -> str:
    """Render the scoreboard as a self-contained page: a row per claim, a column per model.

    Parameters
    ----------
    board
        Table from `scoreboard`.
    run
        Name of the run.
    models
        Display name and training of each judged model.
    provenance
        Facts from `report.provenance`.
    """
    rows = board.to_dict("records")
    facts = {key: provenance[key] for key in ("version", "code", "config_sha256", "python")}
    claims = []
    for (claim, reported), own in board.groupby(["claim", "reported"], sort=False):
        found = {row["model"]: row for row in own.to_dict("records")}
        unknown = found.get("-", NOT_COMPUTED)
        claims.append((claim, reported, [found.get(model, unknown) for model in models]))
    return render_page(
        TEMPLATE,
        style=STYLE,
        run=run,
        rows=rows,
        claims=claims,
        models=models,
        proxies=sum(row["verdict"] == "proxy" for row in rows),
        titles=IN_SHORT,
        short=_in_short(rows, {model: title for model, (title, _) in models.items()}),
        **facts,
    )


def _in_short(
    rows: Sequence[Mapping[str, str]], titles: Mapping[str, str]
) -> dict[str, list[tuple[str, str]]]:
    """Group claims and their results by outcome; claims without an outcome are undecided.

    With several models, each claim names its model.
    """
    lists: dict[str, list[tuple[str, str]]] = {outcome: [] for outcome in IN_SHORT}
    for row in rows:
        outcome = row["outcome"] if row["outcome"] in OUTCOMES.values() else "undecided"
        found = row["verdict"]
        if row["obtained"] != "-":
            found = re.split(r";| \(", row["obtained"])[0]  # the rest is in the table
        own = titles.get(row["model"]) if len(titles) > 1 else None
        lists[outcome].append((row["claim"] + (f", {own}" if own else ""), found))
    return lists
