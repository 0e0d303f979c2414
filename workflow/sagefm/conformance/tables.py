"""Tables of the content of the released embeddings, by row and by section."""

import numpy as np
import pandas as pd

from sagefm.conformance.alignment import aligned_spots, chosen_spots
from sagefm.conformance.search import Rows, differences, find_rows

OUTCOMES = {
    "matched": "equal to a spot's embedding here",
    "tied": "not equal, at a spot whose last neighbour is tied",
    "different": "not equal, at a spot without a tie",
    "not found": "no spot found",
}
"""Possible outcomes for a row, and what they mean."""


def conformance_rows(
    released: Rows,
    embeddings: Rows,
    samples: np.ndarray,
    tied: np.ndarray,
    tolerance: float,
    threads: int = 1,
) -> pd.DataFrame:
    """Return one row per row of the released file: its spot, and how far its embedding differs.

    Parameters
    ----------
    released, embeddings
        The released rows (m, width), and this run's embeddings (n, width), section after section.
    samples
        str (n,): the section of each embedding.
    tied
        bool (n,): whether the spot's last neighbour ties with an excluded one.
    tolerance
        Maximum difference that counts as equal; see `search.find_rows`.

    Returns
    -------
    DataFrame
        Columns row, sample, spot (row of the section; both missing if not found), difference
        (missing if not found), outcome (a key of `OUTCOMES`), equal_spots (number of spots that it
        equals).
    """
    starts = np.flatnonzero(np.append(True, samples[1:] != samples[:-1]))
    found = find_rows(released, embeddings, tolerance, threads)
    chosen = chosen_spots(found.pairs, released.shape[0], tolerance)
    spots = aligned_spots(chosen, starts, len(samples))
    known = np.flatnonzero(spots >= 0)
    pairs = pd.DataFrame({"row": known, "spot": spots[known]})
    difference = np.full(len(spots), np.nan)
    difference[known] = differences(released, embeddings, pairs) / found.scale
    at = spots.clip(min=0)
    outcome = np.where(tied[at], "tied", "different")
    outcome = np.where(chosen >= 0, "matched", np.where(spots >= 0, outcome, "not found"))
    equal = found.pairs.loc[found.pairs["difference"] <= tolerance, "row"].value_counts()
    first = starts[np.searchsorted(starts, at, side="right") - 1]
    missing = spots < 0
    return pd.DataFrame(
        {
            "row": np.arange(len(spots)),
            "sample": pd.Series(samples[at], dtype="object").mask(missing),
            "spot": pd.Series(at - first, dtype="Int64").mask(missing),
            "difference": difference,
            "outcome": outcome,
            "equal_spots": equal.reindex(range(len(spots)), fill_value=0).to_numpy(),
            "tied_border": pd.Series(tied[at], dtype="boolean").mask(missing),
        }
    )


def sections_held(rows: pd.DataFrame, sections: pd.DataFrame) -> pd.DataFrame:
    """Return one row per section in the released file, in the file's order.

    Parameters
    ----------
    rows
        Rows from `conformance_rows`.
    sections
        Columns sample, spots (in this run), organ, part (of this run's split).

    Returns
    -------
    DataFrame
        sample, organ, part, first_row, rows, spots, share_held, counts for each of `OUTCOMES`
        except the last, rows_with_twin (equal to several spots), and largest_difference and
        median_difference of the matched rows.
    """
    there = rows.dropna(subset="sample")
    counts = pd.crosstab(there["sample"], there["outcome"])
    counts = counts.reindex(columns=[*OUTCOMES][:-1], fill_value=0)
    matched = there[there["outcome"] == "matched"].groupby("sample")["difference"]
    own = there.groupby("sample")
    table = pd.DataFrame({"first_row": own["row"].min(), "rows": own.size()}).join(counts)
    table["rows_with_twin"] = own["equal_spots"].agg(lambda equal: int((equal > 1).sum()))
    table["largest_difference"] = matched.max()
    table["median_difference"] = matched.median()
    facts = sections.set_index("sample").loc[table.index]
    table.insert(2, "spots", facts["spots"])
    table.insert(3, "share_held", table["rows"] / facts["spots"])
    table.insert(0, "part", facts["part"])
    table.insert(0, "organ", facts["organ"])
    return table.sort_values("first_row").rename_axis("sample").reset_index()


def conformance_summary(rows: pd.DataFrame, held: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """Return one row: how much of the released file this run's embeddings reproduce.

    `tied_spots` counts rows of spots whose last neighbour is tied. `tied_matched` counts those of
    them that match nevertheless, which shows whether ties are resolved in the same way.
    """
    counts = rows["outcome"].value_counts().reindex([*OUTCOMES], fill_value=0)
    matched = rows[rows["outcome"] == "matched"]
    tied = rows["tied_border"].fillna(False).astype(bool)
    facts = {
        "rows": len(rows),
        **{name.replace(" ", "_"): int(counts[name]) for name in OUTCOMES},
        "share_matched": len(matched) / len(rows),
        "largest_difference": matched["difference"].max(),
        "median_difference": matched["difference"].median(),
        "tied_spots": int(tied.sum()),
        "tied_matched": int((tied & (rows["outcome"] == "matched")).sum()),
        "sections": len(held),
        "whole_sections": int((held["share_held"] == 1).sum()),
        "tolerance": tolerance,
    }
    return pd.DataFrame([facts])
