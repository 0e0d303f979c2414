"""Scores of pairs of genes that need no model, as perturbation and screen both show them."""

from sagefm.plotting.colours import MODEL_COLOURS, NEUTRAL

UNMODELLED = {
    "coexpression": "co-expression with neighbours",
    "coexpression_within": "co-expression within sections",
    "output_mean": "output's mean expression",
}
"""Names of scores; the second is the first within each section, averaged."""


def score_colour(is_model: bool) -> str:
    """The colour of a model's scores, or of those that need none."""
    return MODEL_COLOURS[0] if is_model else NEUTRAL
