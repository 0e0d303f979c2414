"""What known groups and scores are good for: which of them a representation should be low in."""

BATCH = ("patient", "sample")
"""Factors that a representation should not show; all others are biology."""
LOW_METRICS = ("davies_bouldin", "davies_bouldin_pcs")


def lower_is_better(factor: object, metric: str) -> bool:
    """Whether a lower score is the better one: for batch factors, and for Davies-Bouldin.

    `factor` is missing (None or NaN) for metrics that hold nothing against known groups.
    """
    return factor in BATCH or metric in LOW_METRICS
