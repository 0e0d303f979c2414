"""How the paper's claims are judged: the evidence from a chapter, and one set of rules."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sagefm.common.text import MINUS, count, format_interval, format_number

ALPHA = 0.05
"""Significance level of the tests of a claim, after Holm's correction."""

SATURATED = 0.98
"""From this share on, a model and a reference both count as perfect: they could differ by less than
two percentage points."""

FEWEST = 3
"""Minimum number of patients for an interval that can exclude a number. Two give no usable
spread."""

OUTCOMES = {"supported": "held", "contradicted": "did not hold", "inconclusive": "undecided"}
"""Words for a verdict where it refers to this run's data, whether or not they are the paper's."""


@dataclass(frozen=True)
class Training:
    """How far a model was trained; without epochs, it is a released checkpoint.

    `converged` is whether training ended because the validation loss stopped falling; a released
    checkpoint counts as converged. `best_epoch` is the epoch with the lowest validation loss.
    """

    epochs: int | None = None
    best_epoch: int | None = None
    converged: bool = True

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> "Training":
        """Build it from a model's `training.json`, which is empty for a released checkpoint."""
        if not summary:
            return cls()
        return cls(summary["epochs"], summary["best_epoch"], summary["converged"])

    @property
    def words(self) -> str:
        """Say in words how the training ended."""
        if self.epochs is None:
            return "released checkpoint"
        if self.epochs == 0:
            return "not trained"
        after = count(self.epochs, "epoch")
        if self.converged:
            return f"validation loss stopped falling after {count(self.best_epoch or 0, 'epoch')}"
        if self.best_epoch == self.epochs:
            return f"validation loss was still falling after {after}"
        return f"training ended after {after}, before validation loss had stopped falling"


@dataclass(frozen=True)
class Difference:
    """A model's value minus that of a reference.

    Attributes
    ----------
    reference
        Name of the reference, as used in a sentence.
    difference, low, high
        Mean and 95% interval.
    p
        Corrected by Holm's method over the comparisons of the model. None if the interval alone,
        over at least `FEWEST`, is the test.
    smallest_p
        The smallest uncorrected p possible with `n` patients.
    named
        Whether the claim itself says that the model exceeds this reference.
    value
        The reference's value; NaN if unknown.
    """

    reference: str
    difference: float
    low: float
    high: float
    p: float | None = None
    smallest_p: float = 0.0
    n: int = 0
    named: bool = False
    value: float = math.nan

    @classmethod
    def of(
        cls,
        reference: str,
        row: Mapping[str, Any] | pd.Series,
        *,
        named: bool = False,
        value: float = math.nan,
    ) -> "Difference":
        """Build it from a table row: difference, low, high, p_holm, smallest_p, n."""
        numbers = row["difference"], row["low"], row["high"], row["p_holm"], row["smallest_p"]
        return cls(reference, *numbers, n=int(row["n"]), named=named, value=value)

    @property
    def is_above(self) -> bool:
        """Whether the model exceeds the reference significantly."""
        return self.low > 0 and self._is_significant

    @property
    def is_below(self) -> bool:
        """Whether the reference exceeds the model significantly."""
        return self.high < 0 and self._is_significant

    @property
    def is_saturated(self) -> bool:
        """Whether model and reference are both too close to 1 to differ; False if unknown."""
        return self.value >= SATURATED and self.value + self.difference >= SATURATED

    @property
    def _is_significant(self) -> bool:
        return self.n >= FEWEST if self.p is None else self.p < ALPHA

    def words(self, form: str, scale: float = 1.0, unit: str = "") -> str:
        """Write the difference with interval and p; `form` formats numbers times `scale`."""
        mean, low, high = (scale * own for own in (self.difference, self.low, self.high))
        test = "" if self.p is None else f" (Holm p {format_number(self.p, '.2g')})"
        numbers = format_interval(mean, low, high, form).replace("-", MINUS)
        return f"{numbers}{unit} against {self.reference}{test}"


@dataclass(frozen=True)
class Reported:
    """A number from the paper, and the value obtained for it with its 95% interval over `n`."""

    reported: float
    value: float
    low: float
    high: float
    n: int

    @property
    def is_excluded(self) -> bool:
        """Whether the whole interval is below the reported number."""
        return self.n >= FEWEST and self.high < self.reported

    @property
    def is_reached(self) -> bool:
        """Whether the value, rounded to the paper's two digits, is at least the reported number."""
        return round(self.value, 2) >= self.reported


@dataclass(frozen=True)
class Evidence:
    """The evidence on which a claim is judged.

    Attributes
    ----------
    value, low, high, n
        The value that the differences refer to, its 95% interval, and the number of patients.
    training
        How far the model was trained.
    differences
        Differences from everything that the model must exceed: methods that the claim names,
        untrained baselines, controls, the majority class.
    reported
        The paper's number, if it gives one.
    missing
        Required comparisons that the run lacks.
    unusable
        Reason why the values are meaningless; empty if they are not.
    setting
        Reason why the setting cannot decide the claim, such as a random split of spots; empty if it
        can.
    unit
        What `n` counts.
    is_share
        Whether the value cannot exceed 1.
    """

    value: float
    low: float
    high: float
    n: int
    training: Training
    differences: Sequence[Difference] = ()
    reported: Reported | None = None
    missing: Sequence[str] = ()
    unusable: str = ""
    setting: str = ""
    unit: str = "patient"
    is_share: bool = True


def judge(evidence: Evidence) -> tuple[str, str]:
    """Return the verdict on a claim, as a key of `OUTCOMES`, and the reason.

    `supported`: the model exceeds all references significantly (Holm-corrected p below `ALPHA` and
    an interval above 0) and reaches the paper's number if there is one. It was also trained until
    its validation loss stopped falling, or is the released one. `contradicted`: an interval
    excludes the claim, since it is below the paper's number, or significantly below 0 for a
    reference that the claim names. Everything else is `inconclusive`: a lack of significance
    contradicts nothing.
    """
    if words := _unusable(evidence):
        return "inconclusive", words
    if evidence.reported and evidence.reported.is_excluded:
        found = "contradicted", "the interval is below the reported value"
    else:
        found = _compared(evidence)
        if evidence.setting and found[0] != "inconclusive":
            found = "inconclusive", f"{found[1]}, but {evidence.setting}"
    if not evidence.training.converged:
        return "inconclusive", f"{evidence.training.words}; so far {found[1]}"
    return found


def _unusable(evidence: Evidence) -> str:
    if evidence.unusable or math.isnan(evidence.value):
        return evidence.unusable or "the value is not a number"
    if evidence.n > 1 and math.isclose(evidence.low, evidence.high, abs_tol=1e-12):
        return f"every {evidence.unit} has the same value, as if the model gave a constant"
    return ""


def _compared(evidence: Evidence) -> tuple[str, str]:
    """Return the verdict by the references, and by the paper's number unless it is excluded."""
    saturated = [own for own in evidence.differences if own.is_saturated and evidence.is_share]
    if saturated:
        one = saturated[0]
        both = f"{one.value + one.difference:.1%}, {one.reference} {one.value:.1%}"
        return "inconclusive", f"both are as good as perfect: {both}"
    if not evidence.differences:
        return "inconclusive", "nothing to compare with was computed"
    if evidence.missing:
        return "inconclusive", f"not compared with {_listed(evidence.missing)}"
    if worse := [own.reference for own in evidence.differences if own.named and own.is_below]:
        return "contradicted", f"significantly below {_listed(worse)}"
    if not all(own.is_above for own in evidence.differences):
        return "inconclusive", _not_above(evidence)
    above = f"significantly above {_listed([own.reference for own in evidence.differences])}"
    if evidence.reported and not evidence.reported.is_reached:
        return "inconclusive", f"{above}; below the reported value, which the interval includes"
    return "supported", above


def _not_above(evidence: Evidence) -> str:
    """Say which references the model does not exceed, and whether it could have."""
    behind = [own for own in evidence.differences if not own.is_above]
    tested = [own for own in evidence.differences if own.p is not None]
    if tested and all(own.smallest_p * len(tested) >= ALPHA for own in tested):
        n, tests = count(tested[0].n, evidence.unit), count(len(tested), "comparison")
        return f"no difference can be significant with {n} and {tests}"
    better = [own.reference for own in behind if own.is_below]
    same = [own.reference for own in behind if not own.is_below]
    words = [f"significantly below {_listed(better)}"] if better else []
    return ", ".join(words + ([f"no significant difference from {_listed(same)}"] if same else []))


def _listed(names: Sequence[str]) -> str:
    """Join names for a sentence: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]][len(names) == 1 :])
