"""A training step in bf16, compared with bare products and the released code; two-core targets."""

from argparse import Namespace

from bench.pretraining import measure_pretraining
from bench.table import Table

TARGETS = {
    "gemm_fraction_bf16": ">= 0.6",
    "pretrain_speedup_bf16": ">= 45",
    "pretrain_speedup_bf16_tuned": ">= 30",
}


def measure(options: Namespace, table: Table) -> None:
    """Add the rows for this precision."""
    measure_pretraining("bf16", options.threads, table)
