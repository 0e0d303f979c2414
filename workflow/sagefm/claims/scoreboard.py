"""The scoreboard as a page, the report's first: what held, what did not, by which protocol."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from sagefm.common.claim import OUTCOMES
from sagefm.common.errors import InputError
from sagefm.plotting.html import PAGE_STYLE

COLUMNS = (
    *("claim", "reported", "obtained", "baseline", "n", "verdict", "evidence", "reason"),
    *("outcome", "protocol"),
)


def scoreboard(reported: pd.DataFrame, chapters: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row a claim of the paper, in the paper's order; `not computed` where no chapter spoke.

    Parameters
    ----------
    reported
        Columns id, claim, reported: what the paper says.
    chapters
        Tables of `claims_table`.

    Raises
    ------
    InputError
        If a chapter speaks of a claim the paper's table does not have, or two of the same.
    """
    found = pd.concat([table.astype(str) for table in chapters], ignore_index=True)
    if unknown := set(found["id"]) - set(reported["id"]):
        raise InputError(f"claim `{min(unknown)}` is not in resources/reported.tsv; add its row.")
    if found["id"].duplicated().any():
        twice = found.loc[found["id"].duplicated(), "id"].iloc[0]
        raise InputError(f"claim `{twice}` is given by two chapters; leave it to one.")
    board = reported.merge(found, on="id", how="left")
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

INTRODUCTION = (
    "Each row is a claim of the paper (arXiv:2601.15504). <em>Supported</em>, "
    "<em>contradicted</em> and <em>inconclusive</em> are said of the paper's own data alone; "
    "<em>proxy</em> means that the figure was computed on other data, which the reason names: "
    "whether the claim held there speaks neither for nor against the paper. <em>Not computed</em>: "
    "no chapter of this run speaks of it. The baseline needs no training, or is the method that "
    "the claim names."
)

HEADS = ("claim", "the paper reports", "this run obtained", "baseline", "how, and n", "verdict")

IN_SHORT = {
    "held": "What held on this run's data",
    "did not hold": "What did not hold",
    "undecided": "What this run can not decide",
}


def scoreboard_html(board: pd.DataFrame, run: str, provenance: Mapping[str, Any]) -> str:
    """A self-contained page of the scoreboard table (`claims.scoreboard`)."""
    rows = board.to_dict("records")
    proxies = sum(row["verdict"] == "proxy" for row in rows)
    caution = (
        f"<p><strong>{proxies} of {len(rows)} rows are proxies</strong>: this run's data are not "
        "the paper's.</p>"
        if proxies
        else ""
    )
    lines = "".join(map(_row, rows))
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Scoreboard</title>"
        f"<style>{PAGE_STYLE}{STYLE}</style></head><body>"
        f"<h1>Scoreboard of run <em>{escape(run)}</em></h1>"
        f"<p class='facts'>SAGE-FM workflow {escape(provenance['version'])}; code "
        f"{escape(provenance['code'])}; config {provenance['config_sha256'][:16]}; Python "
        f"{provenance['python']}.</p>"
        f"{caution}<div class='short'>{_in_short(rows)}</div>"
        f"<p>{INTRODUCTION}</p><table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"
        "</body></html>\n"
    )


def _in_short(rows: Sequence[Mapping[str, str]]) -> str:
    """A list of claims for each outcome; what has none can not be decided."""
    lists: dict[str, list[str]] = {outcome: [] for outcome in IN_SHORT}
    for row in rows:
        outcome = row["outcome"] if row["outcome"] in OUTCOMES.values() else "undecided"
        found = row["verdict"]
        if row["obtained"] != "-":
            found = re.split(r";| \(", row["obtained"])[0]  # the rest stands in the table
        lists[outcome].append(f"<li>{escape(row['claim'])}: {escape(found)}</li>")
    return "".join(
        f"<section class='{outcome.replace(' ', '-')}'><h2>{title}</h2><ul>"
        f"{''.join(lists[outcome]) or '<li>nothing</li>'}</ul></section>"
        for outcome, title in IN_SHORT.items()
    )


def _row(row: Mapping[str, str]) -> str:
    """A claim in one row; what its verdict rests on can be unfolded."""
    verdict = row["verdict"]
    outcome = f"<br>{row['outcome']} here" if row["outcome"] != "-" else ""
    cells = [escape(row[key]) for key in ("claim", "reported", "obtained", "baseline")]
    cells.append(f"{escape(row['protocol'])}<br><span class='more'>{escape(row['n'])}</span>")
    cells.append(
        f"<span class='verdict {verdict.replace(' ', '-')}'>{verdict}</span>{outcome}"
        f"<details class='more'><summary>why</summary>{escape(row['reason'])}<br>"
        f"<code>{escape(row['evidence'])}</code></details>"
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
