"""What a genome-wide screen says about the adjective *interpretable*."""

from math import nan

import pandas as pd

from sagefm.common.claim import Claim, Subject
from sagefm.common.text import format_number
from sagefm.common.verdict import Difference, Evidence
from sagefm.screen.tables import MEAN, NO_MODEL

OWN = ("jacobian", "response")
"""The model's score that is judged: its derivative, or without one the response itself."""


def interpretable_claim(subject: Subject, scores: pd.DataFrame) -> Claim:
    """`interpretable`: whether a model's derivatives are larger for known pairs of genes.

    For every pair table the derivatives have to rank known pairs above permuted outputs of like
    expression, and above co-expression, which needs no model. The paper gives nothing to hold it
    to, so that on the paper's data the claim stays inconclusive.

    Parameters
    ----------
    subject
        The model screened, and the cohort.
    scores
        Of `scores.screen_scores`, with column truth; of one model and cohort.
    """
    name = next(own for own in OWN if own in set(scores["score"]))
    # Where there are several contexts, their mean is used.
    several = MEAN in set(scores["context"])
    ranked = scores[scores["context"].isin([MEAN, NO_MODEL])] if several else scores
    first = ranked[ranked["score"] == name].set_index("truth")
    none = ranked[ranked["score"] == "coexpression"].set_index("truth")["auroc"]
    words = {truth: str(truth).replace("_", " ") for truth in first.index}
    evidence = Evidence(
        first["auroc"].min(skipna=False),
        nan,
        nan,
        int(first["n_inputs"].min()),
        subject.training,
        [
            one
            for truth, word in words.items()
            for one in _differences(word, first.loc[truth], none[truth])
        ],
        setting="the paper names no yardstick" if subject.paper_data else subject.setting,
        unit="input",
    )
    facts = ["the paper names no yardstick"] if not subject.paper_data else []
    facts += [
        f"{words[truth]}: outputs permuted among genes of like expression reach "
        f"{row['null_auroc_mean']:.3f} [{row['null_low']:.3f}, {row['null_high']:.3f}], "
        f"p {row['p']:.2g}"
        for truth, row in first.iterrows()
    ]
    return Claim(
        "interpretable",
        subject.model,
        obtained="AUROC of known pairs by "
        + ("derivative: " if name == "jacobian" else "response: ")
        + ", ".join(
            f"{word} {format_number(first['auroc'][truth], '.3f')}" for truth, word in words.items()
        ),
        baseline="by co-expression without a model: "
        + ", ".join(f"{word} {none[truth]:.3f}" for truth, word in words.items()),
        n=", ".join(
            f"{row['n_pairs']:,} {words[truth]} pairs of {row['n_inputs']:,} inputs"
            for truth, row in first.iterrows()
        ),
        evidence=f"screen/{subject.model}/{subject.name}/scores.tsv",
        protocol="every input of a table against every output of it, ranked by the derivative "
        "of the prediction by the neighbours' expression, averaged over spots",
        **subject.conclude(evidence, facts),
    )


def _differences(word: str, row: pd.Series, none: float) -> list[Difference]:
    """The AUROC of one table less chance, and less co-expression.

    Both intervals have the width of the 95% range under permutation, the only spread of the AUROC
    that is known.
    """
    chance = row["null_auroc_mean"]
    below, above = row["null_high"] - chance, chance - row["null_low"]
    others = {"permuted outputs": chance, "co-expression without a model": none}
    return [
        Difference(
            f"{reference} ({word})",
            row["auroc"] - other,
            row["auroc"] - other - below,
            row["auroc"] - other + above,
            n=int(row["n_inputs"]),
            named=reference == "permuted outputs",
            value=other,
        )
        for reference, other in others.items()
    ]
