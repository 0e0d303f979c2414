"""Two runs with the same ingestion settings share their samples; with others, they do not."""

from pathlib import Path

import pytest

from support import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

NAMES = [*runs.SAMPLES["breast"]]


def ingested(folder: Path, run: str, *arguments: str) -> tuple[str, str, list[Path]]:
    """What Snakemake printed and the jobs logged, and the run's samples with the links followed."""
    samples = [f"results/{run}/samples/breast/{name}.h5ad" for name in NAMES]
    done = runs.snakemake(folder, *samples, *arguments, "--config", f"run={run}")
    assert done.returncode == 0, done.stdout
    logs = (folder / f"results/{run}/logs/ingest/breast/{name}.log" for name in NAMES)
    return (
        done.stdout,
        "".join(log.read_text() for log in logs),
        [(folder / path).resolve() for path in samples],
    )


def test_samples_are_shared_by_runs_that_agree_and_by_no_others(tmp_path):
    folder = runs.prepare(tmp_path / "run")
    *_, first = ingested(folder, "first")
    assert len({*first}) == 2 and all(path.parent.name == "samples" for path in first)
    _, logged, second = ingested(folder, "second")
    assert second == first
    for path in second:
        assert f"taking results/_shared/samples/{path.name}" in logged
    # What the second run did makes nothing of the first out of date.
    assert "Nothing to be done" in ingested(folder, "first")[0]

    strict = {**runs.CONFIG, "qc": {"min_counts": 500}}
    runs.write_config(folder, strict)
    _, logged, third = ingested(folder, "third")
    assert not {*third} & {*first} and "taking" not in logged
    assert "Nothing to be done" in ingested(folder, "third")[0]

    # Shared samples may be thrown away: they are made again.
    for path in third:
        path.unlink()
    printed, _, again = ingested(folder, "third")
    assert again == third and all(path.is_file() for path in again)
    assert runs.jobs(printed)["ingest"] == 2
