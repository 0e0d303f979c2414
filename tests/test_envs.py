"""The conda environments name the versions of the pip lock, which is the one that is tested."""

import re
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).resolve().parents[1] / "envs"
CHAPTERS = sorted(ENVS.glob("*.yaml"))
# Where a conda package has another name than the same package on PyPI.
PYPI_NAMES = {
    "matplotlib-base": "matplotlib",
    "huggingface_hub": "huggingface-hub",
    "pytorch": "torch",
    "pytorch_geometric": "torch-geometric",
}


def locked_versions() -> dict[str, str]:
    """Version by name, of every package of the pip lock."""
    text = (ENVS / "requirements.txt").read_text() + (ENVS / "torch.txt").read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE))


def pinned_versions(chapter: Path) -> dict[str, str]:
    """Version by PyPI name, of every package a conda environment asks for."""
    dependencies = yaml.safe_load(chapter.read_text())["dependencies"]
    pip = [line for entry in dependencies if isinstance(entry, dict) for line in entry["pip"]]
    conda = [entry for entry in dependencies if isinstance(entry, str)]
    pins = [re.split(r"\s*==\s*", line) for line in conda + pip if not line.startswith("python ")]
    unpinned = [pin[0] for pin in pins if len(pin) != 2 and pin != ["pip"]]
    assert not unpinned, f"{chapter.name}: no exact version of {unpinned}"
    return {PYPI_NAMES.get(pin[0], pin[0]): pin[1] for pin in pins if len(pin) == 2}


def test_there_is_an_environment_for_each_chapter():
    assert [chapter.stem for chapter in CHAPTERS] == [
        "cohorts",
        "evaluation",
        "graphs",
        "model",
        "report",
    ]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_conda_versions_are_those_of_the_lock(chapter):
    pins, lock = pinned_versions(chapter), locked_versions()
    assert pins == {name: lock.get(name, "not in the lock") for name in pins}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_only_conda_forge_is_used(chapter):
    assert yaml.safe_load(chapter.read_text())["channels"] == ["conda-forge", "nodefaults"]


def test_every_package_of_the_lock_is_exact_and_hashed():
    lines = (ENVS / "requirements.txt").read_text().splitlines()
    names = [line for line in lines if re.match(r"[a-z0-9]", line)]
    assert len(names) == len(locked_versions()) - 1  # torch stands in torch.txt
    assert all(re.match(r"[a-z0-9._-]+==\S+ .*\\$", line) for line in names)


def test_the_lock_answers_the_requirements():
    lines = (ENVS / "requirements.in").read_text().splitlines()
    wanted = [re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith("#")]
    names = {found[0].lower().replace("_", "-") for found in wanted if found}
    assert names <= set(locked_versions())
