"""Claim 6 of the paper, judged by perturbing known pairs of genes."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sagefm.common.claim import Claim, Glance, Subject
from sagefm.common.text import MINUS, count, format_interval, format_number, with_sign
from sagefm.common.verdict import Difference, Evidence
from sagefm.perturbation.terms import BETWEEN, FAIR, FORWARD, INPUTS, REMAINDER
from sagefm.stats.patients import words_of_seen

HAS_TO_EXCEED = {
    (FORWARD, "unmatched"): "the table's other outputs",
    (FORWARD, "random"): "random genes",
    (FORWARD, FAIR): "random genes of similar expression",
    (BETWEEN, FAIR): "the reverse experiment",
}
"""Names of the comparisons that the claim must win, by direction and control."""


@dataclass(frozen=True)
class Findings:
    """Results of one pair table, from `response_summary` and `discrimination_table`."""

    summary: pd.DataFrame
    discrimination: pd.DataFrame

    def row(self, direction: str, control: str) -> pd.Series:
        """Row of the summary for one comparison, over inputs."""
        own = self.summary
        chosen = (own["direction"] == direction) & (own["control"] == control)
        return own[chosen & (own["unit"] == INPUTS)].iloc[0]

    def score(self, name: str) -> pd.Series:
        """Row of one score in the forward experiment."""
        own = self.discrimination
        return own[(own["direction"] == FORWARD) & (own["score"] == name)].iloc[0]

    def differences(self) -> list[Difference]:
        """Differences from everything that matched outputs must exceed, with co-expression last."""
        found = []
        for key, words in HAS_TO_EXCEED.items():
            found.append(Difference.of(words, self.row(*key), named=True))
        known = self.score("coexpression_pooled")
        mean, low, high = (known[f"slope_advantage{end}"] for end in ("", "_low", "_high"))
        n = int(known["n_inputs"])
        return [*found, Difference("co-expression in AUROC", mean, low, high, n=n)]

    def unusable(self) -> str:
        """Reason why the responses cannot be judged; empty if they can."""
        for key, words in HAS_TO_EXCEED.items():
            if self.row(*key)["n_pairs"] == 0:
                return f"no pair could be compared with {words}"
        if self.row(FORWARD, FAIR)["share_unmoved"] == 1:
            return "no output responds to its input"
        return ""

    def evidence(self, subject: Subject) -> Evidence:
        """Evidence that the claim is judged by."""
        fair = self.row(FORWARD, FAIR)
        return Evidence(
            fair["difference"],
            fair["low"],
            fair["high"],
            int(fair["n"]),
            subject.training,
            self.differences(),
            unusable=self.unusable(),
            setting=subject.setting,
            unit="input",
            is_share=False,
        )


def perturbation_claim(subject: Subject, findings: Mapping[str, Findings]) -> Claim:
    """Judge claim 6 by the first pair table; the reason also names the others.

    Matched outputs must exceed the table's other outputs, random genes, random genes of similar
    expression, and the reverse experiment. Their slopes must exceed co-expression without a model.

    Parameters
    ----------
    subject
        The model and the cohort.
    findings
        Results of each pair table, by its name.
    """
    table, first = next(iter(findings.items()))
    fair = first.row(FORWARD, FAIR)
    references = " against ".join(
        f"{format_number(first.score(name)['auroc'], '.3f')} {words}"
        for name, words in (("slope", "by slope"), ("coexpression_pooled", "by co-expression"))
    )
    facts = [one.words("+.2g") for one in first.differences()]
    facts.append("paired sign-flip tests over inputs")
    facts.append(_beyond_coexpression(first))
    facts += [
        f"pairs of {name.replace('_', ' ')}: {_effect(other)}"
        for name, other in findings.items()
        if name != table
    ]
    return Claim(
        "perturbation",
        subject.model,
        glance=Glance.of(
            first.score("slope")["auroc"],
            {"co-expression": first.score("coexpression_pooled")["auroc"]},
            lambda auroc, more: f"AUROC {format_number(auroc, f'.{2 + more}f')} of known pairs",
        ),
        obtained=f"{_effect(first)}; {fair['share_as_expected']:.0%} of "
        f"{table.replace('_', ' ')} pairs with the expected sign, "
        f"{fair['share_unmoved']:.0%} held at 0 by the model",
        baseline=f"{fair['share_as_expected_control']:.0%} of genes of similar expression with "
        f"that sign, {fair['share_unmoved_control']:.0%} held at 0; AUROC of pairs "
        f"{references}",
        n=f"{count(fair['n_pairs'], 'pair')} of {count(fair['n_inputs'], 'input')}, "
        f"{count(fair['n_spots'], 'spot')}, {count(fair['n_samples'], 'section')}, "
        + words_of_seen(*fair[["n_patients", "n_patients_seen", "n_patients_unknown"]]),
        protocol="a gene (the input) is set in a spot's neighbours and its known targets (the "
        "outputs) are read at the spot, compared with other outputs, genes of similar expression "
        "and the reverse experiment; tests over inputs",
        evidence=f"perturbation/{subject.model}/{subject.name}/{table}/summary.tsv",
        **subject.conclude(first.evidence(subject), facts),
    )


def _beyond_coexpression(findings: Findings) -> str:
    """Describe how well pairs are found by the part of slopes that co-expression leaves."""
    left = findings.score(REMAINDER)
    return (
        "AUROC of the slopes with co-expression and expression regressed out "
        f"{format_interval(left['auroc'], left['auroc_low'], left['auroc_high'], '.3f')}"
    )


def _effect(findings: Findings) -> str:
    row, standard = findings.row(FORWARD, FAIR), findings.row(BETWEEN, FAIR)["matched"]
    slope = format_interval(row["difference"], row["low"], row["high"], "+.2g")
    return (
        f"slope {slope.replace('-', MINUS)} against random genes of similar expression "
        f"(Cohen's d_z {with_sign(row['cohens_d_z'], '.2f')}, mean "
        f"{with_sign(standard, '+.2f')} of their standard deviations)"
    )
