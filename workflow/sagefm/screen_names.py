"""Names in a screen's tables that stand for no context of its own."""

MEAN = "mean of contexts"
NO_MODEL = "no model"
"""Of scores that need none."""
