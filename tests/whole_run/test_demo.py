"""`make demo` as a newcomer runs it, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import h5py
import pandas as pd
import pytest

from sagefm.common.io import read_table

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

DENSE_BYTES = 15 * 14_558 * 4
"""A spot's neighbourhood as the released pipeline stores it: 15 dense float32 rows."""


def make(folder: Path, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=timeout,
    )


@pytest.fixture(scope="module")
def demo(repo, tmp_path_factory) -> tuple[Path, str]:
    """A copy of the repository with the environment that is there, and what it said."""
    folder = tmp_path_factory.mktemp("demo") / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=repo,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (repo / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repo / name, folder / name)
    (folder / ".venv").symlink_to(repo / ".venv")
    # The environment is another's: it is used here, never built.
    assert "-m venv" not in make(folder, "--dry-run", "env").stdout
    start = time.monotonic()
    done = make(folder, "demo", timeout=3300)
    print(f"\nmake demo took {time.monotonic() - start:.0f} s")
    assert done.returncode == 0, done.stdout[-10_000:]
    return folder, done.stdout


@pytest.fixture(scope="module")
def results(demo) -> Path:
    return demo[0] / "results/demo"


def test_the_scoreboard_is_printed_at_the_end(demo, results):
    board = read_table(results / "scoreboard.tsv", dtype=str)
    ran, end = re.split(r"\n(?=\d+ of \d+ steps in )", demo[1])
    assert "failed" not in ran
    judged = board[board["score"] != "-"]
    assert [claim[0] for claim in judged["claim"]] == list("23456")
    for row in judged.to_dict("records"):
        assert end.count(f"\n{row['plain']}\n    the paper:         {row['reported']}\n") == 1
        assert f"\n    this run:          {row['score']} (model {row['model']})\n" in end
        assert f"\n    best alternative:  {row['alternative']}\n" in end
    assert "results/demo/index.html" in end and (results / "index.html").is_file()
    assert "results/demo/scoreboard.tsv" in end
    assert "results/demo/report.zip" in end


def test_the_console_is_left_to_what_is_run(demo):
    assert "Reason:" not in demo[1]
    assert len(demo[1]) < 40_000
    assert re.search(r"^\d+ steps on \d+ cores: about ", demo[1], re.M)
    assert "Reading breast/SPA148" in demo[1]  # each job names what it works on


def test_the_report_is_whole(results):
    with zipfile.ZipFile(results / "report.zip") as archive:
        assert archive.testzip() is None
        content = {archive.read(name) for name in archive.namelist() if "/data/" in name}
    figures = [*(results / "figures").glob("*.png"), results / "figures/scoreboard.html"]
    assert len(figures) > 5
    for path in figures:
        assert path.read_bytes() in content, path.name


def test_recovery_holds_numbers_beside_its_baselines(demo, results):
    board = read_table(results / "scoreboard.tsv", dtype=str)
    row = board[board["claim"].str.startswith("2 ")].iloc[0]
    assert (row["model"], row["verdict"], row["outcome"]) == ("paper", "proxy", "undecided")
    assert "after 5 epochs" in row["reason"]
    assert 0 < float(row["obtained"].split("%")[0]) <= 100
    assert {"neighbour mean", "depth of the visible genes"} <= {
        re.sub(r" [\d.]+%.*", "", part) for part in row["baseline"].split(", ")
    }
    assert (results / row["evidence"]).is_file()
    for path in (results / "recovery").rglob("summary.tsv"):
        table = read_table(path)
        whole = table[table["stratum_kind"] == "all"].set_index("predictor")
        baselines = {"neighbour_mean", "sample_gene_mean", "gene_mean", "zero"}
        controls = {"visible_depth", "neighbour_depth", "random"}
        assert set(whole.index) == {"model", *baselines, *controls}
        shares = ["recovered_shared", "recovered_bh", "recovered_within_p05", "share_given_depth"]
        assert whole[shares].notna().all(axis=None)
        # A control is no expression: it has no error.
        errors = whole[["mse", "r2_spot_mean"]]
        assert errors.drop(index=[*controls]).notna().all(axis=None)
        assert errors.loc[[*controls]].isna().all(axis=None)
        assert whole.loc["model", "mse"] < whole.loc["zero", "mse"]
        assert whole.loc["model", "n_genes"] == 14_558


def test_the_comparative_claims_are_filled(results):
    board = read_table(results / "scoreboard.tsv", dtype=str)
    board = board.set_index(board["claim"].str[0])
    for number in ("3", "4", "5"):
        row = board.loc[number]
        assert row["verdict"] == "proxy"
        assert "MOFA" in row["baseline"]
        assert (results / row["evidence"]).is_file()
    for number in ("4", "5"):
        accuracy = float(board.loc[number, "obtained"].split("%")[0])
        assert 0 < accuracy < 100
        assert "majority class" in board.loc[number, "baseline"]
        assert "patients seen in pretraining" in board.loc[number, "n"]
    # Derived compartments are no subtypes of glioblastoma, and the row says so.
    assert "not on the paper's data" in board.loc["5", "reason"]
    assert "withheld" in board.loc["5", "reason"]


def test_perturbation_stands_beside_its_controls(results):
    board = read_table(results / "scoreboard.tsv", dtype=str)
    row = board[board["claim"].str.startswith("6 ")].iloc[0]
    assert row["verdict"] == "proxy"
    assert "genes of similar expression" in row["baseline"] and "co-expression" in row["baseline"]
    for other in ("the table's other outputs", "the reverse experiment", "co-expression in AUROC"):
        assert f"against {other}" in row["reason"]
    folder = (results / row["evidence"]).parent
    pairs = read_table(folder / "pairs.tsv")
    assert len(pairs) > 1000
    assert pairs[["slope", "slope_unmatched", "coexpression_pooled"]].notna().mean().min() > 0.95
    scores = read_table(results / "screen/paper/breast/scores.tsv")
    assert set(scores["truth"]) == {"ligand_receptor", "hallmark"}
    assert scores["auroc"].between(0, 1).all()


def test_imputation_stands_beside_the_genes_means(results):
    for model in ("paper", "light"):
        table = read_table(results / f"imputation/{model}/breast/summary.tsv")
        assert set(table["share"]) == {0.1, 0.3, 0.5, 0.7, 0.9}
        mse = table[table["metric"] == "mse"].set_index(["setting", "share", "predictor"])["mean"]
        few = mse["systematic"][0.1]
        assert few["model"] < few["zero"] and few["gene_mean"] < few["zero"]
        for share in (0.1, 0.5, 0.9):  # a spot's depth says more than nothing
            own = mse["systematic"][share]
            assert own["gene_mean_depth"] < own["gene_mean"]


def test_no_job_needs_more_than_four_gigabytes(results):
    peaks = {
        str(path.relative_to(results / "benchmarks")): pd.read_csv(path, sep="\t")["max_rss"].max()
        for path in (results / "benchmarks").rglob("*.tsv")
    }
    assert len(peaks) > 50
    heaviest = max(peaks, key=lambda name: peaks[name] if peaks[name] > 0 else 0)
    print(f"\nheaviest job: {heaviest}, {peaks[heaviest]:.0f} MB")
    assert peaks[heaviest] < 4000


def test_sections_are_compact(results):
    spots, size = 0, 0
    for path in (results / "samples").rglob("*.h5ad"):
        with h5py.File(path) as file:
            spots += int(file["X"].attrs["shape"][0])
        size += path.stat().st_size
    size += sum(path.stat().st_size for path in (results / "graphs").rglob("*.npz"))
    print(f"\n{size / spots:.0f} bytes a spot, of {DENSE_BYTES}")
    assert size / spots <= DENSE_BYTES / 100


def test_every_sample_of_the_sheets_is_there(demo, results):
    for cohort in ("atlas", "breast", "visium"):
        sheet = pd.read_csv(demo[0] / f"config/samples/{cohort}.tsv", sep="\t", dtype=str)
        found = {path.stem for path in (results / f"samples/{cohort}").glob("*.h5ad")}
        assert found == set(sheet["sample"])


def test_a_second_demo_does_nothing_and_says_so(demo, results):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    start = time.monotonic()
    done = make(demo[0], "demo", timeout=300)
    print(f"\nthe second make demo took {time.monotonic() - start:.0f} s")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout
    assert "results/demo/scoreboard.tsv" in done.stdout
    after = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    assert after == before
