"""The paper's claim *interpretable*, judged by a genome-wide screen."""

from math import nan

import pandas as pd

from sagefm.common.claim import Claim, Subject
from sagefm.common.text import format_number
from sagefm.common.verdict import Difference, Evidence
from sagefm.screen.tables import MEAN, NO_MODEL, OWN


def interpretable_claim(subject: Subject, scores: pd.DataFrame) -> Claim:
    """Judge `interpretable`: whether a model's derivatives are larger for known pairs of genes.

    For every pair table, the derivatives must rank known pairs better than permuted outputs of
    similar expression do, and better than co-expression without a model, by an interval over
    inputs. The paper reports no number to compare with, so on the paper's data the claim stays
    inconclusive.

    Parameters
    ----------
    subject
        The screened model and the cohort.
    scores
        Table of `scores.screen_scores` for one model and cohort, with a column truth.
    """
    name = next(own for own in OWN if own in set(scores["score"]))
    # With several contexts, their mean is used.
    several = MEAN in set(scores["context"])
    ranked = scores[scores["context"].isin([MEAN, NO_MODEL])] if several else scores
    first = ranked[ranked["score"] == name].set_index("truth")
    none = ranked[ranked["score"] == "coexpression"].set_index("truth")["auroc"]
    words = {truth: str(truth).replace("_", " ") for truth in first.index}
    differences = [
        one
        for truth, word in words.items()
        for one in _differences(word, first.loc[truth], none[truth])
    ]
    evidence = Evidence(
        first["auroc"].min(skipna=False),
        nan,
        nan,
        int(first["n_inputs"].min()),
        subject.training,
        differences,
        setting="the paper gives no reference value" if subject.paper_data else subject.setting,
        unit="input",
    )
    facts = ["the paper gives no reference value"] if not subject.paper_data else []
    facts += [one.words("+.3f") for one in differences if not one.named]
    facts.append("intervals against co-expression by bootstrap over inputs")
    facts += [
        f"{words[truth]}: outputs permuted among genes of similar expression reach "
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
    """Differences of one table's AUROC from chance and from co-expression.

    The interval for chance is the 95% range under permutation. That for co-expression is a
    bootstrap over inputs, each drawn with all its pairs.
    """
    chance, n = row["null_auroc_mean"], int(row["n_inputs"])
    ahead = row["auroc"] - chance
    below, above = row["null_high"] - chance, chance - row["null_low"]
    gain, low, high = (row[f"advantage{end}"] for end in ("", "_low", "_high"))
    return [
        Difference(f"permuted outputs ({word})", ahead, ahead - below, ahead + above, n=n,
                   named=True, value=chance),
        Difference(f"co-expression without a model ({word})", gain, low, high, n=n, value=none),
    ]  # fmt: skip
