"""Figures of the report, each drawn from a table that is also an output."""
