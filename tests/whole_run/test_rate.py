"""On one machine, no job waits for a limit on the rate of job starts."""

import time

from support import runs

RECIPES = [f"results/small/models/{model}/recipe.json" for model in runs.CONFIG["models"]]


def test_jobs_and_the_end_wait_for_no_clock(tmp_path):
    folder = runs.prepare(tmp_path / "run")
    start = time.monotonic()
    done = runs.snakemake(folder, "--max-jobs-per-timespan", "1/5m", "--", *RECIPES)
    assert done.returncode == 0, done.stdout
    assert runs.jobs(done.stdout)["recipe"] == len(RECIPES) > 1
    assert time.monotonic() - start < 300
