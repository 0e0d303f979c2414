"""A training step in fp32, compared with bare products and the released code; two-core targets."""

from argparse import Namespace

from bench.pretraining import measure_pretraining
from bench.table import Table

TARGETS = {
    "gemm_fraction_fp32": ">= 0.8",
    "pretrain_speedup_fp32": ">= 18",
    "pretrain_speedup_fp32_tuned": ">= 12",
}


def measure(options: Namespace, table: Table) -> None:
    """Add the rows for this precision."""
    measure_pretraining("fp32", options.threads, table)
