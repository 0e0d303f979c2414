"""Rehearse the full run: its sheets, chapters and downloads, with generated sections.

The services are stand-ins on this machine. Jobs run here, or on a SLURM cluster started for the
purpose, in a folder of results/rehearsals. A rehearsal stopped after its downloads resumes where it
was. Tables of all existing rehearsals, finished or not, are written to results/bench:
rehearsal.tsv, and the prediction for the full run, rehearsal_full.tsv.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import yaml

from bench.dry_run import CONFIG, REPO, place_inputs
from bench.machine import busy_now, this_machine
from bench.measured import run_group
from bench.rehearsal_data import OVERLAY, OWN, prepare
from bench.rehearsal_jobs import (
    PLANNED,
    by_rule,
    measured_jobs,
    name_of,
    plan,
    predicted,
    spots_of,
    troubles,
)
from bench.slurm import Cluster
from bench.stand_ins import serving
from sagefm.common.io import write_table
from sagefm.common.texts import read_text

RESULTS, REHEARSALS = REPO / "results/bench", REPO / "results/rehearsals"
CONFIGS = (CONFIG, OVERLAY, OWN)
ABOUT, PRINTED = "rehearsal.json", "printed.log"
"""Files of a working directory: what is rehearsed, where and since when; and Snakemake's output."""

SLURM = (
    *("--workflow-profile", "profiles/slurm", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "20"),
)
"""Snakemake's options on a cluster without other users."""


def run(folder: Path, environment: dict[str, str], cores: int, executor: str) -> int:
    """Run the workflow in a prepared working directory and return Snakemake's exit status.

    Its output is appended to `printed.log`.
    """
    command = [sys.executable, "-m", "snakemake", "--configfile", *CONFIGS]
    with ExitStack() as stack:
        if executor == "slurm":
            scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="sagefm-slurm-"))
            environment = environment | stack.enter_context(Cluster(Path(scratch))).environment
            command += SLURM
        else:
            command += ["--cores", str(cores)]
        log = stack.enter_context((folder / PRINTED).open("a"))
        return run_group(
            command,
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )


def rehearse(folder: Path, sections: int, share: float, cores: int, executor: str) -> bool:
    """Prepare a working directory if necessary and run it; return whether Snakemake succeeded."""
    with serving() as services:
        if (folder / ABOUT).exists():
            # A killed Snakemake leaves its lock.
            shutil.rmtree(folder / ".snakemake/locks", ignore_errors=True)
            skip_pause(folder)
        else:
            folder.mkdir(parents=True)
            prepare(folder, services, sections, share)
            plan(folder, CONFIGS)
            machine = "; ".join(filter(None, [this_machine(), busy_now()]))
            about = {"executor": executor, "sections": sections, "share": share}
            about |= {"machine": machine, "started": time.time()}
            (folder / ABOUT).write_text(json.dumps(about))
        return run(folder, os.environ | services.environment(), cores, executor) == 0


def skip_pause(folder: Path) -> None:
    """Move a stopped rehearsal's start later, by the time since its last output."""
    printed, about = folder / PRINTED, json.loads((folder / ABOUT).read_text())
    last = printed.stat().st_mtime if printed.exists() else about["started"]
    about["started"] += time.time() - last
    (folder / ABOUT).write_text(json.dumps(about))
    printed.touch()


def measure(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the jobs of a rehearsal, finished or not, and a table by rule."""
    jobs = json.loads((folder / PLANNED).read_text())
    paper = yaml.safe_load(read_text(REPO / CONFIG))
    table = measured_jobs(folder, jobs, spots_of(jobs, paper, folder))
    printed = folder / PRINTED
    about = json.loads((folder / ABOUT).read_text())
    about["minutes"] = (printed.stat().st_mtime - about.pop("started")) / 60
    return table, by_rule(table, *troubles(printed.read_text())).assign(**about)


def full_run() -> pd.DataFrame:
    """Return the jobs of the full run: rule, spots, asked_mb."""
    paper = yaml.safe_load(read_text(REPO / CONFIG))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        place_inputs(folder)
        jobs = plan(folder, [CONFIG])
        table = pd.DataFrame(jobs)[["asked_mb"]]
        return table.assign(rule=[*map(name_of, jobs)], spots=spots_of(jobs, paper, folder))


def write_tables() -> pd.DataFrame:
    """Write the tables of all existing rehearsals and return the prediction."""
    folders = sorted(path.parent for path in REHEARSALS.glob(f"*/{PRINTED}"))
    jobs, rules = zip(*map(measure, folders), strict=True)
    write_table(pd.concat(rules, ignore_index=True), RESULTS / "rehearsal.tsv")
    found = predicted(pd.concat(jobs, ignore_index=True), full_run())
    write_table(found, RESULTS / "rehearsal_full.tsv")
    return found


def main() -> None:
    """Run the rehearsal and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", type=int, default=416, help="sections of the largest cohort")
    parser.add_argument("--share", type=float, default=0.1, help="share of each section's spots")
    parser.add_argument("--executor", choices=("local", "slurm"), default="local")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores of this machine")
    parser.add_argument("--tables", action="store_true", help="only write the tables")
    options = parser.parse_args()
    # As with Ctrl+C, so that the cluster's daemons are stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    finished = True
    if not options.tables:
        percent = round(100 * options.share)
        name = f"{options.executor}-{options.sections}-{percent}"
        folder = REHEARSALS / name
        finished = rehearse(
            folder, options.sections, options.share, options.cores, options.executor
        )
    found = write_tables()
    shown = found[found["request"].isin(["less", "twice"])]
    print(shown.to_string(index=False) if len(shown) else "all requests are adequate")
    if not finished:
        sys.exit(f"the rehearsal failed: see {folder / PRINTED}")


if __name__ == "__main__":
    main()
