"""Predict the disk use of each stage from sheets and config, and compare it with free space.

The constants are measured on the bundled sections by `workflow/bench/disk.py`. Heavy imports are
avoided, since the needs are computed whenever the workflow is parsed.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sagefm.config.run import Run
from sagefm.downloads.sources.registry import is_fetched
from sagefm.networks.registry import describe
from sagefm.preflight.checks import Check

DETECTED = 0.118
"""Share of a section's genes that are detected at a spot."""

PANEL_DETECTED = 0.112
"""Share of the panel's genes that are detected at a spot."""

RAW_BYTES = 8
"""Bytes per count in a deposited file: a 32-bit value and a 32-bit column, not compressed."""

SAMPLE_BYTES = 2.59
"""Bytes per count in a harmonised sample."""

NEIGHBOUR_BYTES = 1.53
"""Bytes per neighbour in a graph."""

PARAMETER_BYTES = 12
"""Bytes per parameter in a checkpoint: the weight and Adam's two moments."""

FIXED_BYTES = 4
"""Bytes per number that is not trained in a checkpoint."""

REPRESENTED_BYTES = 110
"""Bytes per spot in a representation, in addition to 4 bytes per feature."""

SCREEN_BYTES = 2.46
"""Bytes per input-output pair of a screen."""

TABLE_BYTES = 23_600
"""Bytes per judged spot in all other tables and figures."""

DEPTH_MARGIN = 2
"""Factor by which other sections may be deeper than the bundled ones."""

UNKNOWN_GENES = 33_538
"""Genes of a section whose row gives no number: the most common number in hest.tsv."""

METHOD_WIDTH = 50
"""Number of features of a representation that is not a model's, as most have."""


@dataclass(frozen=True)
class Need:
    """Disk space in bytes that a stage needs in a folder."""

    stage: str
    folder: str
    size: int


def stage_needs(run: Run, n_genes: int) -> list[Need]:
    """Return the disk space that each stage of a run needs.

    Parameters
    ----------
    run
        `expected_spots` and `expected_genes` of its sheets are used if given.
    n_genes
        Number of genes in the panel.
    """
    config, cohorts = run.config, run.used_cohorts()
    rows = pd.concat([run.sheets[cohort] for cohort in cohorts])
    spots = np.array([spots for cohort in cohorts for spots in run.spots(cohort)])
    genes = pd.to_numeric(rows["expected_genes"].replace("", None)).fillna(UNKNOWN_GENES)
    fetched = rows["source"].map(is_fetched).to_numpy()
    folder, total = f"{config['results']}/{config['run']}", int(spots.sum())
    raw = (spots * genes.to_numpy())[fetched].sum() * DETECTED * RAW_BYTES * DEPTH_MARGIN
    neighbours = sum(map(_neighbours, config["graphs"].values()))
    samples = total * n_genes * PANEL_DETECTED * SAMPLE_BYTES * DEPTH_MARGIN
    return [
        Need("downloads", config["downloads"]["folder"], int(raw)),
        Need("samples", f"{config['results']}/_shared", int(samples)),
        Need("graphs", folder, int(total * neighbours * NEIGHBOUR_BYTES)),
        Need("checkpoints", folder, _checkpoints(config["models"], n_genes)),
        Need("results", folder, _results(run, n_genes)),
    ]


def _neighbours(graph: Mapping) -> float:
    """Spots in a neighbourhood; for a grid or radius, those of full rings of a hexagonal array."""
    if graph["kind"] in ("knn_clique", "star"):
        return graph["size"]
    rings = graph["rings"] if graph["kind"] == "grid" else graph["radius_spacings"]
    return 1 + 3 * rings * (rings + 1)


def _checkpoints(models: Mapping[str, Mapping], n_genes: int) -> int:
    """Return the size of all checkpoints: best, last and training state if trained, else one."""
    return sum((1 if m["released"] else 3) * checkpoint_bytes(m, n_genes) for m in models.values())


def checkpoint_bytes(model: Mapping, n_genes: int) -> int:
    """Return the size of a model's checkpoint, given its `network` and `widths`."""
    network = describe(model["network"])
    trained = network.parameters(n_genes, model["widths"])
    return trained * PARAMETER_BYTES + network.fixed * n_genes * FIXED_BYTES


def _embedding_width(model: Mapping) -> int:
    return describe(model["network"]).embedding_width(model["widths"])


def _results(run: Run, n_genes: int) -> int:
    """Return the size of representations, screens, and all other tables and figures."""
    config, uses = run.config, run.uses()
    spots = {use.cohort: sum(run.spots(use.cohort)) for use in uses}
    embedded = {name: _embedding_width(model) for name, model in run.models.items()}
    widths = [*embedded.values()]
    widths += [METHOD_WIDTH] * len(config["representations"]["methods"])
    # Once with all genes, and once without those from which a task's labels were made.
    size = 2 * sum(4 * width + REPRESENTED_BYTES for width in widths)
    represented = run.represented_cohorts()
    total = sum(spots[name] for name in represented) * (size + TABLE_BYTES)
    trained = {use.cohort for use in uses if use.part == "training"}
    judged = {use.cohort for use in uses if use.part != "training" and use.target == "results"}
    # Cohorts that are only embedded.
    alone = {(use.cohort, use.model) for use in uses if use.part in ("conformance", "tasks")}
    for cohort, model in alone:
        if cohort not in represented:
            total += spots[cohort] * (4 * embedded[model] + REPRESENTED_BYTES)
    for name in judged - {*represented}:
        # Of cohorts that a model was trained on, only the test part is judged.
        share = config["split"]["test"] if name in trained else 1
        total += int(spots[name] * TABLE_BYTES * share)
    screen = config["screen"]
    for cohort in screen["cohorts"]:
        contexts = 1
        if screen["context"] in run.sheets[cohort]:
            contexts = run.sheets[cohort][screen["context"]].nunique()
        for name in run.chapter_models("screen"):
            responses = n_genes * SCREEN_BYTES + 2 * 4 * embedded[name]
            total += int(contexts * n_genes * responses)
    return total


def disk_checks(needs: Sequence[Need]) -> list[Check]:
    """Say what each stage needs, and check that each disk has room for what does not exist yet.

    The needs of stages with folders on the same disk are added.
    """
    checks = []
    missing: dict[int, int] = {}
    names: dict[int, Path] = {}
    for need in needs:
        folder = _existing(Path(need.folder))
        there = folder_size(Path(need.folder)) if need.stage in ("downloads", "samples") else 0
        checks.append(
            Check(f"disk, {need.stage}", f"about {_words(need.size)} in {need.folder}, at most")
        )
        disk = folder.stat().st_dev
        missing[disk] = missing.get(disk, 0) + max(0, need.size - there)
        names.setdefault(disk, folder)
    for disk, size in missing.items():
        free = shutil.disk_usage(names[disk]).free
        short = free < size
        checks.append(
            Check(
                f"disk, free at {names[disk]}",
                f"{_words(free)}, of which about {_words(size)} will be taken",
                "free some, or move `results` or `downloads` in the config to a larger disk"
                if short
                else "",
            )
        )
    return checks


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder, without following links; 0 if it is missing."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


def _existing(folder: Path) -> Path:
    """Return the folder, or its nearest parent that exists."""
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


def _words(size: float) -> str:
    """Format a number of bytes in words, in powers of 1000."""
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:.3g} TB"
