"""A perturbed spot, against the products of the layers that it passes and the released way."""

from argparse import Namespace

from bench.perturbation import measure_perturbation
from bench.table import Table

TARGETS = {"perturbation_speedup_10": ">= 300", "perturbation_speedup_500": ">= 200"}


def measure(options: Namespace, table: Table) -> None:
    """Add the rows of 10 and of 500 outputs."""
    measure_perturbation(table, options.threads)
