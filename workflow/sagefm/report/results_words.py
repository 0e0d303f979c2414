"""Sentences of the results page: the answer, the model, the data, the alternatives, the cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sagefm.common.text import count
from sagefm.common.verdict import OUTCOMES, Training
from sagefm.representations.catalogue import Catalogue

NUMBERS = ("none", "one", "two", "three", "four", "five", "six")

ALTERNATIVES = {
    "baseline": "Named by the paper: {}.",
    "spatial method": "Published spatial methods: {}.",
    "untrained": "Baselines without training: {}.",
    "control": "Controls: {}.",
}
"""How the page introduces the representations of each role that a model has to exceed."""


def verdict_words(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The answer to whether the claims hold, and the counts it rests on.

    Parameters
    ----------
    rows
        Of `claim_rows`.
    """
    judged = [row for row in rows if row["outcome"] != "-"]
    if not judged:
        return "Not tested in this run.", "No claim on results was part of it."
    own = " on these data" if any(row["verdict"] == "proxy" for row in judged) else ""
    found = {words: sum(row["outcome"] == words for row in judged) for words in OUTCOMES.values()}
    if found["held"] == len(judged):
        answer = f"Yes{own}."
    elif found["did not hold"] == len(judged):
        answer = f"No{own}."
    else:
        answer = "In part." if found["held"] else "Not shown in this run."
    held, failed, unclear = (NUMBERS[found[words]] for words in OUTCOMES.values())
    tested = f"{NUMBERS[len(judged)].capitalize()} claim{'s' * (len(judged) > 1)}"
    counts = f"{tested} tested: {held} held, {failed} failed, {unclear} undecided."
    compared = [float(row["lead"]) for row in judged if row["lead"] != "-"]
    if compared:
        behind = sum(lead < 0 for lead in compared)
        numbers = f"{NUMBERS[behind]} of {NUMBERS[len(compared)]}"
        counts += f" The best alternative scored higher than the model in {numbers}."
    return answer, counts


def training_words(title: str, summary: Mapping[str, Any]) -> str:
    """What the model was trained on, and for how long.

    Parameters
    ----------
    title
        The model, for people.
    summary
        Its `training.json`; empty for a released checkpoint.
    """
    if not summary:
        return f"The claims are judged on {title}, a released checkpoint: not trained in this run."
    minutes = summary["seconds"] / 60
    took = count(round(minutes), "minute")
    if minutes < 2:
        took = count(round(summary["seconds"]), "second")
    device = "a CPU" if summary["device"] == "cpu" else "a GPU"
    return (
        f"The claims are judged on {title}, trained on {count(summary['train_spots'], 'spot')} of "
        f"{count(summary['train_samples'], 'section')} for {took} on {device}. "
        f"{Training.of(summary).words.capitalize()}."
    )


def data_words(cohorts: Sequence[Mapping[str, Any]]) -> str:
    """What the claims are scored on: each cohort with its patients, sections and spots.

    Parameters
    ----------
    cohorts
        Of `results_page.cohort_rows`, those that a claim is judged on.
    """
    sizes = ("patients", "sections", "spots")
    found = [
        f"{one['title']} ({', '.join(count(one[size], size[:-1]) for size in sizes)})"
        for one in cohorts
    ]
    return f"{'; '.join(found)}." if found else "No claim was scored."


def paper_data_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """Whether the results count for or against the paper; empty if there are none.

    Parameters
    ----------
    rows
        Of `results_page.claim_rows`.
    """
    is_proxy = [row["verdict"] == "proxy" for row in rows if row["outcome"] != "-"]
    if not is_proxy:
        return ""
    if all(is_proxy):
        return (
            "These are not the paper's data: the results do not confirm or refute the published "
            "model."
        )
    if any(is_proxy):
        return (
            "Some of these are not the paper's data: results on them do not confirm or refute "
            "the published model."
        )
    return "These are the paper's data: each result counts for or against the paper."


def compared_words(catalogue: Catalogue) -> str:
    """The alternatives that a model's embedding has to exceed, by what they are.

    Parameters
    ----------
    catalogue
        Of all representations of the cohorts that a claim is judged on.
    """
    found = [
        words.format("; ".join(map(catalogue.title, names)))
        for role, words in ALTERNATIVES.items()
        if (names := catalogue.references(role))
    ]
    return " ".join(found) or "No other method was computed."


def cost_words(costs: pd.DataFrame) -> str:
    """The cost of a run in a sentence."""
    if costs.empty:
        return "No job of this run was measured."
    words = (
        f"{count(costs['jobs'].sum(), 'job')} took {costs['minutes'].sum():.0f} minutes in total"
    )
    known = costs.dropna(subset="peak_mb")
    if known.empty:
        return f"{words}."
    top = known.loc[known["peak_mb"].idxmax()]
    largest = f"The largest, {top['rule']}, used {top['peak_mb']:,.0f} MB"
    return f"{words} (several ran at once). {largest}."
