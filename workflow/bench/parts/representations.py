"""Untrained representations, compared with reading the cohort and two products of its matrix."""

import tempfile
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.bundled import bundled_sections
from bench.chapters import cohort_of
from bench.limits import best_seconds
from bench.table import Table
from sagefm.representations.registry import load_method, names, read_options
from sagefm.representations.untrained import Untrained, expression_of
from sagefm.sections.section import Section

TARGETS: dict[str, str] = {}


def measure_sections(sections: Sequence[Section], table: Table) -> None:
    """Add a row for every method that computes principal components of expression."""
    cohort = cohort_of(sections)
    for name in names():
        method = load_method(name)
        if not issubclass(method.options, Untrained):
            continue
        options = read_options(name, {})

        def bare(options: Untrained = options) -> np.ndarray:
            expression = expression_of(cohort, options)
            draw = np.random.default_rng(0)
            drawn = draw.standard_normal((expression.shape[1], options.components), np.float32)
            return expression.T @ (expression @ drawn)

        limit = best_seconds(bare, 2)
        took = best_seconds(lambda m=method, o=options: m.represent(cohort, o, 0), 2)
        detail = f"{sum(s.n_spots() for s in sections)} spots; limit: reading and two products"
        table.add(f"representation_{name}", took, "s", detail, limit)


def measure(options: Namespace, table: Table) -> None:
    """Add the rows for the bundled breast sections."""
    with tempfile.TemporaryDirectory() as folder:
        measure_sections(bundled_sections(Path(folder), ["SPA*"]), table)
