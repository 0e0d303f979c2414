"""A training step in bf16, against its bare products and the released way; targets on two cores."""

from argparse import Namespace

from bench.pretraining import measure_pretraining
from bench.table import Table

TARGETS = {
    "gemm_fraction_bf16": ">= 0.6",
    "pretrain_speedup_bf16": ">= 45",
    "pretrain_speedup_bf16_tuned": ">= 30",
}


def measure(options: Namespace, table: Table) -> None:
    """Add the rows of this precision."""
    measure_pretraining("bf16", options.threads, table)
