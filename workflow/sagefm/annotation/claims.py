"""Verdicts on claims 4 and 5, from a task's scores."""

from dataclasses import dataclass

import pandas as pd

from sagefm.annotation.terms import HEADLINE, KEYS, MAJORITY, best_of, headline_protocol
from sagefm.common.claim import Claim, Glance, Subject
from sagefm.common.text import count, format_interval, format_number
from sagefm.common.verdict import Difference, Evidence, Reported
from sagefm.representations.catalogue import REGISTERED, Catalogue, is_model
from sagefm.representations.references import differences_of, lacking
from sagefm.stats.paired import paired_difference
from sagefm.stats.patients import words_of_seen

HELD_OUT = "held_out_patients"
"""The only protocol under which a claim can be supported."""


@dataclass(frozen=True)
class Question:
    """Facts about a task that its claim needs.

    `claim` is `annotation` or `subtypes`. `reported` is the paper's accuracy (0 to 1; None if it
    gives none). `derived` states whether labels come from gene sets, and `withheld` how many genes
    of these sets were excluded from the representations.
    """

    claim: str
    classifier: str
    reported: float | None = None
    derived: bool = False
    withheld: int = 0


@dataclass(frozen=True)
class Scores:
    """Tables of a task, from `with_costs`, `task_comparisons` and `patient_table`."""

    scores: pd.DataFrame
    comparisons: pd.DataFrame
    patients: pd.DataFrame


def task_claim(
    subject: Subject, question: Question, found: Scores, catalogue: Catalogue = REGISTERED
) -> Claim:
    """Judge the claim of one task on one model.

    The model must exceed all references and the majority class on held-out patients, in balanced
    accuracy averaged over patients. The paper's accuracy is compared with the pooled one, under
    every protocol and classifier.

    Parameters
    ----------
    subject, question
        Model and task; the subject has the task's name and title.
    found
        Tables of the task.
    catalogue
        Titles and roles of the representations.
    """
    scores, protocol = found.scores, headline_protocol(found.scores)
    whole = _chosen(scores, question.classifier, protocol)
    mine = whole[whole["representation"] == subject.representation].sort_values("centred")
    if mine.empty:
        return Claim(
            question.claim,
            subject.model,
            "-",
            "-",
            "-",
            "not computed",
            f"task `{subject.name}` has no scores of {subject.representation} under `{protocol}`",
            f"tasks/{subject.name}/skipped.tsv",
        )
    own = mine.iloc[0]  # centred values count only if there are no others
    like = whole[(whole["centred"] == own["centred"]) | (whole["representation"] == MAJORITY)]
    like = like.set_index("representation")
    pairs = _comparisons(found.comparisons, own, catalogue)
    named = ("baseline",) if question.claim == "subtypes" else ()
    differences = differences_of(pairs, like[HEADLINE], named, catalogue)
    evidence = Evidence(
        own[HEADLINE],
        own[f"{HEADLINE}_low"],
        own[f"{HEADLINE}_high"],
        int(own["n_patients_counted"]),
        subject.training,
        [*differences, *_above_majority(found.patients, own)],
        reported=_reported(subject, question, scores, own),
        missing=lacking(pairs["reference"], (*named, "untrained"), catalogue),
        setting=_setting(subject, protocol),
    )
    references = [name for name in [MAJORITY, *pairs["reference"]] if name in like.index]
    return Claim(
        question.claim,
        subject.model,
        glance=Glance.of(
            own[HEADLINE],
            {_title(r, catalogue): like.loc[r, HEADLINE] for r in references},
            lambda share, more: f"{format_number(share, f'.{more}%')} balanced accuracy",
        ),
        obtained=f"{_interval(own, HEADLINE)} balanced accuracy, mean over patients; "
        f"{_interval(own, 'accuracy')} accuracy of pooled spots; {_words(protocol)}",
        baseline=", ".join(f"{_title(r, catalogue)} {_percent(like.loc[r])}" for r in references)
        + " (balanced accuracy, mean over patients / accuracy)",
        n=f"{count(own['n_spots'], 'spot')}, {count(own['n_patients'], 'patient')}, "
        f"{own['n_classes']} classes, "
        + words_of_seen(*own[["n_patients", "patients_seen", "patients_unknown"]]),
        evidence=f"tasks/{subject.name}/scores.tsv",
        protocol=f"{question.classifier} classifier, tested on {_words(protocol)}; balanced "
        "accuracy of each patient over the classes with enough spots there, mean over patients",
        **subject.conclude(
            evidence,
            [one.words("+.1f", 100, " points") for one in differences]
            + _facts(question, scores, protocol, catalogue),
        ),
    )


def _chosen(scores: pd.DataFrame, classifier: str, protocol: str) -> pd.DataFrame:
    """Select rows of one classifier and of the majority class, on all patients of a protocol."""
    of_classifier = scores["classifier"].isin([classifier, MAJORITY])
    return scores[of_classifier & (scores["protocol"] == protocol) & (scores["subset"] == "all")]


def _comparisons(comparisons: pd.DataFrame, own: pd.Series, catalogue: Catalogue) -> pd.DataFrame:
    """Select the model's comparisons in the headline score, in the form of `differences_of`."""
    keys = [*KEYS, "subset"]
    mine = comparisons[comparisons[keys].eq(own[keys]).all(axis=1)]
    asked = catalogue.references()
    mine = mine[(mine["metric"] == HEADLINE) & mine["baseline"].isin(asked)]
    mine = mine.sort_values("baseline", key=lambda names: names.map(asked.index))
    return mine.rename(columns={"baseline": "reference", "n_patients": "n"})


def _above_majority(patients: pd.DataFrame, own: pd.Series) -> list[Difference]:
    """Return differences from the majority class in both scores, with intervals over patients."""
    keys = ["representation", "centred", "classifier"]
    there = patients[patients["protocol"] == own["protocol"]]
    mine = there[there[keys].eq(own[keys]).all(axis=1)].set_index("patient")
    majority = there[there["representation"] == MAJORITY].set_index("patient")
    words = {HEADLINE: "the majority class", "accuracy": "the majority class in accuracy"}
    found = []
    for metric, name in words.items():
        facts = paired_difference((mine[metric] - majority[metric]).to_numpy())
        interval = facts["difference"], facts["low"], facts["high"]
        value = majority[metric].mean()
        found.append(Difference(name, *interval, n=int(facts["n"]), value=value))
    return found


def _reported(
    subject: Subject, question: Question, scores: pd.DataFrame, own: pd.Series
) -> Reported | None:
    """Return the paper's accuracy with the model's judged value and the highest upper bound of all.

    How the paper split and classified spots is unknown. Its figure is therefore excluded only if it
    is above the interval under every protocol, classifier and centring.
    """
    if question.reported is None:
        return None
    mine = scores["representation"] == subject.representation
    rows = scores[mine & (scores["subset"] == "all")]
    return Reported(
        question.reported,
        own["accuracy"],
        own["accuracy_low"],
        rows["accuracy_high"].max(),
        int(own["n_patients"]),
    )


def _setting(subject: Subject, protocol: str) -> str:
    if protocol != HELD_OUT:
        return f"tested on {_words(protocol)}, not on held-out patients"
    return subject.setting


def _facts(
    question: Question, scores: pd.DataFrame, protocol: str, catalogue: Catalogue
) -> list[str]:
    """List further facts needed to interpret the claim."""
    facts = []
    models = scores[scores["representation"].map(is_model)]
    random = _chosen(models, question.classifier, "random_spots")
    if protocol != "random_spots":
        facts += [
            f"random split (optimistic): {_named(row, catalogue)}"
            for row in random[~random["centred"].astype(bool)].to_dict("records")
        ]
    known = scores[scores[HEADLINE].notna()]
    bounds = [name for name in known["representation"].unique() if catalogue.is_bound(name)]
    of_models = known["representation"].map(is_model).astype(bool)
    for words, rows in (("all", known), ("the models", known[of_models])):
        if (rows["protocol"] == protocol).any():
            best = best_of(rows, question.classifier, bounds)
            facts.append(f"best of {words}: {_named(best, catalogue)}")
    facts += [
        f"{_name(row, catalogue)} on the {count(row['n_patients'], 'patient')} it has never seen: "
        f"{_percent(row)}"
        for row in _never_seen(models, question.classifier, protocol)
    ]
    if question.derived:
        facts.append(
            f"labels derived from gene sets, {question.withheld} of whose genes were withheld from "
            "the representations"
        )
    return facts


def _never_seen(models: pd.DataFrame, classifier: str, protocol: str) -> list[dict]:
    """Return, for each model that has seen some patients, the row of all patients it has not seen.

    A subset of patients is named after one model but may apply to several.
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


def _title(name: str, catalogue: Catalogue) -> str:
    return "majority class" if name == MAJORITY else catalogue.title(name)


def _named(row: pd.Series | dict, catalogue: Catalogue) -> str:
    """Format a representation with its scores."""
    return f"{_name(row, catalogue)} {_percent(row)}"


def _name(row: pd.Series | dict, catalogue: Catalogue) -> str:
    centred = ", centred," if row["centred"] else ""
    return f"{catalogue.title(row['representation'])}{centred}"


def _percent(row: pd.Series | dict) -> str:
    return f"{row[HEADLINE]:.1%} / {row['accuracy']:.1%}"


def _interval(row: pd.Series, metric: str) -> str:
    return format_interval(row[metric], row[f"{metric}_low"], row[f"{metric}_high"], ".1%")


def _words(protocol: str) -> str:
    return protocol.replace("held_out", "held-out").replace("_", " ")
