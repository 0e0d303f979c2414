"""What a genome-wide screen has to say of the adjective *interpretable*."""

import pandas as pd

from sagefm.common.claim import ALPHA, Claim, judge
from sagefm.screen.tables import MEAN, NO_MODEL

OWN = ("jacobian", "response")
"""The model's score that is judged: its derivative, or without one the response itself."""


def interpretable_claims(
    model: str, cohort: str, title: str, scores: pd.DataFrame, paper_data: bool
) -> list[Claim]:
    """`interpretable`: whether a model's derivatives are larger for known pairs of genes.

    It held if for every pair table the derivatives rank known pairs above what permuted outputs of
    like expression would, and above co-expression, which needs no model; it did not hold if they do
    neither for any.

    Parameters
    ----------
    model, cohort, title
        The model screened, the cohort, and what it is, for people.
    scores
        Of `scores.screen_scores`, with column truth; of one model and cohort.
    paper_data
        Whether the cohort is the paper's own.
    """
    name = next(own for own in OWN if own in set(scores["score"]))
    # Where there are several contexts, their mean is used.
    several = MEAN in set(scores["context"])
    ranked = scores[scores["context"].isin([MEAN, NO_MODEL])] if several else scores
    tables = ranked.pivot(index="truth", columns="score")
    tables = tables.loc[scores["truth"].unique()]
    own, none = tables["auroc"][name], tables["auroc"]["coexpression"]
    chance = tables["p"][name] < ALPHA
    found = "inconclusive", "the answer depends on the table or on what it is held against"
    if (chance & (own > none)).all():
        found = "supported", "known pairs stand out, and more than by co-expression"
    elif not chance.any() and (own <= none).all():
        found = "contradicted", "known pairs do not stand out, and less than by co-expression"
    if paper_data:
        # No number of the paper's could be held or missed.
        found = "inconclusive", f"the paper names no yardstick; {found[1]}"
    verdict = judge(found, paper_data, f"computed on {title}; the paper names no yardstick")
    words = [str(truth).replace("_", " ") for truth in tables.index]
    first = ranked[ranked["score"] == name]
    return [
        Claim(
            "interpretable",
            obtained="AUROC of known pairs by "
            + ("derivative: " if name == "jacobian" else "response: ")
            + ", ".join(f"{word} {value:.3f}" for word, value in zip(words, own, strict=True)),
            baseline="by co-expression without a model: "
            + ", ".join(f"{word} {value:.3f}" for word, value in zip(words, none, strict=True)),
            n=", ".join(
                f"{row['n_pairs']:,} {str(row['truth']).replace('_', ' ')} pairs of "
                f"{row['n_inputs']:,} inputs"
                for row in first.to_dict("records")
            ),
            verdict=verdict["verdict"],
            outcome=verdict["outcome"],
            reason="; ".join(
                [
                    verdict["reason"],
                    *(
                        f"{word}: outputs permuted among genes of like expression reach {mean:.3f} "
                        f"on average, p {p:.2g}"
                        for word, mean, p in zip(
                            words, tables["null_auroc_mean"][name], tables["p"][name], strict=True
                        )
                    ),
                ]
            ),
            evidence=f"screen/{model}/{cohort}/scores.tsv",
            protocol="every input of a table against every output of it, ranked by the derivative "
            "of the prediction by the neighbours' expression, averaged over spots",
        )
    ]
