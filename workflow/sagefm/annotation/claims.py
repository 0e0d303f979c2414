"""Claims 4 and 5: what a task's scores have to say of them, and what that is worth."""

import math
from dataclasses import dataclass

import pandas as pd

from sagefm.annotation.terms import BOUNDS, HEADLINE, MAJORITY, best_of, headline_protocol
from sagefm.common.claim import ALPHA, Claim, judge
from sagefm.common.text import count
from sagefm.representations.catalogue import REGISTERED, Catalogue, is_model
from sagefm.stats.patients import words_of_seen

HELD_OUT = "held_out_patients"
"""The only protocol under which a claim can be supported."""


@dataclass(frozen=True)
class Judged:
    """A task as its claim needs it.

    `claim` is `annotation` or `subtypes`, `headline` the representation that is judged, `reported`
    the paper's accuracy (0 to 1; None where it gives none), `derived` whether the labels are made
    from gene sets, `withheld` how many genes were for that taken out of the representations.
    """

    task: str
    title: str
    claim: str
    headline: str
    classifier: str
    paper_data: bool
    reported: float | None = None
    derived: bool = False
    withheld: int = 0


def task_claim(
    judged: Judged,
    scores: pd.DataFrame,
    comparisons: pd.DataFrame,
    catalogue: Catalogue = REGISTERED,
) -> Claim:
    """The claim of one task.

    It is judged where patients are held out; under other protocols it is inconclusive, unless the
    headline falls short of the paper's figure even there.

    Parameters
    ----------
    scores, comparisons
        Of `tables.task_scores` and `task_comparisons`.
    catalogue
        What the representations are called and what they are for.
    """
    protocol = headline_protocol(scores)
    whole = scores[(scores["subset"] == "all") & ~scores["centred"].astype(bool)]
    own = _row(whole, judged.headline, judged.classifier, protocol)
    if own is None:
        # Only centred values were scored.
        whole = scores[scores["subset"] == "all"]
        own = _row(whole, judged.headline, judged.classifier, protocol)
    majority = _row(whole, MAJORITY, MAJORITY, protocol)
    if own is None or majority is None:
        return Claim(
            judged.claim,
            obtained="-",
            baseline="-",
            n="-",
            verdict="not computed",
            reason=f"task `{judged.task}` has no scores of {judged.headline} under `{protocol}`",
            evidence=f"tasks/{judged.task}/skipped.tsv",
        )
    baselines = [f"majority class {_percent(majority)}"]
    for name in reversed(catalogue.references("baseline", "untrained")):
        row = _row(whole, name, judged.classifier, protocol)
        if row is not None:
            baselines.append(f"{catalogue.title(name)} {_percent(row)}")
    verdict = judge(
        _verdict(judged, own, majority, scores, comparisons, protocol, catalogue),
        judged.paper_data,
        f"task `{judged.task}` ({judged.title}), not on the paper's data",
    )
    facts = _facts(judged, scores, comparisons, protocol, whole, catalogue)
    return Claim(
        judged.claim,
        obtained=f"{own['accuracy']:.1%} accuracy, {own['balanced_accuracy']:.1%} balanced, "
        f"{_words(protocol)}",
        baseline=", ".join(baselines) + " (accuracy / balanced)",
        n=f"{count(own['n_spots'], 'spot')}, {count(own['n_patients'], 'patient')}, "
        f"{own['n_classes']} classes, "
        + words_of_seen(*own[["n_patients", "patients_seen", "patients_unknown"]]),
        verdict=verdict["verdict"],
        outcome=verdict["outcome"],
        reason="; ".join([verdict["reason"], *facts]),
        evidence=f"tasks/{judged.task}/scores.tsv",
        protocol=f"{judged.classifier} classifier, tested on {_words(protocol)}",
    )


def _row(
    scores: pd.DataFrame, representation: str, classifier: str, protocol: str
) -> pd.Series | None:
    own = scores[
        (scores["representation"] == representation)
        & (scores["classifier"] == classifier)
        & (scores["protocol"] == protocol)
    ]
    return None if own.empty else own.iloc[0]


def _verdict(judged, own, majority, scores, comparisons, protocol, catalogue) -> tuple[str, str]:
    if judged.claim == "annotation" and judged.reported is not None:
        return _against_reported(judged, own, majority, scores)
    centred = bool(own["centred"])
    against = {
        name: row
        for name in catalogue.baselines()
        if (row := _comparison(comparisons, judged, protocol, name, centred)) is not None
    }
    if not against:
        return "inconclusive", f"{catalogue.titles(catalogue.baselines())} was not computed"
    differing = {name: row["difference"] for name, row in against.items() if row["p"] < ALPHA}
    worse = [name for name, difference in differing.items() if difference <= 0]
    if not worse and len(differing) < len(against):
        named = catalogue.titles([name for name in against if name not in differing])
        return "inconclusive", f"no difference from {named} that patients agree on"
    better = not worse
    found = f"{catalogue.titles(worse)} is better"
    if better:
        found = f"better than {catalogue.titles(list(against))}"
    if protocol != HELD_OUT:
        return "inconclusive", f"{found}, but under {_words(protocol)}, not on patients held out"
    return "supported" if better else "contradicted", found


def _against_reported(judged, own, majority, scores) -> tuple[str, str]:
    """The headline's accuracy against the paper's: by the judged row, then by all its others."""
    if round(own["accuracy"], 2) >= judged.reported:
        if own["accuracy"] <= majority["accuracy"]:
            return "inconclusive", "the majority class reaches as much"
        if own["protocol"] != HELD_OUT:
            found = f"as accurate as reported, but under {_words(own['protocol'])}"
            return "inconclusive", f"{found}, not on patients held out"
        return "supported", "as accurate as reported, on patients held out"
    rows = scores[(scores["representation"] == judged.headline) & (scores["subset"] == "all")]
    best = rows.loc[rows["accuracy"].idxmax()]
    if round(best["accuracy"], 2) >= judged.reported:
        centred = ", centred" if best["centred"] else ""
        how = f"{_words(best['protocol'])} ({best['classifier']} classifier{centred})"
        return "inconclusive", f"as accurate as reported only under {how}"
    ran = ", ".join(_words(name) for name in rows["protocol"].unique())
    return "contradicted", f"less accurate than reported under every protocol that ran ({ran})"


def _facts(judged, scores, comparisons, protocol, whole, catalogue) -> list[str]:
    """What else has to be known to read the claim."""
    facts = []
    random = _row(whole, judged.headline, judged.classifier, "random_spots")
    if random is not None and protocol != "random_spots":
        facts.append(
            f"on random spots {_percent(random)}, which flatters: neighbours of the tested spots "
            "are in training"
        )
    best = best_of(scores, judged.classifier, without=catalogue.references(*BOUNDS))
    facts.append(f"best of all: {_named(best, catalogue)}")
    models = scores[scores["representation"].map(is_model)]
    facts.append(f"best recipe: {_named(best_of(models, judged.classifier), catalogue)}")
    facts.extend(
        f"on the {count(row['n_patients'], 'patient')} it has never seen, {_named(row, catalogue)}"
        for row in _never_seen(models, judged.classifier, protocol)
    )
    for baseline in (*catalogue.baselines(), *catalogue.untrained(spatial=True)):
        row = _comparison(comparisons, judged, protocol, baseline, False)
        if row is not None:
            facts.append(
                f"balanced accuracy {100 * row['difference']:+.1f} points against "
                f"{catalogue.title(baseline)}, p = {row['p']:.2g} (sign flips over "
                f"{row['n_patients']} patients, smallest possible {row['smallest_p']:.2g})"
            )
    if judged.derived:
        facts.append(
            f"labels derived from gene sets, {judged.withheld} of whose genes were withheld from "
            "the representations"
        )
    return facts


def _never_seen(models: pd.DataFrame, classifier: str, protocol: str) -> list[dict]:
    """Of each model that has seen some patients, the row of all those it has not.

    A subset of patients is named for one model only, but may be that of several.
    """
    own = models[
        (models["protocol"] == protocol)
        & (models["classifier"] == classifier)
        & ~models["centred"].astype(bool)
    ]
    rows = []
    for _, part in own.groupby("representation", sort=False):
        none = (part["patients_seen"] == 0) & (part["patients_unknown"] == 0)
        unseen = part[none].sort_values("n_patients")
        if len(unseen) and unseen["subset"].iloc[-1] != "all":
            rows.append(unseen.iloc[-1].to_dict())
    return rows


def _comparison(comparisons, judged, protocol, baseline, centred) -> pd.Series | None:
    own = comparisons[
        (comparisons["representation"] == judged.headline)
        & (comparisons["classifier"] == judged.classifier)
        & (comparisons["protocol"] == protocol)
        & (comparisons["baseline"] == baseline)
        & (comparisons["metric"] == HEADLINE)
        & (comparisons["subset"] == "all")
        & (comparisons["centred"].astype(bool) == centred)
    ]
    if own.empty or math.isnan(own.iloc[0]["p"]):
        return None
    return own.iloc[0]


def _named(row: pd.Series | dict, catalogue: Catalogue) -> str:
    """A representation with its scores."""
    centred = ", centred," if row["centred"] else ""
    return f"{catalogue.title(row['representation'])}{centred} {_percent(row)}"


def _percent(row: pd.Series | dict) -> str:
    return f"{row['accuracy']:.1%} / {row['balanced_accuracy']:.1%}"


def _words(protocol: str) -> str:
    return protocol.replace("held_out", "held-out").replace("_", " ")
