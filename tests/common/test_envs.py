"""Environments other than the pip lock, the only tested one, agree with it.

The conda files have its versions and all that their rules import. The images are built from it.
"""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

from sagefm.common.code import LIBRARY

ENVS = Path(__file__).resolve().parents[2] / "envs"
CHAPTERS = sorted(ENVS.glob("*.yaml"))
# Where a conda package has another name than the same package on PyPI.
PYPI_NAMES = {
    "matplotlib-base": "matplotlib",
    "huggingface_hub": "huggingface-hub",
    "pytorch": "torch",
    "pytorch_geometric": "torch-geometric",
}
BUILDS = {"evaluation": "cpu*", "model": "cpu*", "model-cuda": "cuda*"}
"""The build of torch that an environment asks for."""
IMPORTED = {
    "PIL": "pillow",
    "igraph": "python-igraph",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
"""Where a package is imported by another name than PyPI's."""
NEVER_REACHED = {
    "squidpy": {
        "cohorts",
        "model",
        "model-cuda",
        "report",
    },  # grids: graphs are read there, not built
    "sklearn": {"cohorts", "report"},  # ties of neighbours: the same
    "requests": {"model", "model-cuda"},  # services: what looks at the GPU asks none
    "huggingface_hub": {"model", "model-cuda"},
    "tenacity": {"model", "model-cuda"},
}
"""Imports inside functions that the rules of some environments come with and never call."""


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
    return {PYPI_NAMES.get(pin[0], pin[0]): pin[1].split()[0] for pin in pins if len(pin) == 2}


def imports(path: str | Path) -> set[str]:
    """Modules that a file imports, at its top or in a function, with their full names."""
    nodes = list(ast.walk(ast.parse(Path(path).read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def imports_of_all(path: Path) -> set[str]:
    """Modules that a file imports, and the files of the library among them, one by another."""
    found: set[str] = set()
    todo, read = [path], set()
    while todo:
        file = todo.pop()
        if file not in read:
            read.add(file)
            found |= (own := imports(file))
            inner = [name.removeprefix("sagefm.") for name in own if name.startswith("sagefm.")]
            todo += [LIBRARY / f"{name.replace('.', '/')}.py" for name in inner]
    return found


def needed(environment: str) -> set[str]:
    """Packages that the rules of an environment import, by PyPI name."""
    found: set[str] = set()
    scripts = ENVS.parent / "workflow/scripts"
    for rules in (ENVS.parent / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^rule ", rules.read_text(), flags=re.M)[1:]:
            conda = re.search(r"conda:\s+(?:\".*/([\w-]+)\.yaml\"|(model)_environment)", rule)
            script = re.search(r"scripts/([\w/]+\.py)\"", rule)
            if conda and script and environment.removesuffix("-cuda") in conda.groups():
                found |= imports_of_all(scripts / script[1])
    packages = {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - {"sagefm"}
    return {
        IMPORTED.get(name, name.replace("_", "-"))
        for name in packages
        if environment not in NEVER_REACHED.get(name, ())
    }


def test_there_is_an_environment_for_each_chapter():
    assert [chapter.stem for chapter in CHAPTERS] == [
        "cohorts",
        "evaluation",
        "graphs",
        "model-cuda",
        "model",
        "report",
    ]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_conda_versions_are_those_of_the_lock(chapter):
    pins, lock = pinned_versions(chapter), locked_versions()
    assert pins == {name: lock.get(name, "not in the lock") for name in pins}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_an_environment_has_what_its_rules_import(chapter):
    wanted = needed(chapter.stem)
    assert {"numpy", "pandas"} <= wanted
    assert wanted <= set(pinned_versions(chapter))


def test_environments_with_torch_say_which_build():
    dependencies = {c.stem: yaml.safe_load(c.read_text())["dependencies"] for c in CHAPTERS}
    builds = {
        name: line.split()[-1]
        for name, lines in dependencies.items()
        for line in lines
        if str(line).startswith("pytorch ")
    }
    assert builds == BUILDS


def test_the_two_environments_of_the_model_differ_in_torch_alone():
    cpu, cuda = (yaml.safe_load((ENVS / f"{n}.yaml").read_text()) for n in ("model", "model-cuda"))
    assert set(map(str, cpu["dependencies"])) ^ set(map(str, cuda["dependencies"])) == {
        "pytorch ==2.13.0 cpu*",
        "pytorch ==2.13.0 cuda*",
    }


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


def steps(path: Path) -> dict[str, list[str]]:
    """Words of the lines of a Dockerfile or an Apptainer definition, by their first word."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().replace("\\\n", " ").splitlines():
        first, *more = line.split() or ["#"]
        found.setdefault(first, []).append(" ".join(more))
    return found


def test_both_images_are_built_from_the_lock_on_one_base():
    docker, apptainer = steps(ENVS / "Dockerfile"), steps(ENVS / "apptainer.def")
    assert docker["FROM"] == apptainer["From:"] == ["debian:bookworm-slim"]
    installed = {
        re.findall(r"--no-install-recommends ([a-z0-9 -]+)", text)[0].strip()
        for text in (docker["RUN"][0], apptainer["apt-get"][1])
    }
    assert len(installed) == 1
    assert docker["RUN"][1] == "make env TORCH=$TORCH"
    assert apptainer["make"] == ["-C /opt/sagefm env TORCH={{ TORCH }}"]
    assert docker["ARG"] == ["TORCH=cpu"]


def test_images_take_the_files_that_the_environment_is_built_from():
    makefile = (ENVS.parent / "Makefile").read_text()
    read = {"Makefile", "LICENSE", *re.findall(r"envs/[a-z]+\.txt|pyproject\.toml", makefile)}
    package = {"workflow/sagefm", "resources/panel"}
    copied = " ".join(steps(ENVS / "Dockerfile")["COPY"]).split()
    files = (ENVS / "apptainer.def").read_text().split("%files")[1].split("%post")[0].split()
    there = {name for name in copied if (ENVS.parent / name).exists()} - {"./", "envs/"}
    assert there == read | package
    assert files[0::2] == [name.removeprefix("/opt/sagefm/") for name in files[1::2]]
    assert set(files[0::2]) == read | package


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_an_environment_gets_the_library_and_what_installs_it(chapter):
    script = chapter.with_suffix(".post-deploy.sh")  # Snakemake runs the one of this name
    assert script.resolve() == ENVS / "install_sagefm.sh"
    assert "setuptools" in pinned_versions(chapter)
    assert "pip" in yaml.safe_load(chapter.read_text())["dependencies"]
