"""The scoreboard as a page: the report's first."""

import pandas as pd

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem; color: #222; max-width: 80rem; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .45rem .7rem;
         border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #444; }
td:nth-child(1) { font-weight: 600; min-width: 11rem; }
td:nth-child(7) { font-family: monospace; font-size: 12px; }
p { max-width: 60rem; }
"""

INTRODUCTION = (
    "Each row is a claim of the paper (arXiv:2601.15504). `supported`, `contradicted` and "
    "`inconclusive` are said of the paper's own data alone; `proxy` means that the figure was "
    "computed on other data, which the reason names; `not computed` that no chapter of this run "
    "speaks of it. The baseline needs no training."
)


def scoreboard_html(board: pd.DataFrame, run: str, provenance: dict) -> str:
    """A self-contained page of the scoreboard table (`claims.scoreboard`)."""
    table = board.to_html(index=False, border=0, escape=True, na_rep="-")
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Scoreboard</title>"
        f"<style>{STYLE}</style><h1>Scoreboard of run <em>{run}</em></h1>"
        f"<p>{INTRODUCTION}</p>{table}"
        f"<p>Code {provenance['code']}; config {provenance['config_sha256'][:16]}; "
        f"Python {provenance['python']}.</p></html>\n"
    )
