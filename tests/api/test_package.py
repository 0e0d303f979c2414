"""The package, installed from a wheel or from the repository, and what importing it loads."""

import ast
import os
import shutil
import site
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sagefm
from sagefm.common.code import LIBRARY, code_files

HEAVY = ("torch", "scanpy", "anndata", "pandas", "numpy", "squidpy", "matplotlib")
SOURCES = (
    *("pyproject.toml", "LICENSE", "workflow/sagefm", "envs"),
    *("resources/panel", "resources/models"),
    *("resources/perturbation", "resources/tasks"),
)
OTHER_NAMES = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
"""Where a package is imported by another name than PyPI's."""


def run(*command: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command without what this process has in its PYTHONPATH."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        command, cwd=cwd, env=environment | variables, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def sources(repo, tmp_path_factory) -> Path:
    """A copy of what the package is made of, as building leaves files beside it."""
    folder = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (repo / name).is_dir():
            unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(repo / name, folder / name, symlinks=True, ignore=unwanted)
        else:
            shutil.copy(repo / name, folder / name)
    return folder


def new_venv(folder: Path) -> Path:
    """The interpreter of a new environment with all packages of this one but `sagefm`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (own,) = folder.glob("lib/python*/site-packages")
    (borrowed,) = [path for path in site.getsitepackages() if path.endswith("site-packages")]
    (own / "borrowed.pth").write_text(f"{borrowed}\n")  # whose own .pth files then do not count
    return folder / "bin/python"


def test_importing_the_package_loads_none_of_the_heavy_ones(tmp_path):
    words = f"import sys, sagefm; dir(sagefm); print([n for n in {HEAVY} if n in sys.modules])"
    done = run(sys.executable, "-c", words, cwd=tmp_path)
    assert done.stdout == "[]\n", done.stderr


def test_the_public_functions_are_those_listed():
    for name in sagefm.__all__:
        assert callable(getattr(sagefm, name)) and getattr(sagefm, name).__doc__
    assert set(sagefm.__all__) <= set(dir(sagefm))
    with pytest.raises(AttributeError, match="module `sagefm` has no attribute `embde`"):
        sagefm.embde  # noqa: B018


def test_a_wheel_has_all_it_needs(sources, tmp_path):
    wheel = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, ".")
    built = run(sys.executable, "-m", "pip", *wheel, cwd=sources)
    assert built.returncode == 0, built.stderr
    (made,) = tmp_path.glob("sagefm-*.whl")
    python = new_venv(tmp_path / "venv")
    done = run(python, "-m", "pip", "install", "--no-deps", made, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    words = (
        "import sagefm; from sagefm.networks.recipe import PAPER_PANEL, bundled_models; "
        "from sagefm.config.schemas import SCHEMAS; "
        "from sagefm.exports.programmes import BUNDLED; "
        "print(sagefm.__file__, len(PAPER_PANEL.read_text().split()), "
        "(SCHEMAS / 'config.schema.yaml').is_file(), "
        "len([*BUNDLED.iterdir()]), *bundled_models())"
    )
    file, genes, schemas, sets, *models = run(python, "-c", words, cwd=tmp_path).stdout.split()
    assert Path(file).is_relative_to(tmp_path / "venv")
    assert (genes, schemas, sets, models) == ("14558", "True", "2", ["light"])
    done = run(python.with_name("sagefm"), "--version", cwd=tmp_path)
    assert done.stdout == f"sagefm {sagefm.__version__}\n", done.stderr


def test_a_conda_environment_imports_the_library_of_its_repository(sources, tmp_path):
    """What Snakemake runs in an environment that it has made."""
    python, script = new_venv(tmp_path / "venv"), sources / "envs/graphs.post-deploy.sh"
    path = f"{python.parent}:{os.environ['PATH']}"
    done = run("bash", script, cwd=tmp_path, PATH=path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}: is not the repository")
    done = run("bash", script, cwd=sources, PATH=path)
    assert done.returncode == 0, done.stderr
    found = run(python, "-c", "import sagefm; print(sagefm.__file__)", cwd=tmp_path).stdout
    assert found == f"{sources}/workflow/sagefm/__init__.py\n"


def test_the_package_names_what_it_imports(repo):
    """Whatever the API, the command, the networks and the formats need."""
    files = code_files("exports.api") | code_files("exports.perturbed")
    files |= code_files("exports.command")
    for folder in ("networks", "cohorts/formats", "exports/commands"):  # loaded by name
        files |= {own for path in (LIBRARY / folder).glob("*.py") for own in code_files(path)}
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names = plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    imported = {name.split(".")[0] for name in names}
    project = tomllib.loads((repo / "pyproject.toml").read_text())["project"]
    packages = imported - set(sys.stdlib_module_names) - {"sagefm"}
    assert {"torch", "anndata", "numpy"} <= packages
    assert {OTHER_NAMES.get(name, name) for name in packages} <= set(project["dependencies"])
