"""The rehearsal of the full run: its sheets and services, and the table of its jobs."""

import json
import os
import time

import numpy as np
import pandas as pd
import pytest
import yaml

from bench import rehearsal, rehearsal_data
from bench.rehearsal import CONFIGS
from bench.rehearsal_data import OVERLAY, prepare, smaller_sheet
from bench.rehearsal_jobs import (
    SNAKEMAKES_MB,
    by_rule,
    line_of,
    measured_jobs,
    plan,
    predicted,
    spots_of,
    troubles,
)
from bench.stand_ins import serving
from sagefm.common.io import read_table, write_table
from sagefm.representations.registry import held_bytes

PRINTED = """\
[Mon Nov 30 01:00:00 2026]
Error in rule embed:
    jobid: 12
    input: one.h5ad
Trying to restart job 12.
Error in rule embed:
    jobid: 12
Error in local rule fetch:
    jobid: 3
Trying to restart job 3.
"""


def test_sheets_are_smaller_and_every_size_is_among_them():
    hest, opscc = (smaller_sheet(name, 12, 0.1) for name in ("hest", "opscc"))
    whole = smaller_sheet("hest", 416, 1)
    assert (len(hest), len(opscc), len(whole)) == (12, 4, 416)
    assert whole["expected_spots"].sum() == 981_074
    assert hest["expected_spots"].sum() == pytest.approx(0.1 * 981_074 * 12 / 416, rel=0.1)
    assert hest["expected_spots"].is_monotonic_increasing
    assert (opscc["expected_spots"] == 499).all()  # a tenth of an array, as they do not say
    assert len(smaller_sheet("gbm", 416, 1)) == 20
    assert (smaller_sheet("hest", 12, 0.001)["expected_spots"] == 40).all()


def test_the_overlay_changes_how_much_is_done_and_no_chapter(repo):
    overlay, paper = (
        yaml.safe_load((repo / path).read_text()) for path in (OVERLAY, "config/paper.yaml")
    )
    assert overlay.keys() <= paper.keys()
    assert overlay["models"].keys() == paper["models"].keys()
    for chapter, entry in overlay.items():
        if chapter != "run":
            assert "cohorts" not in entry and "models" not in entry, chapter


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_services_have_all_that_the_plan_fetches(tmp_path, monkeypatch, repo):
    monkeypatch.setattr(rehearsal_data, "WIDTHS", (8, 4, 4, 4, 8))
    with serving() as services:
        prepare(tmp_path, services, sections=4, share=0.05)
        jobs = plan(tmp_path, CONFIGS)
    wanted = {job["wildcards"]["file"] for job in jobs if job["rule"] == "fetch"}
    assert len(wanted) == 4 + 3 * 4 + 1 + 1 + 1 + 1
    given = set()
    for source, name in services.files:
        kind = {"hub": "hest", "git": "git_lfs", "web": "url"}.get(source, source)
        given.add(f"{kind}/{name}")
    for kind in ("hest", "geo", "figshare", "dryad"):
        own = {name for name in wanted if name.startswith(f"{kind}/")}
        assert own and own <= given, kind
    paper = yaml.safe_load((repo / "config/paper.yaml").read_text())
    spots = spots_of(jobs, paper, tmp_path)
    about = {
        (job["rule"], job["wildcards"].get("cohort")): n for job, n in zip(jobs, spots, strict=True)
    }
    sheet = read_table(tmp_path / "config/samples/hest.tsv")
    assert about["qc_table", "hest"] == sheet["expected_spots"].sum()
    assert about["report_zip", None] == 0
    wildcards = {"method": "banksy", "cohort": "opscc", "genes": "all-genes"}
    (job,) = (job for job in jobs if job["wildcards"] == wildcards)
    held = held_bytes("banksy", {}, about["represent", "opscc"], genes=14_558)
    assert job["asked_mb"] == round(2000 + held / 1e6) > 2100
    for rule in ("cluster", "annotate"):  # a representation of all genes asks for more
        asked = {
            job["wildcards"]["representation"]: job["asked_mb"]
            for job in jobs
            if job["rule"] == rule and "opscc" in job["wildcards"].values()
        }
        assert asked["raw"] > asked["pca"] == asked["sagefm-paper"] == asked["banksy"]
    assert {"pretrain", "annotate", "conformance", "screen"} <= {job["rule"] for job in jobs}


def test_a_job_is_measured_by_its_benchmark_and_outputs(tmp_path):
    write_table(pd.DataFrame({"s": [3.0], "max_rss": [512.5]}), tmp_path / "one.tsv")
    (tmp_path / "out").write_bytes(b"x" * 2_000_000)
    jobs = [
        {"rule": "a", "threads": 1, "asked_mb": 1000, "outputs": ["out"], "benchmark": "one.tsv"},
        {"rule": "b", "threads": 2, "asked_mb": 500, "outputs": ["none"], "benchmark": ""},
    ]
    jobs[0]["wildcards"], jobs[1]["wildcards"] = {"cohort": "x", "method": "pca"}, {}
    done, other = measured_jobs(tmp_path, jobs, [7, 0]).to_dict("records")
    assert done["used_mb"] == 512.5 and done["seconds"] == 3 and done["finished"]
    assert done["written_mb"] == 2 and done["spots"] == 7
    assert (done["rule"], other["rule"]) == ("a pca", "b")
    assert np.isnan(other["used_mb"]) and not other["finished"]


@pytest.mark.parametrize("minutes", [0, 2])
def test_pauses_do_not_count(tmp_path, minutes):
    """It ran for some minutes, or ended before Snakemake started, and was then stopped for 15."""
    now, printed = time.time(), tmp_path / rehearsal.PRINTED
    (tmp_path / rehearsal.ABOUT).write_text(json.dumps({"started": now - (15 + minutes) * 60}))
    if minutes:
        printed.touch()
        os.utime(printed, (now - 15 * 60,) * 2)
    for _ in range(2):  # a second start without any output
        rehearsal.skip_pause(tmp_path)
        started = json.loads((tmp_path / rehearsal.ABOUT).read_text())["started"]
        assert printed.stat().st_mtime - started == pytest.approx(minutes * 60, abs=5)


def test_failures_and_attempts_are_counted_by_rule():
    failures, retries = troubles(PRINTED)
    assert failures == {"embed": 2, "fetch": 1}
    assert retries == {"embed": 1, "fetch": 1}


JOBS = pd.DataFrame(
    {
        "rule": ["a", "a", "b"],
        "spots": [100, 300, 0],
        "threads": [1, 2, 1],
        "asked_mb": [1000, 1000, 5000],
        "used_mb": [200.0, 300.0, 660.0],
        "seconds": [1.0, 3.0, 5.0],
        "written_mb": [10.0, 30.0, 1.0],
        "finished": True,
    }
)


def test_rules_are_summed_up_and_all_of_them_too():
    table = by_rule(JOBS, {"a": 2}, {"a": 1}).set_index("rule")
    assert table.loc["a", ["jobs", "threads", "used_mb", "seconds_median"]].tolist() == [
        2,
        2,
        300,
        2,
    ]
    assert table.loc["total", ["jobs", "seconds_sum", "written_mb"]].tolist() == [3, 9, 41]
    assert table["failures"].tolist() == [2, 0, 2] and table["retries"].tolist() == [1, 0, 1]


def test_a_line_lies_above_all_that_was_seen():
    spots, values = np.array([0.0, 10, 20]), np.array([1.0, 4, 3])
    start, slope = line_of(spots, values, above=True)
    assert slope == pytest.approx(0.1) and start == pytest.approx(3)
    assert line_of(spots, -values, above=False) == (pytest.approx(-8 / 3), 0)
    assert line_of(np.ones(2), np.array([5.0, 7]), above=True) == (7, 0)


@pytest.mark.parametrize(
    ("asked", "verdict"), [(980, "less"), (1_000, "ok"), (1_995, "ok"), (2_100, "twice")]
)
def test_requests_are_held_against_the_line_at_the_full_runs_spots(asked, verdict):
    """650 MB at 1,000 spots, and Snakemake's own; a small request is never too much."""
    full = pd.DataFrame({"rule": ["a"] * 2, "spots": [500, 1000], "asked_mb": [asked] * 2})
    (row,) = predicted(JOBS, full).to_dict("records")
    assert row["predicted_mb"] == pytest.approx(650 + SNAKEMAKES_MB)
    assert row["written_gb"] == pytest.approx(0.15)
    assert row["request"] == verdict


def test_a_rule_that_was_not_seen_or_at_far_smaller_sizes_alone_is_not_judged():
    full = pd.DataFrame({"rule": ["a", "b", "c"], "spots": [30_001, 1, 0], "asked_mb": [9_000] * 3})
    table = predicted(JOBS, full)
    assert table["sizes"].tolist() == [2, 1, 0] and table["reach"].iloc[0] > 100
    assert table["request"].isna().tolist() == [True, False, True]
    unlike = full.assign(spots=[30_000, 2, 0])
    assert predicted(JOBS, unlike)["request"].isna().tolist() == [False, True, True]
