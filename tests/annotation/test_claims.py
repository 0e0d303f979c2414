"""Claims 4 and 5: every verdict, and what is said beside it."""

import pandas as pd
import pytest

from sagefm.annotation.claims import Judged, task_claim
from sagefm.annotation.terms import HEADLINE, MAJORITY, best_of, headline_protocol


def scores(own: float, random: float = 0.9, majority: float = 0.5, **others: float):
    """Score rows: held-out accuracy of the headline and of others, balanced a tenth below.

    Models have seen five patients of eight.
    """
    others = {name.replace("sagefm_", "sagefm-"): value for name, value in others.items()}
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
            HEADLINE: value - 0.1,
            "n_spots": 1200,
            "n_patients": 8 if subset == "all" else 3,
            "n_classes": 6,
            "patients_seen": 5 if subset == "all" and name.startswith("sagefm-") else 0,
            "patients_unknown": 0,
        }
        for protocol, name, value in rows
        for subset in ("all", "unseen by sagefm-m")
    )


def comparisons(
    difference: float, p: float, baseline: str = "mofa", protocol: str = "held_out_patients"
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "representation": "sagefm-m",
                "centred": False,
                "classifier": "logistic",
                "protocol": protocol,
                "baseline": baseline,
                "metric": metric,
                "subset": "all",
                "difference": difference,
                "p": p,
                "smallest_p": 0.0078125,
                "n_patients": 8,
            }
            for metric in ("accuracy", HEADLINE)
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
        (0.70, 0.83, 0.6, "inconclusive", "only under random spots (logistic classifier);"),
        (
            0.70,
            0.75,
            0.6,
            "contradicted",
            "under every protocol that ran (held-out patients, random spots);",
        ),
    ],
)
def test_annotation_is_held_against_the_papers_figure(own, random, majority, verdict, words):
    found = task_claim(judged(), scores(own, random, majority), comparisons(0.1, 0.01))
    assert (found.id, found.verdict) == ("annotation", verdict)
    assert words in found.reason


def test_without_patients_held_out_a_claim_is_not_supported():
    def alone(table):
        return table[table["protocol"] == "random_spots"]

    found = task_claim(judged(), alone(scores(0.7, 0.9)), comparisons(0.1, 0.01))
    assert found.verdict == "inconclusive"
    assert "as accurate as reported, but under random spots, not on patients" in found.reason
    found = task_claim(judged(), alone(scores(0.9, 0.7)), comparisons(0.1, 0.01))
    assert found.verdict == "contradicted"
    assert "under every protocol that ran (random spots);" in found.reason
    for difference in (0.1, -0.1):
        against = comparisons(difference, 0.01, protocol="random_spots")
        found = task_claim(judged("subtypes"), alone(scores(0.7)), against)
        assert found.verdict == "inconclusive" and "under random spots, not on" in found.reason


def test_every_row_of_the_headline_is_held_against_the_papers_figure():
    """Other classifiers and centred values too, before it is contradicted."""
    table = scores(0.7, 0.75)
    own = table[(table["representation"] == "sagefm-m") & (table["subset"] == "all")]
    other = own[own["protocol"] == "held_out_patients"].assign(accuracy=0.82)
    for changes, words in (
        ({"classifier": "forest"}, "only under held-out patients (forest classifier);"),
        ({"centred": True}, "only under held-out patients (logistic classifier, centred);"),
    ):
        rows = pd.concat([table, other.assign(**changes)], ignore_index=True)
        found = task_claim(judged(), rows, comparisons(0.1, 0.01))
        assert found.verdict == "inconclusive" and words in found.reason


def test_each_model_has_its_line_of_patients_never_seen():
    """Also where the subset is named for another model, and none for a model that saw nobody."""
    table = scores(0.7, sagefm_n=0.6, sagefm_o=0.5)
    table.loc[table["representation"] == "sagefm-o", "patients_seen"] = 0
    found = task_claim(judged(paper_data=False), table, comparisons(0.1, 0.01))
    for name, balanced in (("sagefm-m", "60.0%"), ("sagefm-n", "50.0%")):
        assert f"on the 3 patients it has never seen, {name} 1.0% / {balanced}" in found.reason
    assert found.reason.count("never seen") == 2
    single = task_claim(
        judged(paper_data=False), table.assign(n_patients=1), comparisons(0.1, 0.01)
    )
    assert "on the 1 patient it has never seen, sagefm-m" in single.reason


def test_patients_of_whom_it_is_unknown_are_not_called_never_seen():
    table = scores(0.7).assign(patients_seen=0)
    table.loc[table["subset"] == "all", "patients_unknown"] = 8
    table = table[table["subset"] == "all"]
    found = task_claim(judged(paper_data=False), table, comparisons(0.1, 0.01))
    assert "0 of 8 patients seen in pretraining, 8 unknown" in found.n
    assert "never seen" not in found.reason


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
    assert found.obtained == "62.0% accuracy, 52.0% balanced, held-out patients"
    assert "majority class 50.0% / 40.0%" in found.baseline
    assert "MOFA 66.0% / 56.0%" in found.baseline
    assert found.n == "1,200 spots, 8 patients, 6 classes, 5 of 8 patients seen in pretraining"
    for words in (
        "not on the paper's data",
        "on random spots 90.0% / 80.0%, which flatters",
        "best of all: MOFA 66.0% / 56.0%",
        "best recipe: sagefm-m 62.0% / 52.0%",
        "on the 3 patients it has never seen, sagefm-m 1.0% / 52.0%",
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
    table = scores(0.62, mofa=0.66)
    held = table["protocol"] == "held_out_patients"
    assert headline_protocol(table) == "held_out_patients"
    assert headline_protocol(table[~held]) == "random_spots"
    samples = table[held].assign(protocol="held_out_samples")
    assert headline_protocol(pd.concat([table[~held], samples])) == "held_out_samples"
    # The majority class makes no protocol the headline's.
    assert headline_protocol(table[~held | (table["representation"] == MAJORITY)]) == "random_spots"
    assert best_of(table, "logistic")["representation"] == "mofa"
    assert best_of(table, "logistic", without=["mofa"])["representation"] == "sagefm-m"
