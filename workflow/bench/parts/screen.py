"""The genome-wide screen, compared with the rate of a square product."""

import tempfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import torch

from bench.bundled import bundled_sections
from bench.limits import best_seconds, product_rate
from bench.stages import fresh_model
from bench.table import Table
from sagefm.networks.base import WIDTHS
from sagefm.networks.device import prepare_machine
from sagefm.screen.screen import ScreenPlan, build_screen
from sagefm.screen.spots import Drawn
from sagefm.sections.batch import CPU
from sagefm.sections.section import Section

TARGETS: dict[str, str] = {}
SPOTS = 64


def measure_section(
    section: Section, widths: tuple[int, ...], table: Table, device: torch.device = CPU
) -> None:
    """Add the row for a block of inputs, with all other genes as outputs."""
    genes = section.n_genes()
    model = fresh_model(genes, widths, device)
    every = torch.arange(genes, device=device)
    drawn = Drawn([section], {"all": np.arange(min(SPOTS, section.n_spots()))})
    levels = torch.tensor([[0.0, 2.0]], device=device).expand(genes, 2)
    plan = ScreenPlan(every, levels, every, contexts=1)
    screen = build_screen(model, drawn.neighbourhoods(model, range(genes)), plan)
    numbers = torch.arange(min(screen.block, genes), device=device)
    with torch.inference_mode():
        screen.respond(numbers)
        done = screen.operations
        took = best_seconds(lambda: screen.respond(numbers).sum().item(), 3)
    size = f"{len(numbers)} inputs x {genes} outputs at {screen.n_spots} spots"
    detail = f"{size}; limit: a square product"
    table.add("screen", done / took / 1e9, "GF/s", detail, product_rate(device=device) / 1e9)


def measure(options: Namespace, table: Table) -> None:
    """Add the row for a bundled section at the paper's widths."""
    prepare_machine("cpu", options.threads)
    with tempfile.TemporaryDirectory() as folder:
        (section,) = bundled_sections(Path(folder), ["heart-1"])
        measure_section(section, WIDTHS, table)
