"""Claims 4 and 5: the facts beside a verdict, and the paper's number under every protocol."""

import numpy as np
import pandas as pd
import pytest

from sagefm.annotation.claims import Question, Scores, task_claim
from sagefm.annotation.terms import HEADLINE, MAJORITY, best_of, headline_protocol
from sagefm.common.claim import Claim, Subject
from sagefm.common.verdict import Training


def scores(own: float, random: float = 0.9, majority: float = 0.5, **others: float):
    """Score rows: held-out accuracy of the model and of others, balanced a tenth below.

    Intervals are four points wide. Models have seen five patients of eight.
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
            "accuracy_low": value - 0.02,
            "accuracy_high": value + 0.02,
            HEADLINE: value - 0.1,
            f"{HEADLINE}_low": value - 0.12,
            f"{HEADLINE}_high": value - 0.08,
            "n_patients_counted": 8 if subset == "all" else 3,
            "n_spots": 1200,
            "n_patients": 8 if subset == "all" else 3,
            "n_classes": 6,
            "patients_seen": 5 if subset == "all" and name.startswith("sagefm-") else 0,
            "patients_unknown": 0,
        }
        for protocol, name, value in rows
        for subset in ("all", "unseen by sagefm-m")
    )


def comparisons(own: pd.DataFrame, p: float = 0.008) -> pd.DataFrame:
    """The model less each other representation, in both metrics, by equal patients."""
    whole = own[(own["subset"] == "all") & (own["representation"] != MAJORITY)]
    keys = ["centred", "classifier", "protocol", "subset"]
    pairs = whole.merge(whole, on=keys, suffixes=("", "_of_other"))
    pairs = pairs[pairs["representation"] != pairs["representation_of_other"]]
    difference = pairs[HEADLINE] - pairs[f"{HEADLINE}_of_other"]
    table = pairs[["representation", *keys]].assign(
        baseline=pairs["representation_of_other"],
        difference=difference,
        low=difference - 0.01,
        high=difference + 0.01,
        p_holm=p,
        smallest_p=0.0078125,
        n_patients=8,
    )
    metrics = (HEADLINE, "accuracy")
    return pd.concat([table.assign(metric=metric) for metric in metrics], ignore_index=True)


def patients(own: pd.DataFrame) -> pd.DataFrame:
    """Eight patients about as good as their mean."""
    whole = own[own["subset"] == "all"]
    return pd.concat(
        [
            whole.assign(
                patient=f"p{number}",
                accuracy=whole["accuracy"] + 0.001 * number * (whole["representation"] == "pca"),
            )
            for number in range(8)
        ]
    )


def claimed(
    own: pd.DataFrame,
    claim: str = "annotation",
    *,
    paper_data: bool = True,
    p: float = 0.008,
    **words,
) -> Claim:
    """The claim of model `m`, trained to the end."""
    subject = Subject("m", Training(9, 5), "pathology", "the pathologist's classes", paper_data)
    reported = 0.81 if claim == "annotation" else None
    question = Question(claim, "logistic", reported, **words)
    found = Scores(own, comparisons(own, p), patients(own))
    return task_claim(subject, question, found)


@pytest.mark.parametrize(
    ("own", "random", "verdict", "words"),
    [
        (0.85, 0.95, "supported", "significantly above"),
        (0.80, 0.95, "inconclusive", "below the reported value, which the interval includes"),
        (0.70, 0.83, "inconclusive", "below the reported value, which the interval includes"),
        (0.70, 0.75, "contradicted", "the interval is below the reported value"),
    ],
)
def test_annotation_is_compared_with_the_papers_figure(own, random, verdict, words):
    """Under every protocol, as it is not known which the paper used."""
    found = claimed(scores(own, random))
    assert (found.id, found.model, found.verdict) == ("annotation", "m", verdict)
    assert words in found.reason
    assert found.evidence == "tasks/pathology/scores.tsv"


def test_every_row_of_the_model_is_compared_with_the_papers_figure():
    """Other classifiers and centred values too, before it is contradicted."""
    table = scores(0.7, 0.75)
    mine = table[(table["representation"] == "sagefm-m") & (table["subset"] == "all")]
    other = mine[mine["protocol"] == "held_out_patients"].assign(accuracy_high=0.82)
    for changes in ({"classifier": "forest"}, {"centred": True}):
        rows = pd.concat([table, other.assign(**changes)], ignore_index=True)
        assert claimed(rows).verdict == "inconclusive"
    assert claimed(table).verdict == "contradicted"


def test_only_held_out_patients_decide_what_is_better():
    def alone(table):
        return table[table["protocol"] == "random_spots"]

    random = scores(0.7, 0.9)
    pca = alone(random)[lambda own: own["representation"] == "sagefm-m"]
    pca = pca.assign(representation="pca", accuracy=0.5, **{HEADLINE: 0.4})
    found = claimed(pd.concat([alone(random), pca], ignore_index=True))
    assert found.verdict == "inconclusive"
    assert "but tested on random spots, not on held-out patients" in found.reason
    # The paper's figure is not reached even there.
    assert claimed(alone(scores(0.9, 0.7))).verdict == "contradicted"


def test_centred_values_count_where_there_are_no_others():
    table = scores(0.7, mofa=0.6)
    centred = table.assign(centred=table["representation"] != MAJORITY)
    assert claimed(centred, "subtypes").verdict == "supported"
    centred = centred[centred["representation"] != MAJORITY].assign(**{HEADLINE: 0.1})
    both = pd.concat([table, centred], ignore_index=True)
    assert "60.0%" in claimed(both, "subtypes").obtained


@pytest.mark.parametrize("claim", ["annotation", "subtypes"])
def test_the_best_alternative_is_of_all_that_the_claim_is_compared_with(claim):
    """A spatial method, of which only claim 3 speaks by name, is compared with as well."""
    table = scores(0.7, mofa=0.6, banksy=0.9)
    found = claimed(table, claim)
    assert found.verdict == "inconclusive" and "below BANKSY" in found.reason
    assert "BANKSY 80.0% / 90.0%" in found.baseline
    assert found.glance.alternative == "BANKSY: 80% balanced accuracy"
    assert "best of all: BANKSY 80.0% / 90.0%" in found.reason


def test_labels_themselves_are_not_the_best_of_all():
    found = claimed(scores(0.7, mofa=0.6, labels=1.0), "subtypes")
    assert "best of all: model m" in found.reason


def test_a_control_of_the_run_has_to_be_exceeded():
    found = claimed(scores(0.7, mofa=0.6, depth=0.8), "subtypes")
    assert found.verdict == "inconclusive" and "below depth" in found.reason


def test_each_model_has_its_line_of_patients_never_seen():
    """Also where the subset is named for another model, and none for a model that saw nobody."""
    table = scores(0.7, sagefm_n=0.6, sagefm_o=0.5)
    table.loc[table["representation"] == "sagefm-o", "patients_seen"] = 0
    found = claimed(table, paper_data=False)
    for name, balanced in (("model m", "60.0%"), ("model n", "50.0%")):
        assert f"{name} on the 3 patients it has never seen: {balanced} / 1.0%" in found.reason
    assert found.reason.count("never seen") == 2
    single = claimed(table.assign(n_patients=1), paper_data=False)
    assert "model m on the 1 patient it has never seen: " in single.reason


def test_patients_of_whom_it_is_unknown_are_not_called_never_seen():
    table = scores(0.7).assign(patients_seen=0)
    table.loc[table["subset"] == "all", "patients_unknown"] = 8
    found = claimed(table[table["subset"] == "all"], paper_data=False)
    assert "0 of 8 patients seen in pretraining, 8 unknown" in found.n
    assert "never seen" not in found.reason


def test_what_a_reader_needs_is_beside_a_proxy():
    found = claimed(scores(0.62, mofa=0.66), paper_data=False, p=0.25, derived=True, withheld=62)
    assert found.verdict == "proxy"
    assert found.obtained == (
        "52.0% [50.0%, 54.0%] balanced accuracy, mean over patients; 62.0% [60.0%, 64.0%] accuracy "
        "of pooled spots; held-out patients"
    )
    assert found.baseline == (
        "majority class 40.0% / 50.0%, MOFA 56.0% / 66.0%, neighbour mean 50.0% / 60.0% "
        "(balanced accuracy, mean over patients / accuracy)"
    )
    assert found.n == "1,200 spots, 8 patients, 6 classes, 5 of 8 patients seen in pretraining"
    for words in (
        "not on the paper's data",
        "random split (optimistic): model m 80.0% / 90.0%",
        "best of all: MOFA 56.0% / 66.0%",
        "best of the models: model m 52.0% / 62.0%",
        "model m on the 3 patients it has never seen: 52.0% / 1.0%",
        "points against MOFA (Holm p 0.25)",
        "{0}4.0 [{0}5.0, {0}3.0] points".format("\N{MINUS SIGN}"),
        "62 of whose genes were withheld",
    ):
        assert words in found.reason


def test_a_model_without_scores_is_not_computed():
    table = scores(0.7)
    found = claimed(table[table["representation"] != "sagefm-m"])
    assert found.verdict == "not computed" and found.evidence.endswith("skipped.tsv")
    assert "no scores of sagefm-m under `held_out_patients`" in found.reason


def test_what_is_not_a_number_has_no_best():
    table = scores(0.7)
    found = claimed(table.assign(**{HEADLINE: np.nan}))
    assert found.verdict == "inconclusive" and "best of" not in found.reason


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
