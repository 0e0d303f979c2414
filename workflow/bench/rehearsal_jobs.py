"""What a rehearsal's jobs requested and used, and what the full run's jobs would use.

A rule's memory and disk are assumed to grow linearly with the spots of a job. The line has the
least-squares slope over all jobs of all rehearsals. For memory it lies above every job.
"""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bench.measured import end_with_parent
from sagefm.common.io import read_table
from sagefm.config.run import UNKNOWN_SPOTS
from sagefm.representations.catalogue import REGISTERED

PLAN, PLANNED = "plan.smk", "plan.json"

SNAKEFILE = f"""\
include: "Snakefile"

import atexit
import json


def write_plan():
    jobs = [
        {{
            "rule": job.rule.name,
            "wildcards": dict(job.wildcards_dict),
            "threads": int(job.threads),
            "asked_mb": job.resources.get("mem_mb"),
            "outputs": [str(path) for path in job.output],
            "benchmark": str(job.benchmark or ""),
        }}
        for job in workflow.dag.jobs
        if job.output
    ]
    with open("{PLANNED}", "w") as file:
        json.dump(jobs, file)


atexit.register(write_plan)
"""
"""A Snakefile around the workflow: a dry run of its target `all` writes a list of the jobs."""

SNAKEMAKES_MB = 340
"""Memory that a cluster job uses for Snakemake, in addition to its script."""

FLOOR_MB = 2_000
"""A request up to this size never counts as too large."""

REACH = 100
"""Lines are extrapolated to at most this multiple of the largest rehearsed number of spots."""


PREDICTED = (
    *("rule", "jobs", "spots", "sizes", "reach", "asked_mb", "predicted_mb", "times", "request"),
    "written_gb",
)
"""Columns of `predicted`."""


def plan(folder: Path, configs: Iterable[str]) -> list[dict]:
    """List all jobs that write in a working directory: rule, wildcards, threads, asked_mb, files.

    Raises
    ------
    RuntimeError
        If the dry run fails.
    """
    (folder / PLAN).write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--snakefile", PLAN, "-n", "--quiet", "all"]
    done = subprocess.run(
        [*command, "--forceall", "--configfile", *configs, "--", "all"],
        cwd=folder,
        capture_output=True,
        text=True,
        preexec_fn=end_with_parent,
    )
    (folder / PLAN).unlink()
    if done.returncode:
        raise RuntimeError(f"the dry run failed:\n{done.stdout}\n{done.stderr}")
    return json.loads((folder / PLANNED).read_text())


def name_of(job: Mapping) -> str:
    """Name of a job: its rule, and what its memory differs by.

    That is a representation's method, or for later jobs whether all genes are its features.
    """
    method, of = (job["wildcards"].get(key, "") for key in ("method", "representation"))
    wide = of if REGISTERED.has_all_genes(of) else ""
    return " ".join(filter(None, [job["rule"], method, wide]))


def spots_of(jobs: Iterable[Mapping], config: Mapping, folder: Path) -> list[int]:
    """Return the spots of each job: those of its section, its cohort, or its model's training set.

    The number is 0 for any other job. Sheets are read from a working directory. A section without a
    number counts as a full array, as in the workflow. `config` is the paper's.
    """
    sections = {}
    for name, cohort in config["cohorts"].items():
        sheet = read_table(folder / cohort["samples"], dtype={"sample": str})
        known = sheet.reindex(columns=["sample", "expected_spots"]).fillna(UNKNOWN_SPOTS)
        sections[name] = known.set_index("sample")["expected_spots"]

    def spots(wildcards: Mapping[str, str]) -> int:
        if "sample" in wildcards:
            return int(sections[wildcards["cohort"]][wildcards["sample"]])
        if "cohort" in wildcards:
            return int(sections[wildcards["cohort"]].sum())
        if "task" in wildcards:
            return int(sections[config["tasks"][wildcards["task"]]["cohort"]].sum())
        if "model" in wildcards:
            on = config["models"][wildcards["model"]]["pretrain_on"]
            return int(sum(sections[cohort].sum() for cohort in on))
        return 0

    return [spots(job["wildcards"]) for job in jobs]


def measured_jobs(folder: Path, jobs: list[dict], spots: list[int]) -> pd.DataFrame:
    """One row per job: rule, spots, threads, asked_mb, used_mb, seconds, written_mb, finished.

    `used_mb` and `seconds` are missing if a rule has no benchmark or did not finish.
    """
    rows = []
    for job, about in zip(jobs, spots, strict=True):
        outputs = [folder / path for path in job["outputs"]]
        there = [path for path in outputs if path.exists()]
        path = folder / job["benchmark"]
        ran = read_table(path).iloc[0] if job["benchmark"] and path.exists() else {}
        rows.append(
            {
                "rule": name_of(job),
                "spots": about,
                "threads": job["threads"],
                "asked_mb": job["asked_mb"],
                # Shorter jobs end before Snakemake measures them.
                "used_mb": pd.to_numeric(ran.get("max_rss"), errors="coerce"),
                "seconds": pd.to_numeric(ran.get("s"), errors="coerce"),
                "written_mb": sum(path.stat().st_size for path in there) / 1e6,
                "finished": len(there) == len(outputs),
            }
        )
    return pd.DataFrame(rows)


def troubles(printed: str) -> tuple[Counter, Counter]:
    """Count failures and retries of each rule in Snakemake's output."""
    failures: Counter = Counter()
    retries: Counter = Counter()
    rules: dict[str, str] = {}
    rule = ""
    for line in printed.splitlines():
        if found := re.match(r"\s*Error in (?:local ?)?rule (\w+)", line):
            rule = found[1]
            failures[rule] += 1
        elif found := re.match(r"\s+jobid: (\d+)", line):
            rules[found[1]] = rule
        elif found := re.match(r"Trying to restart job (\d+)", line):
            retries[rules.get(found[1], rule)] += 1
    return failures, retries


def by_rule(jobs: pd.DataFrame, failures: Mapping, retries: Mapping) -> pd.DataFrame:
    """Summarise a rehearsal's jobs by rule, in the plan's order, with all of them as `total`."""
    rows = []
    for rule, own in [*jobs.groupby("rule", sort=False), ("total", jobs)]:
        total, ran = own is jobs, own["seconds"].dropna()
        rows.append(
            {
                "rule": rule,
                "jobs": len(own),
                "unfinished": int((~own["finished"]).sum()),
                "threads": own["threads"].max(),
                "asked_mb": own["asked_mb"].max(),
                "used_mb": own["used_mb"].max(),
                "seconds_median": ran.median() if len(ran) else np.nan,
                "seconds_max": ran.max(),
                "seconds_sum": ran.sum(),
                "written_mb": own["written_mb"].sum(),
                "failures": sum(failures.values()) if total else failures.get(rule, 0),
                "retries": sum(retries.values()) if total else retries.get(rule, 0),
            }
        )
    return pd.DataFrame(rows)


def line_of(spots: np.ndarray, values: np.ndarray, *, above: bool) -> tuple[float, float]:
    """Fit a line of values against spots and return intercept and slope (at least 0).

    If all values are at one size, the slope is 0. With `above`, no value is above the line.
    """
    apart = spots - spots.mean()
    slope = 0.0
    if (apart**2).sum() > 0:
        slope = max(float(apart @ values / (apart @ apart)), 0.0)
    rest = values - slope * spots
    return float(rest.max() if above else rest.mean()), slope


def predicted(rehearsed: pd.DataFrame, full: pd.DataFrame) -> pd.DataFrame:
    """Predict what each rule of the full run would use, and compare it with what it requests.

    Parameters
    ----------
    rehearsed
        Jobs of one or more rehearsals; see `measured_jobs`.
    full
        Jobs of the full run: rule, spots, asked_mb.

    Returns
    -------
    DataFrame
        rule, jobs, spots (of the largest job), sizes (how many different numbers of spots were
        rehearsed), reach (spots over the largest rehearsed number), asked_mb, predicted_mb (the
        script and the Snakemake processes around it), times (requested over predicted), request
        (`ok`, `twice`: more than twice and above the floor, `less`), written_gb. Memory is not
        predicted for a job larger than any rehearsed if only one size was rehearsed or the job is
        beyond `REACH`.
    """
    rows = []
    for rule, own in full.groupby("rule", sort=False):
        seen = rehearsed[(rehearsed["rule"] == rule) & rehearsed["finished"]]
        used = seen.dropna(subset=["used_mb"])
        row = {"rule": rule, "jobs": len(own), "spots": own["spots"].max()}
        row |= {"sizes": used["spots"].nunique(), "asked_mb": own["asked_mb"].max()}
        row["reach"] = row["spots"] / max(used["spots"].max(), 1) if len(used) else np.nan
        if row["reach"] <= (REACH if row["sizes"] > 1 else 1):
            start, slope = line_of(*_columns(used, "used_mb"), above=True)
            needs = start + slope * own["spots"] + SNAKEMAKES_MB
            times = (own["asked_mb"] / needs).to_numpy()
            row |= {"predicted_mb": needs.max(), "times": times.min()}
            twice = times.min() > 2 and own["asked_mb"].max() > FLOOR_MB
            row["request"] = "less" if times.min() < 1 else "twice" if twice else "ok"
        if len(seen):
            start, slope = line_of(*_columns(seen, "written_mb"), above=False)
            row["written_gb"] = float((start + slope * own["spots"]).clip(lower=0).sum()) / 1000
        rows.append(row)
    return pd.DataFrame(rows, columns=PREDICTED)


def _columns(jobs: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    return jobs["spots"].to_numpy(float), jobs[name].to_numpy(float)
