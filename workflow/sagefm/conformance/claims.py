"""Verdict on whether this run reproduces the embeddings that the authors released."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sagefm.common.claim import Claim, Subject
from sagefm.common.text import count
from sagefm.common.verdict import Training

ALMOST_ALL = 0.99
"""Minimum share of rows that match, or are explained by a tie, for the embeddings to count as the
same."""

MOST = 0.5
"""Below this share of matching rows, the embeddings count as different."""


def conformance_claims(
    model: str, cohort: str, summary: pd.DataFrame, held: pd.DataFrame, paper_data: bool
) -> list[Claim]:
    """Judge `conformance`: the released embeddings against those of the released checkpoint here.

    The claim holds if almost every row equals a spot's embedding here, or belongs to a spot whose
    last neighbour is tied. It does not hold if most rows equal none. All rows are counted, so there
    is no interval.

    Parameters
    ----------
    model, cohort
        The released checkpoint, and the cohort whose sections were searched.
    summary, held
        Tables from `tables.conformance_summary` and `sections_held`.
    paper_data
        Whether the cohort is the paper's own.
    """
    (found,) = summary.to_dict("records")
    explained = (found["matched"] + found["tied"]) / found["rows"]
    subject = Subject(model, Training(), cohort, f"`{cohort}`", paper_data)
    facts = (
        f"rows that differ: {found['tied']:,} at spots with tied neighbours, "
        f"{found['different']:,} at others, {found['not_found']:,} without a spot",
        f"{found['tied_matched']:,} of {found['tied_spots']:,} rows at tied spots match",
    )
    parts = held["part"].value_counts()
    held_in = ", ".join(f"{number} {part}" for part, number in parts.items()) or "none"
    return [
        Claim(
            "conformance",
            model,
            obtained=f"{100 * found['share_matched']:.4g}% of rows reproduced; largest difference "
            f"{found['largest_difference']:.2g} of the embeddings' spread",
            baseline="-",
            n=f"{count(found['rows'], 'row')} of {count(found['sections'], 'section')}, "
            f"{found['whole_sections']} of them whole",
            evidence=f"conformance/{model}/{cohort}/summary.tsv",
            protocol="each row of the authors' file against the embeddings of all spots",
            **subject.state(
                _found(found, explained), [*facts, f"sections by this run's split: {held_in}"]
            ),
        )
    ]


def _found(found: Mapping[str, Any], explained: float) -> tuple[str, str]:
    if explained >= ALMOST_ALL:
        return "supported", "the checkpoint gives the authors' embeddings, ties aside"
    if found["share_matched"] < MOST:
        return "contradicted", "most of the authors' embeddings are not what the checkpoint gives"
    return "inconclusive", "a part of the authors' embeddings is not explained"
