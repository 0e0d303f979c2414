"""Training products of the paper's wide layers, compared with the faster of two libraries."""

from argparse import Namespace
from functools import partial

from bench.limits import best_seconds
from bench.table import Table
from sagefm.networks.base import WIDTHS
from sagefm.networks.device import one_thread
from sagefm.networks.kernels import PRODUCTS, WORTH, has_onednn, operands_of
from sagefm.networks.recipe import PAPER_PANEL
from sagefm.sections.genes import read_panel

TARGETS: dict[str, str] = {}
SPOTS = 64


def measure_layer(layer: str, wide: int, narrow: int, table: Table) -> None:
    """Add a row for each product of a layer."""
    operands = operands_of(SPOTS, narrow, wide)
    for product, kernels in PRODUCTS.items():
        usable = kernels if has_onednn() else kernels[:1]
        seconds = [best_seconds(partial(kernel, *operands[product])) for kernel in usable]
        rates = [2 * SPOTS * wide * narrow / taken / 1e9 for taken in seconds]
        taken = rates[-1] if rates[-1] >= WORTH * rates[0] else rates[0]
        both = zip(("PyTorch's BLAS", "oneDNN"), rates, strict=False)
        detail = ", ".join(f"{name} {rate:.0f}" for name, rate in both) + "; limit: the faster"
        table.add(f"{layer}, {product}", taken, "GF/s", detail, max(rates))


def measure(options: Namespace, table: Table) -> None:
    """Add the rows for the first layer and the decoder."""
    genes = len(read_panel(PAPER_PANEL))
    with one_thread():
        measure_layer("first layer", genes, WIDTHS[0], table)
        measure_layer("decoder", WIDTHS[-1], genes, table)
