"""Perturbing a spot, compared with the products of its layers and with the released code."""

from argparse import Namespace

from bench.perturbation import measure_perturbation
from bench.table import Table

TARGETS = {"perturbation_speedup_10": ">= 300", "perturbation_speedup_500": ">= 200"}


def measure(options: Namespace, table: Table) -> None:
    """Add the rows for 10 and 500 outputs."""
    measure_perturbation(table, options.threads)
