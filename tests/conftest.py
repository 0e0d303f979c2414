"""Paths, the panel, and one small run of the whole workflow, shared by all tests."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

pytest_plugins = ["support.strict_skips"]

REPO = Path(__file__).resolve().parents[1]

# Where several processes test, a core for each: threads of more would wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.update(
        dict.fromkeys((f"{kind}_NUM_THREADS" for kind in ("OMP", "MKL", "OPENBLAS")), "1")
    )


@pytest.fixture(scope="module", autouse=True)
def _modules_are_no_garbage() -> None:
    """Spare searches for garbage, which packages ask for, all that is imported by now: seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def repo() -> Path:
    """The repository's root."""
    return REPO


@pytest.fixture(scope="session")
def panel() -> list[str]:
    """The paper's 14,558 gene symbols, in the model's order."""
    return (REPO / "resources/panel/sagefm_genes.txt").read_text().split()


@pytest.fixture
def good_files(tmp_path, monkeypatch) -> Path:
    """A working directory with all that `configs.good_config` names."""
    from support import configs  # Snakemake, a second to import; most tests do without

    monkeypatch.chdir(tmp_path)
    configs.write_files(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> Path:
    """A copy of the workflow with the results of one whole run; minutes, once a session.

    Where several processes test, the first that asks makes the run, and each has a copy of it.
    """
    from support import runs  # torch, seconds to import; most tests do without

    own = tmp_path_factory.mktemp("workflow") / "run"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return runs.finish(runs.prepare(own))
    first = tmp_path_factory.getbasetemp().parent / "first/run"
    with FileLock(first.parent.with_suffix(".lock")):
        if not (first / runs.FINISHED).exists():
            shutil.rmtree(first, ignore_errors=True)
            runs.finish(runs.prepare(first))
    return shutil.copytree(first, own, symlinks=True)


@pytest.fixture(scope="session")
def results(run) -> Path:
    """Where the whole run's results lie."""
    return run / "results/small"
