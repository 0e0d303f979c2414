"""Time that Snakemake takes to plan the paper's run: 416 samples, with no files downloaded."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml

from bench.measured import children_seconds, end_with_parent
from bench.table import Table

REPO = Path(__file__).resolve().parents[2]
CONFIG = "config/paper.yaml"
LINKED = ("Snakefile", "CITATION.cff", "workflow", "config", "resources", "envs", "profiles")
"""Files of the repository that a run reads."""


def place_inputs(folder: Path) -> None:
    """Link the workflow into a folder and create empty files where sheets and config name some."""
    for name in LINKED:
        (folder / name).symlink_to(REPO / name)
    config = yaml.safe_load((REPO / CONFIG).read_text())
    named = [model.get("released", {}).get("path") for model in config["models"].values()]
    for cohort in config["cohorts"].values():
        named.append(cohort.get("labels"))
        sheet = pd.read_csv(REPO / cohort["samples"], sep="\t", dtype=str, keep_default_na=False)
        for column in {"path_or_id", "positions"} & set(sheet):
            named.extend(sheet[column])
    for path in filter(None, named):
        place = folder / path
        if place.suffix:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        else:
            place.mkdir(parents=True, exist_ok=True)


def dry_run(folder: Path) -> tuple[float, float]:
    """Return wall-clock and processor seconds of `snakemake -n` in a folder of `place_inputs`.

    Raises
    ------
    RuntimeError
        If the dry run fails.
    """
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all", "--configfile", CONFIG]
    start, before = time.perf_counter(), children_seconds()
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, preexec_fn=end_with_parent
    )
    seconds, busy = time.perf_counter() - start, children_seconds() - before
    if done.returncode:
        raise RuntimeError(f"the dry run failed:\n{done.stdout}\n{done.stderr}")
    return seconds, busy


def measure_dry_run(table: Table) -> None:
    """Add the row for planning the paper's run."""
    with tempfile.TemporaryDirectory() as folder:
        place_inputs(Path(folder))
        seconds, busy = min(dry_run(Path(folder)) for _ in range(2))
    detail = f"{CONFIG}, the better of two; {busy:.1f} s of processor time"
    table.add("dryrun_416_s", seconds, "s", detail)
