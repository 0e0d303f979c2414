"""Rows of the scoreboard: a claim of the paper, a model, what was obtained, and the verdict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from sagefm.common.verdict import OUTCOMES, Evidence, Training, judge

VERDICTS = ("supported", "contradicted", "inconclusive", "proxy", "not computed")


@dataclass(frozen=True)
class Glance:
    """A row of the scoreboard at a glance.

    Attributes
    ----------
    score
        The model's score in words, such as `27% of genes`.
    alternative
        The best of the references, with its score.
    lead
        The model's score less that of the alternative, as text.
    """

    score: str = "-"
    alternative: str = "-"
    lead: str = "-"

    @classmethod
    def of(
        cls, score: float, references: Mapping[str, float], words: Callable[[float, int], str]
    ) -> "Glance":
        """From a score and those of the references, by name; higher is better.

        Parameters
        ----------
        words
            How a score is written, with how many decimals more than usual: one where the two
            differ, but would read alike.
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

    `id` is the claim's in `resources/reported.tsv`, `verdict` one of `VERDICTS` with its `reason`,
    `evidence` the file that shows it, relative to the run's folder. `outcome` is what the same
    rules give on this run's data, the paper's or not: a value of `OUTCOMES`, or `-`; `protocol`
    how it was measured; `glance` the scores alone.
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
    """A model, and the cohort or task that a claim is judged on.

    Attributes
    ----------
    model, training
        Its name in the config, and how far it was trained.
    name, title
        Of the cohort or task: its name in the config, and what it is, for people.
    paper_data
        Whether the data are the paper's own.
    seen
        How many of the patients pretraining has seen, for people.
    maybe_trained_on
        Whether the data may be among those of a checkpoint's training, which are not known.
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
        """The name of the model's embedding."""
        return f"sagefm-{self.model}"

    @property
    def setting(self) -> str:
        """Why these data cannot decide a claim; empty if they can."""
        return "the checkpoint may have been trained on these sections" * self.maybe_trained_on

    def conclude(self, evidence: Evidence, facts: Sequence[str] = ()) -> dict[str, Any]:
        """Verdict, outcome and reason of a claim by `judge`, with facts after the reason."""
        return self.state(judge(evidence), facts)

    def state(self, found: tuple[str, str], facts: Sequence[str] = ()) -> dict[str, Any]:
        """Verdict, outcome and reason of what was found: a key of `OUTCOMES`, and why.

        On other data than the paper's the verdict is `proxy`.
        """
        verdict, why = found
        outcome = OUTCOMES[verdict]
        if not self.paper_data:
            verdict = "proxy"
            why = f"computed on {self.title}, not on the paper's data; here {why}"
        return {"verdict": verdict, "outcome": outcome, "reason": "; ".join([why, *facts])}


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """A chapter's claims as a table; what is in `glance` has columns of its own."""
    rows = [asdict(claim) for claim in claims]
    return pd.DataFrame([row | row.pop("glance") for row in rows])
