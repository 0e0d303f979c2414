"""Both Snakefiles, and the workflow as a module of another one, plan the same jobs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support import runs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

PARENT = """
configfile: "config/config.yaml"


module sagefm:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from sagefm as sagefm_*


rule own:
    default_target: True
    input:
        rules.sagefm_all.input,
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A working directory of a user: a config, sheets and sections, and nothing of the workflow."""
    folder = runs.prepare(tmp_path_factory.mktemp("data") / "run")
    methods = {"methods": runs.METHODS}
    config = runs.CONFIG | {"representations": runs.CONFIG["representations"] | methods}
    runs.write_config(folder, config)
    (folder / "Snakefile").unlink()
    for name in ("workflow", "envs", "profiles"):
        shutil.rmtree(folder / name)
    (folder / "resources/reported.tsv").unlink()
    return folder


def planned(snakefile: Path, data: Path) -> dict[str, int]:
    """Jobs of each rule in a dry run that is started in the folder of the data."""
    done = runs.snakemake(data, "--dry-run", "--snakefile", str(snakefile))
    assert done.returncode == 0, done.stdout
    return runs.jobs(done.stdout)


def parent_of(folder: Path, snakefile: str) -> Path:
    path = folder / "workflow/Snakefile"
    path.parent.mkdir()
    path.write_text(PARENT.format(snakefile=snakefile))
    return path


@pytest.fixture(scope="module")
def expected(data) -> dict[str, int]:
    """The jobs that the Snakefile of the repository plans."""
    return planned(runs.REPO / "Snakefile", data)


def test_the_catalogues_snakefile_plans_the_same(data, expected):
    found = planned(runs.REPO / "workflow/Snakefile", data)
    assert found.pop("default") == expected["all"] == 1
    assert found == {name: n for name, n in expected.items() if name != "all"}


def test_another_workflow_uses_it_as_a_module(data, expected, tmp_path):
    snakefile = str(runs.REPO / "workflow/Snakefile")
    found = planned(parent_of(tmp_path, snakefile), data)
    assert found.pop("own") == 1
    renamed = {name.removeprefix("sagefm_"): n for name, n in found.items()}
    assert renamed == {name: n for name, n in expected.items() if name != "all"}
    assert {name for name in found if not name.startswith("sagefm_")} == {"total"}


def test_a_workflow_that_is_not_on_this_machine_is_refused_in_one_sentence(data, tmp_path):
    source = tmp_path / "sagefm"
    (source / "workflow").mkdir(parents=True)
    for name in ("Snakefile", "workflow/Snakefile"):
        shutil.copy2(runs.REPO / name, source / name)
    who = {
        f"GIT_{role}_{key}": "x" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")
    }
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=source, env=os.environ | who, check=True)
    remote = f"git+file://{source}/workflow/Snakefile@HEAD"
    done = runs.snakemake(data, "--dry-run", "--snakefile", str(parent_of(tmp_path, remote)))
    assert done.returncode != 0
    assert "Fix: clone the repository" in done.stdout


def test_the_catalogue_finds_what_it_asks_for(repo):
    shown = yaml.safe_load((repo / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(shown) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert set(shown["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    assert (repo / "config/README.md").exists()


def test_rules_do_not_run_with_another_library(tmp_path):
    folder = runs.prepare(tmp_path / "run")
    with (folder / "workflow/sagefm/common/text.py").open("a") as file:
        file.write("EDITED = True\n")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    printed = done.stdout + done.stderr
    assert "the installed `sagefm` is not the library in" in printed
    assert f"pip install -e {folder}" in printed
