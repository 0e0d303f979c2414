"""Scores of pairs of genes that need no model, as perturbation and screen both show them."""

UNMODELLED = {
    "coexpression": "co-expression with neighbours",
    "coexpression_within": "co-expression within sections",
    "output_mean": "output's mean expression",
}
"""Names of scores; the second is the first within each section, averaged."""
