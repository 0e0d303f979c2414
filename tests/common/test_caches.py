"""Caches if the home folder is not writable."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sagefm.console.caches import keep_caches_here


def cache(repo, home) -> str:
    """Where `make` lets programmes keep their caches; empty if it is left to them."""
    environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    made = subprocess.run(
        ["make", "--no-print-directory", "--eval", "show: ; @echo $${XDG_CACHE_HOME:-}", "show"],
        cwd=repo,
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def test_a_home_that_cannot_be_written_to(repo, tmp_path):
    (tmp_path / "file").write_text("")
    assert cache(repo, tmp_path / "file") == str(repo / "results/.cache")
    assert cache(repo, tmp_path) == ""


@pytest.mark.parametrize("known", ["XDG_CACHE_HOME", "HOME"])
def test_without_make_caches_are_kept_here_too(known, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv(known, str(tmp_path / "file/none"))
    keep_caches_here()
    assert Path(os.environ["XDG_CACHE_HOME"]) == tmp_path / "results/.cache"
    assert Path(os.environ["MPLCONFIGDIR"]) == tmp_path / "results/.cache/matplotlib"
    monkeypatch.setenv(known, str(tmp_path / "home"))
    monkeypatch.delenv("MPLCONFIGDIR")
    keep_caches_here()
    assert "MPLCONFIGDIR" not in os.environ


def test_snakemake_starts_without_a_home(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'a'\n    shell: 'touch {output}'\n")
    environment = {name: value for name, value in os.environ.items() if name != "XDG_CACHE_HOME"}
    subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1"],
        cwd=tmp_path,
        env=environment | {"HOME": str(tmp_path / "file")},
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "a").exists()
