"""The first job of every rule is killed with SIGKILL, some with the whole run: same results."""

import json
import os
import shutil
from pathlib import Path

import pytest

from sagefm.common.io import read_table
from support import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

POWER_CUTS = (
    *("ingest", "graph", "pretrain", "represent", "recovery", "imputation"),
    *("cluster", "annotation_scores", "perturbation_tables", "screen", "report_zip"),
)
"""A rule of each chapter at which all goes down; at the others the job alone."""
NOT_RESULTS = {"logs", "benchmarks", "imputed", "explore"}
"""What a run leaves beside its results, and what other tests ask of the undisturbed one."""
COSTS = {
    *("seconds", "spots_per_second", "fit_seconds", "representation_seconds", "training_seconds"),
    *("peak_mib", "core_hours"),
}
"""Columns and keys of what a job took."""
TELL_COSTS = {"best.pt", "last.pt", "report.zip", "scoreboard.html", "index.html", "summary.html"}
"""Files with such numbers in them that are no tables; figures of a training are others."""
VIEWERS = "sections"
"""Folder of pages in which Bokeh names each document anew."""


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory) -> tuple[Path, list[int]]:
    """The folder of a run that was started until it was through, and the exit statuses."""
    folder = runs.prepare(tmp_path_factory.mktemp("killed") / "run")
    shutil.copy(runs.REPO / "tests/support/kill_once.py", folder / "workflow/sitecustomize.py")
    (folder / "killed").mkdir()
    more = {"KILLED": str(folder / "killed"), "POWER_CUTS": " ".join(POWER_CUTS)}
    statuses = []
    while len(statuses) <= len(POWER_CUTS):
        # A job alone is tried again at once; the lock that a power cut leaves is passed over.
        done = runs.snakemake(
            folder, "--retries", "1", "--nolock", env=os.environ | more, start_new_session=True
        )
        statuses.append(done.returncode)
        if done.returncode != -9:
            break
    assert done.returncode == 0, done.stdout
    return folder, statuses


def results_of(folder: Path) -> dict[str, Path]:
    """Every result of a run by its path in it, leftovers of killed jobs among them."""
    root = folder / "results"
    found = {path.relative_to(root): path for path in root.rglob("*") if path.is_file()}
    return {str(n): p for n, p in found.items() if not NOT_RESULTS & set(n.parts[:2])}


def test_every_rule_was_killed_once(disturbed):
    folder, statuses = disturbed
    logs = folder / "results/small/logs"
    rules = {path.relative_to(logs).with_suffix("").parts[0] for path in logs.rglob("*.log")}
    assert {path.name for path in (folder / "killed").iterdir()} == rules
    assert len(rules) > 50 and set(POWER_CUTS) <= rules
    assert statuses.count(-9) > len(POWER_CUTS) // 2  # two may fall together


def test_nothing_is_left_over_and_nothing_lacks(run, disturbed):
    assert set(results_of(disturbed[0])) == set(results_of(run))


def test_all_but_costs_is_equal_to_the_byte(run, disturbed):
    own, undisturbed = results_of(disturbed[0]), results_of(run)
    same = 0
    for name, path in own.items():
        if path.read_bytes() == undisturbed[name].read_bytes():
            same += 1
        elif path.suffix == ".json":
            one, two = (json.loads(p.read_text()) for p in (path, undisturbed[name]))
            assert {k: v for k, v in one.items() if k not in COSTS} == {
                k: v for k, v in two.items() if k not in COSTS
            }, name
        elif path.name in ("scoreboard.tsv", "pretraining.tsv"):
            one, two = (read_table(p, dtype=str) for p in (path, undisturbed[name]))
            differ = (one != two).any(axis=1)
            assert differ.sum() == 1 and one.loc[differ, "obtained"].item().endswith("ms a spot")
        elif path.suffix == ".tsv":
            one, two = (read_table(p, dtype=str).fillna("") for p in (path, undisturbed[name]))
            assert list(one) == list(two) and COSTS & set(one), name
            kept = [column for column in one if column not in COSTS]
            assert one[kept].equals(two[kept]), name
        else:
            told = path.name in TELL_COSTS or path.name.startswith("training_")
            assert told or path.parent.name == VIEWERS, name
    assert same > 0.85 * len(own)
