"""The scoreboard as a page, the report's first: what held, what did not, by which protocol."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sagefm.claims.reported import reported_claims
from sagefm.common.claim import OUTCOMES
from sagefm.common.errors import InputError
from sagefm.plotting.html import render_page

COLUMNS = (
    *("claim", "reported", "obtained", "baseline", "n", "verdict", "evidence", "reason"),
    *("outcome", "protocol"),
)


def scoreboard(reported: pd.DataFrame, chapters: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row a claim of the paper, in the paper's order; `not computed` where no chapter spoke.

    Parameters
    ----------
    reported
        What the paper says: `resources/reported.tsv`.
    chapters
        Tables of `claims_table`.

    Raises
    ------
    InputError
        If a chapter writes a claim that the paper's table lacks, or two write the same.
    """
    found = pd.concat([table.astype(str) for table in chapters], ignore_index=True)
    if unknown := set(found["id"]) - set(reported["id"]):
        raise InputError(f"claim `{min(unknown)}` is not in resources/reported.tsv; add its row.")
    if found["id"].duplicated().any():
        twice = found.loc[found["id"].duplicated(), "id"].iloc[0]
        raise InputError(f"claim `{twice}` is given by two chapters; leave it to one.")
    board = reported_claims(reported).merge(found, on="id", how="left")
    board["verdict"] = board["verdict"].fillna("not computed")
    board["reason"] = board["reason"].fillna("no chapter of this run computes it")
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
td:nth-child(2), td:nth-child(3), td:nth-child(4) { min-width: 8rem; }
td:nth-child(5) { min-width: 15rem; }
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
<p>Each row is a claim of the paper (arXiv:2601.15504). <em>Supported</em>, <em>contradicted</em>
and <em>inconclusive</em> are said of the paper's own data alone; <em>proxy</em> means that the
figure was computed on other data, which the reason names: whether the claim held there is no
evidence for or against the paper. <em>Not computed</em>: not part of this run. The baseline needs
no training, or is the method that the claim names.</p>
<table>
<thead><tr>{% for head in heads %}<th>{{ head }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in rows %}
<tr>
{% for key in ("claim", "reported", "obtained", "baseline") %}
<td>{{ row[key] }}</td>
{% endfor %}
<td>{{ row.protocol }}<br><span class="more">{{ row.n }}</span></td>
<td><span class="verdict {{ row.verdict | replace(" ", "-") }}">{{ row.verdict }}</span>
{% if row.outcome != "-" %}<br>{{ row.outcome }} here{% endif %}
<details class="more"><summary>why</summary>{{ row.reason }}<br>
<code>{{ row.evidence }}</code></details>
</td>
</tr>
{% endfor %}
</tbody>
</table>
{% endblock %}
"""

HEADS = ("claim", "the paper reports", "this run obtained", "baseline", "how, and n", "verdict")

IN_SHORT = {
    "held": "What held on this run's data",
    "did not hold": "What did not hold",
    "undecided": "What this run cannot decide",
}


def scoreboard_html(board: pd.DataFrame, run: str, provenance: Mapping[str, Any]) -> str:
    """A self-contained page of the scoreboard table (`claims.scoreboard`)."""
    rows = board.to_dict("records")
    facts = {key: provenance[key] for key in ("version", "code", "config_sha256", "python")}
    return render_page(
        TEMPLATE,
        style=STYLE,
        run=run,
        rows=rows,
        proxies=sum(row["verdict"] == "proxy" for row in rows),
        heads=HEADS,
        titles=IN_SHORT,
        short=_in_short(rows),
        **facts,
    )


def _in_short(rows: Sequence[Mapping[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """Claims with what was found, by outcome; what has none cannot be decided."""
    lists: dict[str, list[tuple[str, str]]] = {outcome: [] for outcome in IN_SHORT}
    for row in rows:
        outcome = row["outcome"] if row["outcome"] in OUTCOMES.values() else "undecided"
        found = row["verdict"]
        if row["obtained"] != "-":
            found = re.split(r";| \(", row["obtained"])[0]  # the rest is in the table
        lists[outcome].append((row["claim"], found))
    return lists
