"""A training step in fp32, against its bare products and the released way; targets on two cores."""

from argparse import Namespace

from bench.pretraining import measure_pretraining
from bench.table import Table

TARGETS = {
    "gemm_fraction_fp32": ">= 0.8",
    "pretrain_speedup_fp32": ">= 18",
    "pretrain_speedup_fp32_tuned": ">= 12",
}


def measure(options: Namespace, table: Table) -> None:
    """Add the rows of this precision."""
    measure_pretraining("fp32", options.threads, table)
