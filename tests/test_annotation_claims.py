"""Claims 4 and 5: every verdict, and what is said beside it."""

import pandas as pd
import pytest

from sagefm.annotation_claims import Judged, task_claim
from sagefm.io import read_table
from sagefm.score_rows import MAJORITY, best_of, headline_protocol, reported_accuracy


def scores(own: float, random: float = 0.9, majority: float = 0.5, **others: float):
    """Score rows: held-out accuracy of the headline and of others, balanced a tenth below."""
    held = {"sagefm-m": own, MAJORITY: majority, "neighbour_mean": 0.6, **others}
    rows = [("held_out_patients", name, value) for name, value in held.items()]
    rows += [("random_spots", "sagefm-m", random), ("random_spots", MAJORITY, majority)]
    return pd.DataFrame(
        {
            "representation": name,
            "centred": False,
            "classifier": MAJORITY if name == MAJORITY else "logistic",
            "protocol": protocol,
            "subset": subset,
            "accuracy": value if subset == "all" else 0.01,
            "balanced_accuracy": value - 0.1,
            "n_spots": 1200,
            "n_patients": 8,
            "n_classes": 6,
            "patients_seen": 5,
        }
        for protocol, name, value in rows
        for subset in ("all", "unseen by sagefm-m")
    )


def comparisons(difference: float, p: float, baseline: str = "mofa") -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "representation": "sagefm-m",
                "centred": False,
                "classifier": "logistic",
                "protocol": "held_out_patients",
                "baseline": baseline,
                "metric": metric,
                "subset": "all",
                "difference": difference,
                "p": p,
                "smallest_p": 0.0078125,
                "n_patients": 8,
            }
            for metric in ("accuracy", "balanced_accuracy")
        ]
    )


def judged(claim: str = "annotation", **changes) -> Judged:
    facts = {
        "task": "pathology",
        "title": "the pathologist's classes",
        "claim": claim,
        "headline": "sagefm-m",
        "classifier": "logistic",
        "paper_data": True,
        "reported": 0.81 if claim == "annotation" else None,
    }
    return Judged(**facts | changes)


@pytest.mark.parametrize(
    ("own", "random", "majority", "verdict", "words"),
    [
        (0.85, 0.95, 0.6, "supported", "as accurate as reported, on patients held out"),
        (0.85, 0.95, 0.9, "inconclusive", "the majority class reaches as much"),
        (0.70, 0.83, 0.6, "inconclusive", "on random spots only"),
        (0.70, 0.75, 0.6, "contradicted", "less accurate than reported under every protocol"),
    ],
)
def test_annotation_is_held_against_the_papers_figure(own, random, majority, verdict, words):
    found = task_claim(judged(), scores(own, random, majority), comparisons(0.1, 0.01))
    assert (found.id, found.verdict) == ("annotation", verdict)
    assert words in found.reason


@pytest.mark.parametrize(
    ("difference", "p", "verdict", "words"),
    [
        (0.1, 0.01, "supported", "better than MOFA"),
        (-0.1, 0.01, "contradicted", "MOFA is better"),
        (0.1, 0.5, "inconclusive", "no difference from MOFA that patients agree on"),
    ],
)
def test_subtypes_are_held_against_mofa(difference, p, verdict, words):
    found = task_claim(judged("subtypes"), scores(0.7, mofa=0.6), comparisons(difference, p))
    assert (found.id, found.verdict) == ("subtypes", verdict)
    assert words in found.reason


def test_subtypes_without_mofa_are_inconclusive():
    found = task_claim(judged("subtypes"), scores(0.7), comparisons(0.1, 0.01, "pca"))
    assert (found.verdict, found.reason.split(";")[0]) == ("inconclusive", "MOFA was not computed")


def test_what_a_reader_needs_stands_beside_a_proxy():
    found = task_claim(
        judged(paper_data=False, derived=True, withheld=62),
        scores(0.62, mofa=0.66),
        comparisons(-0.03, 0.25),
    )
    assert found.verdict == "proxy"
    assert found.obtained == "62.0% accuracy, 52.0% balanced, held out patients"
    assert "majority class 50.0% / 40.0%" in found.baseline
    assert "MOFA 66.0% / 56.0%" in found.baseline
    assert found.n == "1,200 spots, 8 patients, 6 classes, 5 of 8 patients seen in pretraining"
    for words in (
        "not on the paper's data",
        "on random spots 90.0% / 80.0%, which flatters",
        "best of all: MOFA 66.0% / 56.0%",
        "best recipe: sagefm-m 62.0% / 52.0%",
        "on the 8 patients it has never seen, sagefm-m 1.0% / 52.0%",
        "-3.0 points against MOFA, p = 0.25 (sign flips over 8 patients, smallest possible 0.0078)",
        "62 of whose genes were withheld",
    ):
        assert words in found.reason
    assert found.evidence == "tasks/pathology/scores.tsv"


def test_a_headline_without_scores_is_not_computed():
    table = scores(0.7)
    rest = table[table["representation"] != "sagefm-m"]
    found = task_claim(judged(), rest, comparisons(0.1, 0.01))
    assert found.verdict == "not computed" and found.evidence.endswith("skipped.tsv")


def test_the_headline_protocol_and_the_best_row():
    assert headline_protocol(["random_spots", "held_out_samples"]) == "held_out_samples"
    assert headline_protocol(["random_spots"]) == "random_spots"
    table = scores(0.62, mofa=0.66)
    assert best_of(table, "logistic")["representation"] == "mofa"
    assert best_of(table, "logistic", without="mofa")["representation"] == "sagefm-m"


def test_the_papers_accuracy_is_read_from_its_table(repo):
    reported = read_table(repo / "resources/reported.tsv")
    assert reported_accuracy(reported, "annotation") == 0.81
    assert reported_accuracy(reported, "subtypes") is None
    assert reported_accuracy(reported, None) is None
