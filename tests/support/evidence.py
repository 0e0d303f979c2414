"""Artificial evidence on the paper's claims: the same values per patient in each chapter's tables.

A case gives one value per patient for the model and for each reference. A function for each chapter
arranges the values as its tables and calls its claim function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from sagefm.annotation.claims import Question, Scores, task_claim
from sagefm.annotation.terms import HEADLINE, MAJORITY
from sagefm.clustering.claims import clustering_claim
from sagefm.clustering.tables import clustering_comparisons, clustering_summary
from sagefm.common.claim import Claim, Subject
from sagefm.common.verdict import Training
from sagefm.recovery.claims import recovery_claim
from sagefm.representations.catalogue import REGISTERED
from sagefm.representations.claims import coherence_claim
from sagefm.stats.paired import holm, paired_difference, t_interval
from support.clustered import rows

CONVERGED = Training(epochs=40, best_epoch=30, converged=True)
STILL_FALLING = Training(epochs=5, best_epoch=5, converged=False)
RELEASED = Training()

BASE = 0.4 + 0.1 * np.sin(np.arange(20.0))
"""Values of the references by patient: patients differ, methods do not."""

WOBBLE = 0.01 * np.cos(7 * np.arange(20.0))
"""Variation of a difference between patients."""


def values(added: float = 0.0, patients: int = 12, wobble: float = 1.0) -> np.ndarray:
    """The base values plus a number, which varies slightly between patients."""
    return (BASE + added + wobble * WOBBLE)[:patients]


@dataclass(frozen=True)
class Case:
    """One situation, by role: `model`, `baseline`, `spatial`, `untrained`, `control`, `majority`.

    Each has one value per patient; roles that are missing were not computed. `verdict` is the
    verdict a reviewer would give, and `why` words of its reason. `only` names the chapters that the
    case applies to.
    """

    name: str
    verdict: str
    why: str
    model: np.ndarray
    baseline: np.ndarray | None = field(default_factory=values)
    spatial: np.ndarray | None = field(default_factory=values)
    untrained: np.ndarray | None = field(default_factory=values)
    control: np.ndarray | None = field(default_factory=values)
    majority: np.ndarray | None = None
    training: Training = CONVERGED
    paper_data: bool = True
    maybe_trained_on: bool = False
    protocol: str = "held_out_patients"
    reported: float = 0.0
    pooled: float | None = None
    only: Sequence[str] = ()

    def of_roles(self, names: Mapping[str, str]) -> dict[str, np.ndarray]:
        """Values of the computed roles, by the chapter's name for each role."""
        found = {names[role]: getattr(self, role) for role in names}
        return {name: own for name, own in found.items() if own is not None}

    def subject(self, name: str = "breast") -> Subject:
        """The model and the data."""
        return Subject(
            "paper",
            self.training,
            name,
            "a cohort",
            self.paper_data,
            "0 of 12 patients seen in pretraining",
            self.maybe_trained_on,
        )


EMBEDDED = {
    "model": "sagefm-paper",
    "baseline": "mofa",
    "spatial": "banksy",
    "untrained": "pca",
    "control": "depth",
}
PREDICTED = {
    "model": "model",
    "baseline": "gene_mean",
    "spatial": "sample_gene_mean",
    "untrained": "neighbour_mean",
    "control": "visible_depth",
}


def compared(own: np.ndarray, others: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row per reference, as in the chapters' comparisons."""
    pairs = [{"reference": name} | paired_difference(own - other) for name, other in others.items()]
    return pd.DataFrame(pairs).assign(p_holm=holm([pair["p"] for pair in pairs]))


def summarised(own: np.ndarray, name: str) -> dict[str, float]:
    """Columns with the mean and its interval."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), t_interval(own), strict=True))


def clusters(case: Case) -> Claim:
    """Claim 3, from clusters."""
    table = pd.DataFrame(
        [
            row | {"value": value, "section": patient, "patient": f"of {patient}"}
            for name, own in case.of_roles(EMBEDDED).items()
            for patient, value in enumerate(own)
            for row in rows(name, [value])
        ]
    )
    costs = pd.DataFrame({"representation": list(EMBEDDED.values())}).assign(
        seconds=1.0, peak_mib=1.0, training_seconds=np.nan
    )
    references = [name for name in REGISTERED.references() if name in set(EMBEDDED.values())]
    summary = clustering_summary(table, costs)
    pairs = clustering_comparisons(table, references)
    return clustering_claim(case.subject(), ["paper"], summary, pairs)


def coherence(case: Case) -> Claim:
    """`spatially coherent`; the untrained neighbourhood replaces the spatial method."""
    names = {**EMBEDDED, "spatial": "neighbour_mean"}
    table = pd.DataFrame(
        [
            {"sample": f"s{i}", "representation": name, "components": 20, "mean_moran_i": value}
            for name, own in case.of_roles(names).items()
            for i, value in enumerate(own)
        ]
    )
    patients = {f"s{i}": f"patient {i}" for i in range(len(case.model))}
    return coherence_claim(case.subject(), table, patients)


def recovery(case: Case) -> Claim:
    """Claim 2; the share over pooled spots is the patients' mean unless the case gives another."""
    found = case.of_roles(PREDICTED)
    by_patient = pd.DataFrame(found).rename_axis("patient").reset_index()
    patients = by_patient.melt("patient", var_name="predictor", value_name="recovered_shared")
    summary = pd.DataFrame(
        {
            "stratum_kind": "all",
            "predictor": list(found),
            "recovered_shared": [own.mean() for own in found.values()],
            "share_given_depth": 0.1,
            "within_given_depth": 0.05,
            "mse": 0.08,
            "n_genes": 14_558,
            "n_genes_tested": 12_000,
            "n_genes_constant": 7,
            "n_spots": 1200,
            "n_samples": len(case.model),
        }
    )
    if case.pooled is not None:
        summary.loc[summary["predictor"] == "model", "recovered_shared"] = case.pooled
    others = {name: own for name, own in found.items() if name != "model"}
    pairs = compared(case.model, others).rename(
        columns={"reference": "baseline", "n": "n_patients"}
    )
    pairs = pairs.assign(metric="recovered_shared")
    return recovery_claim(case.subject(), summary, patients, pairs, case.reported)


def task(case: Case, claim: str) -> Claim:
    """Claim 4 or 5; accuracy equals balanced accuracy, and pooled values the patients' mean."""
    found = case.of_roles({**EMBEDDED, "majority": MAJORITY})
    found.setdefault(MAJORITY, values(-0.2))
    keys = {"centred": False, "protocol": case.protocol}
    classifier = {name: MAJORITY if name == MAJORITY else "logistic" for name in found}
    scores = pd.DataFrame(
        [
            {"representation": name, "classifier": classifier[name], **keys, "subset": "all"}
            | summarised(own, HEADLINE)
            | summarised(own, "accuracy")
            | {"n_spots": 1200, "n_patients": len(own), "n_patients_counted": len(own)}
            | {"n_classes": 6, "patients_seen": 0, "patients_unknown": 0}
            for name, own in found.items()
        ]
    )
    patients = pd.DataFrame(
        [
            {"representation": name, "classifier": classifier[name], **keys, "patient": f"p{i}"}
            | {HEADLINE: value, "accuracy": value}
            for name, own in found.items()
            for i, value in enumerate(own)
        ]
    )
    others = {name: own for name, own in found.items() if name not in (MAJORITY, "sagefm-paper")}
    pairs = compared(case.model, others).rename(
        columns={"reference": "baseline", "n": "n_patients"}
    )
    pairs = pairs.assign(
        representation="sagefm-paper", classifier="logistic", subset="all", metric=HEADLINE, **keys
    )
    reported = case.reported if claim == "annotation" else None
    question = Question(claim, "logistic", reported)
    return task_claim(case.subject("pathology"), question, Scores(scores, pairs, patients))


JUDGES: dict[str, Callable[[Case], Claim]] = {
    "recovery": recovery,
    "clustering": clusters,
    "annotation": lambda case: task(case, "annotation"),
    "subtypes": lambda case: task(case, "subtypes"),
    "coherent": coherence,
}
