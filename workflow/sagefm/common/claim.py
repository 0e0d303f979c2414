"""Rows of the scoreboard: a claim of the paper, a model, the value obtained and the verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from sagefm.common.verdict import OUTCOMES, Evidence, Training, judge

VERDICTS = ("supported", "contradicted", "inconclusive", "proxy", "not computed")


@dataclass(frozen=True)
class Glance:
    """A one-line summary of a scoreboard row.

    Attributes
    ----------
    score
        The model's score in words, such as `27% of genes`.
    alternative
        The best of the references, with its score.
    lead
        The model's score minus that of the alternative, as text.
    """

    score: str = "-"
    alternative: str = "-"
    lead: str = "-"

    @classmethod
    def of(
        cls, score: float, references: Mapping[str, float], words: Callable[[float, int], str]
    ) -> "Glance":
        """Build it from the model's score and those of the references, by name; higher is better.

        Parameters
        ----------
        words
            Formats a score, given the number of decimals beyond the usual: one if the two differ
            but would look equal.
        """
        known = {name: value for name, value in references.items() if value == value}
        if not known:
            return cls(words(score, 0))
        best = max(known, key=lambda name: known[name])
        lead = f"{score - known[best]:.3g}"
        more = int(words(score, 0) == words(known[best], 0) and score != known[best])
        return cls(words(score, more), f"{best}: {words(known[best], more)}", lead)


@dataclass(frozen=True)
class Claim:
    """A row of the scoreboard: one of the paper's claims, judged on one model.

    `id` is the claim's id in `resources/reported.tsv`. `verdict` is one of `VERDICTS`, with its
    `reason`. `evidence` is the file that shows it, relative to the run's folder. `outcome` is the
    result of the same rules on this run's data, whether or not they are the paper's: a value of
    `OUTCOMES`, or `-`. `protocol` says how it was measured; `glance` has the scores alone.
    """

    id: str
    model: str
    obtained: str
    baseline: str
    n: str
    verdict: str
    reason: str
    evidence: str
    outcome: str = "-"
    protocol: str = "-"
    glance: Glance = Glance()

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"claim {self.id}: verdict `{self.verdict}` is none of {VERDICTS}")


@dataclass(frozen=True)
class Subject:
    """A model, and the cohort or task on which a claim is judged.

    Attributes
    ----------
    model, training
        Name of the model in the config, and how far it was trained.
    name, title
        Name of the cohort or task in the config, and its description for readers.
    paper_data
        Whether the data are the paper's own.
    seen
        How many of the patients pretraining has seen, in words.
    maybe_trained_on
        Whether the data may have been used to train the checkpoint, whose training set is unknown.
    """

    model: str
    training: Training
    name: str
    title: str
    paper_data: bool
    seen: str = ""
    maybe_trained_on: bool = False

    @property
    def representation(self) -> str:
        """Name of the model's embedding."""
        return f"sagefm-{self.model}"

    @property
    def setting(self) -> str:
        """Reason why these data cannot decide a claim; empty if they can."""
        return "the checkpoint may have been trained on these sections" * self.maybe_trained_on

    def conclude(self, evidence: Evidence, facts: Sequence[str] = ()) -> dict[str, Any]:
        """Return verdict, outcome and reason of a claim by `judge`, with facts after the reason."""
        return self.state(judge(evidence), facts)

    def state(self, found: tuple[str, str], facts: Sequence[str] = ()) -> dict[str, Any]:
        """Return verdict, outcome and reason for a finding: a key of `OUTCOMES`, and why.

        The verdict is `proxy` if the data are not the paper's.
        """
        verdict, why = found
        outcome = OUTCOMES[verdict]
        if not self.paper_data:
            verdict = "proxy"
            why = f"computed on {self.title}, not on the paper's data; here {why}"
        return {"verdict": verdict, "outcome": outcome, "reason": "; ".join([why, *facts])}


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """Return a chapter's claims as a table, with the parts of `glance` as separate columns."""
    rows = [asdict(claim) for claim in claims]
    return pd.DataFrame([row | row.pop("glance") for row in rows])
