"""Caches, where the home folder cannot be written to."""

import os
import subprocess


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
