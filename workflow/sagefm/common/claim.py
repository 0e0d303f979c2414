"""The scoreboard: what the paper claims, what this run obtained, and what that is worth."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

ALPHA = 0.05
"""Level of significance of the tests that a claim rests on."""

VERDICTS = ("supported", "contradicted", "inconclusive", "proxy", "not computed")

OUTCOMES = {"supported": "held", "contradicted": "did not hold", "inconclusive": "undecided"}
"""What a verdict on the paper's data is called where it is said of this run's data, whichever."""


@dataclass(frozen=True)
class Claim:
    """What a chapter has to say of one of the paper's claims.

    `id` is the claim's in `resources/reported.tsv`, `verdict` one of `VERDICTS` with its `reason`,
    `evidence` the file that shows it, relative to the run's folder. `outcome` is what the same rule
    says of this run's data, whether or not they are the paper's: a value of `OUTCOMES`, or `-`;
    `protocol` how it was measured.
    """

    id: str
    obtained: str
    baseline: str
    n: str
    verdict: str
    reason: str
    evidence: str
    outcome: str = "-"
    protocol: str = "-"

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"claim {self.id}: verdict `{self.verdict}` is none of {VERDICTS}")


def judge(found: tuple[str, str], paper_data: bool, instead: str) -> dict[str, str]:
    """Verdict, outcome and reason of a claim.

    Parameters
    ----------
    found
        What its rule says of the run's data: a key of `OUTCOMES`, and why.
    paper_data, instead
        Whether the data are the paper's own; if not, what they are: then it is a proxy.
    """
    verdict, why = found
    outcome = OUTCOMES[verdict]
    if paper_data:
        return {"verdict": verdict, "outcome": outcome, "reason": why}
    return {"verdict": "proxy", "outcome": outcome, "reason": f"{instead}; here {why}"}


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """A chapter's claims as a table."""
    return pd.DataFrame([asdict(claim) for claim in claims])
