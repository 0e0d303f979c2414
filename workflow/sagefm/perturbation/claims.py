"""What perturbed pairs have to say of the paper's claim 6."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from sagefm.common.claim import ALPHA, Claim, judge
from sagefm.common.text import count, format_interval, format_number
from sagefm.perturbation.terms import BETWEEN, FORWARD, INPUTS, REMAINDER
from sagefm.stats.patients import words_of_seen

FAIR = "expression_matched"
"""The control that the numbers shown are against."""

HAS_TO_EXCEED = {
    "unmatched": "the table's other outputs",
    FAIR: "random genes of like expression",
}


@dataclass(frozen=True)
class Findings:
    """Tables of one pair table: of `response_summary` and `discrimination_table`."""

    summary: pd.DataFrame
    discrimination: pd.DataFrame

    def row(self, direction: str, control: str) -> pd.Series:
        """One comparison of the summary."""
        own = self.summary
        chosen = (own["direction"] == direction) & (own["control"] == control)
        return own[chosen & (own["unit"] == INPUTS)].iloc[0]

    def score(self, name: str) -> pd.Series:
        """One score of the forward experiment."""
        own = self.discrimination
        return own[(own["direction"] == FORWARD) & (own["score"] == name)].iloc[0]

    def exceeded(self) -> list[str]:
        """The controls that matched outputs exceed, of those they have to."""
        return [name for name in HAS_TO_EXCEED if _exceeds(self.row(FORWARD, name))]

    def is_directional(self) -> bool:
        """Whether the forward effect exceeds the reverse one."""
        return _exceeds(self.row(BETWEEN, FAIR))

    def says_more(self) -> str:
        """Whether pairs stand out by what co-expression and expression do not explain."""
        if self.score(REMAINDER)["auroc_low"] <= 0.5:
            return "no"
        if self.score("coexpression_pooled")["slope_advantage"] <= 0:
            return "something beside it, but less than it does by itself"
        return "yes"


def _exceeds(row: pd.Series) -> bool:
    return bool(row["difference"] > 0 and row["p_holm"] < ALPHA)


def perturbation_claims(
    model: str, cohort: str, title: str, findings: Mapping[str, Findings], paper_data: bool
) -> list[Claim]:
    """Claim 6, from the first pair table; the others are named in the reason.

    On the paper's data it is supported only if matched outputs exceed both the table's other
    outputs and random genes of like expression, and the forward experiment exceeds the reverse one;
    contradicted if they exceed neither although the test could have found it.

    Parameters
    ----------
    model, cohort, title
        The headline model, the cohort, and what it is, for people.
    findings
        Of each pair table, by its name.
    paper_data
        Whether the cohort is the paper's own.
    """
    table, first = next(iter(findings.items()))
    fair = first.row(FORWARD, FAIR)
    references = " against ".join(
        f"{format_number(first.score(name)['auroc'], '.3f')} {words}"
        for name, words in (("slope", "by slope"), ("coexpression_pooled", "by co-expression"))
    )
    instead = f"computed on {title}, not on the paper's samples"
    verdict = judge(_verdict(first), paper_data, instead)
    reasons = [verdict["reason"], _answers(first), _numbers(first)]
    reasons += [
        f"pairs of {name.replace('_', ' ')}: {_answers(other)} (d_z "
        f"{format_number(other.row(FORWARD, FAIR)['cohens_d_z'], '.2f')})"
        for name, other in findings.items()
        if name != table
    ]
    return [
        Claim(
            "perturbation",
            obtained=f"{_effect(first)}; {fair['share_as_expected']:.0%} of "
            f"{table.replace('_', ' ')} pairs with the expected sign, "
            f"{fair['share_unmoved']:.0%} held at 0 by the model",
            baseline=f"{fair['share_as_expected_control']:.0%} of genes of like expression with "
            f"that sign, {fair['share_unmoved_control']:.0%} held at 0; AUROC of pairs "
            f"{references}",
            n=f"{count(fair['n_pairs'], 'pair')} of {count(fair['n_inputs'], 'input')}, "
            f"{count(fair['n_spots'], 'spot')}, {count(fair['n_samples'], 'sample')}, "
            + words_of_seen(*fair[["n_patients", "n_patients_seen", "n_patients_unknown"]]),
            verdict=verdict["verdict"],
            outcome=verdict["outcome"],
            protocol="an input set in a spot's neighbours, its outputs read at the spot, against "
            "other outputs, genes of like expression, and the reverse; tests over inputs",
            reason="; ".join(reasons),
            evidence=f"perturbation/{model}/{cohort}/{table}/summary.tsv",
        )
    ]


def _verdict(findings: Findings) -> tuple[str, str]:
    exceeded = findings.exceeded()
    for name, words in HAS_TO_EXCEED.items():
        if findings.row(FORWARD, name)["n_pairs"] == 0:
            return "inconclusive", f"no pair could be held against {words}"
    if len(exceeded) == len(HAS_TO_EXCEED):
        if findings.is_directional():
            return "supported", "pairs exceed their controls, and the reverse experiment"
        return "inconclusive", "pairs exceed their controls, but not the reverse experiment"
    if exceeded:
        return "inconclusive", f"pairs exceed {HAS_TO_EXCEED[exceeded[0]]} alone"
    # Two-sided sign flips over n inputs, corrected for three controls.
    inputs = int(findings.row(FORWARD, FAIR)["n_inputs"])
    if 3 * 2.0 ** (1 - inputs) >= ALPHA:
        return "inconclusive", f"no difference can be beyond doubt with {inputs} inputs"
    return "contradicted", "pairs exceed neither control"


def _answers(findings: Findings) -> str:
    """The three questions, in plain words."""
    exceeded = findings.exceeded()
    controls = "yes" if len(exceeded) == len(HAS_TO_EXCEED) else "no"
    if len(exceeded) == 1:
        controls = f"only {HAS_TO_EXCEED[exceeded[0]]}"
    return (
        f"effects exceed the controls: {controls}; directional (forward exceeds reverse): "
        f"{'yes' if findings.is_directional() else 'no'}; says more than neighbour co-expression: "
        f"{findings.says_more()}"
    )


def _numbers(findings: Findings) -> str:
    """What the answers rest on."""
    unmatched, between = findings.row(FORWARD, "unmatched"), findings.row(BETWEEN, FAIR)
    fair, left = findings.row(FORWARD, FAIR), findings.score(REMAINDER)
    return (
        f"against the table's other outputs {format_number(unmatched['difference'], '+.2g')} (d_z "
        f"{format_number(unmatched['cohens_d_z'], '.2f')}, Holm p "
        f"{format_number(unmatched['p_holm'], '.2g')}), against random genes of like expression "
        f"Holm p {format_number(fair['p_holm'], '.2g')}; forward less reverse, in these standard "
        f"deviations, {format_number(between['difference'], '+.2f')} (Holm p "
        f"{format_number(between['p_holm'], '.2g')}); AUROC of what co-expression and expression "
        "leave of the slopes "
        f"{format_interval(left['auroc'], left['auroc_low'], left['auroc_high'], '.3f')}"
    )


def _effect(findings: Findings) -> str:
    row, standard = findings.row(FORWARD, FAIR), findings.row(BETWEEN, FAIR)["matched"]
    return (
        f"slope {format_interval(row['difference'], row['low'], row['high'], '+.2g')} against "
        f"random genes of like expression (d_z {format_number(row['cohens_d_z'], '.2f')}; in their "
        f"standard deviations {format_number(standard, '+.2f')})"
    )
