"""The checksum of what a job's code does: which edits change it, and which do not."""

import ast
import re
import shutil
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from sagefm.common import code
from sagefm.common.code import LIBRARY, SCRIPTS, code_files, code_state, is_installed_from

RULES = re.compile(r"^rule (\w+):\n((?:[ \t]+.*\n|\n)+)", re.M)

SCRIPT = '''"""Add."""
from pathlib import Path

from sagefm.common.sums import add

with job(snakemake):
    Path(snakemake.output[0]).write_text(str(add(1, 2)))
'''
MODULE = '''"""Sums."""

from dataclasses import dataclass

from sagefm.stats.steps import step

START = 0
"""Where a sum starts."""


@dataclass
class Sum:
    """A sum."""

    total: int = START


def add(a: int, b: int) -> int:
    """Add two numbers."""
    # One after another.
    total: int = a
    return step(total, b)
'''
STEPS = """def step(a, b):
    from sagefm.stats.late import last

    return last(a + b)
"""
LATE = "def last(a):\n    return a\n"


def forget() -> None:
    """Let the module know of no file, as in a new process."""
    for function in vars(code).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """A small library with a script: a module, what it imports, and what that one imports."""
    forget()
    folder = tmp_path / "sagefm"
    monkeypatch.setattr(code, "LIBRARY", folder)
    monkeypatch.setattr(code, "SCRIPTS", tmp_path / "scripts")
    files = {
        "scripts/room/add.py": SCRIPT,
        "sagefm/__init__.py": "",
        "sagefm/common/sums.py": MODULE,
        "sagefm/stats/steps.py": STEPS,
        "sagefm/stats/late.py": LATE,
        "sagefm/methods/one.py": "def represent():\n    return 1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    yield folder
    forget()


def state(*names: str | Path) -> str:
    """`code_state`, as a new process would find it."""
    forget()
    return code_state(*names)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Add two numbers."""', '"""Add a number to another."""'),
        ('    """Add two numbers."""\n', ""),
        ('"""Where a sum starts."""', ""),
        ("    # One after another.\n", ""),
        ("START = 0\n", "\n\nSTART = (0)  # none\n"),
        ("a: int, b: int) -> int", "a, b)"),
        ("a: int, b: int) -> int", "a: Sequence[int], b: int) -> int"),
        ("total: int = a", "total = a"),
        ("import step\n", "import step\nfrom collections.abc import Sequence\n"),
        (
            "import step\n",
            "import step\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
            "    from sagefm.stats.nothing import Nothing\n",
        ),
    ],
)
def test_an_edit_that_changes_nothing_done_is_none(library, old, new):
    before = state("room/add.py")
    edit(library / "common/sums.py", old, new)
    assert state("room/add.py") == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("common/sums.py", "step(total, b)", "step(b, total)"),
        ("common/sums.py", "START = 0", "START = 1"),
        ("common/sums.py", "START = 0", "START = 0.0"),
        ("common/sums.py", "total: int = START", "total: float = START"),
        ("common/sums.py", "@dataclass\n", "@dataclass(frozen=True)\n"),
        ("stats/steps.py", "a + b", "a - b"),
        ("stats/late.py", "return a", "return -a"),
        ("../scripts/room/add.py", "add(1, 2)", "add(2, 1)"),
        ("../scripts/room/add.py", "with job(snakemake)", "with job(None)"),
    ],
)
def test_an_edit_of_what_is_done_is_one(library, file, old, new):
    before = state("room/add.py")
    edit(library / file, old, new)
    assert state("room/add.py") != before


def test_what_no_import_leads_to_does_not_count(library):
    before = state("room/add.py")
    edit(library / "methods/one.py", "return 1", "return 2")
    (library / "methods/two.py").write_text("def represent():\n    return 2\n")
    assert state("room/add.py") == before


def test_a_module_loaded_by_name_counts_where_it_is_named(library):
    names = ("room/add.py", "methods.one")
    before = state(*names)
    assert before != state("room/add.py")
    edit(library / "methods/one.py", "return 1", "return 2")
    assert state(*names) != before


def test_a_file_of_the_users_own_counts_wherever_it_is(library, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    own = folder / "here/own.py"
    own.parent.mkdir()
    own.write_text("from sagefm.stats.late import last\n\n\ndef represent():\n    return last(1)\n")
    before = state("room/add.py", own)
    moved = own.rename(folder / "own.py")
    assert state("room/add.py", moved) == before
    edit(library / "stats/late.py", "return a", "return -a")
    assert state(moved) != before


def test_where_the_repository_is_does_not_matter(library, tmp_path, monkeypatch):
    before = state("room/add.py")
    tmp_path = tmp_path.rename(tmp_path.with_name("moved"))
    monkeypatch.setattr(code, "LIBRARY", tmp_path / "sagefm")
    monkeypatch.setattr(code, "SCRIPTS", tmp_path / "scripts")
    assert state("room/add.py") == before


@pytest.mark.parametrize("name", ["room/no_such.py", "no_such_module", "common.no_such"])
def test_an_unknown_name_is_an_error(name):
    with pytest.raises(FileNotFoundError, match="no_such"):
        code_state(name)


def names_of(*names: str) -> set[str]:
    files = {file for name in names for file in code_files(name)}
    return {str(f.relative_to(LIBRARY).with_suffix("")) for f in files if SCRIPTS not in f.parents}


def test_imports_within_imports_are_followed():
    assert names_of("sections.masks") == {"sections/masks"}
    ground = {"graphs/neighbourhoods", "graphs/grid", "common/errors"}
    assert {"sections/masks", "sections/section"} | ground <= names_of("sections.batches")
    shared = {"sections/batches", "sections/masks", "networks/checkpoint", "training/trainer"}
    assert shared <= names_of("training/pretrain.py")


def test_what_is_done_around_a_script_changes_no_result():
    assert "common/job" in imports(SCRIPTS / "graphs/graph.py")
    assert not {"common/job", "common/code"} & names_of("graphs/graph.py")


def test_an_edit_of_the_network_does_not_read_sections_again():
    def heavy(script: str) -> set[str]:
        return {name for name in names_of(script) if name.startswith(("networks/", "training/"))}

    assert not heavy("cohorts/ingest.py") and not heavy("graphs/graph.py")
    assert heavy("training/split.py") == {"training/split", "training/seen"}


def test_the_library_imports_in_the_form_that_is_followed():
    """An import for its effect alone would be left out as unused."""
    for path in [*LIBRARY.rglob("*.py"), *SCRIPTS.rglob("*.py")]:
        text = path.read_text()
        assert "noqa: F401" not in text, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path


def imports(path: Path) -> set[str]:
    """What a file imports of the library itself."""
    return {
        node.module.removeprefix("sagefm.").replace(".", "/")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sagefm.")
    }


def test_no_module_imports_itself_by_way_of_others():
    files = {str(p.relative_to(LIBRARY).with_suffix("")): p for p in LIBRARY.rglob("*.py")}
    assert len(files) > 100
    TopologicalSorter({name: imports(path) for name, path in files.items()}).prepare()


def test_every_rule_depends_on_what_its_script_does(repo):
    found = {}
    # What was fetched is held to checksums, and not fetched again for an edit.
    for path in set((repo / "workflow/rules").glob("*.smk")) - {
        repo / "workflow/rules/downloads.smk"
    }:
        for name, body in RULES.findall(path.read_text()):
            if script := re.search(r'"\.\./scripts/([\w/]+\.py)"', body):
                known = re.search(r'code=code_of\(\s*"([\w/]+\.py)"', body)
                found[name] = script[1], known and known[1]
    assert len(found) > 40
    assert not {name for name, (script, known) in found.items() if script != known}


def test_what_the_snakefile_imports_is_light(repo):
    """Read at every start of every job: seconds would add up."""
    code = (
        "import sys, sagefm.config.sheets, sagefm.preflight.config, sagefm.preflight.data;"
        "print(*{'torch', 'anndata', 'scanpy', 'squidpy', 'numba', 'scipy'} & set(sys.modules))"
    )
    assert printed_by(code, repo) == ""


@pytest.mark.parametrize(
    ("script", "heavy"),
    [
        ("graphs/graph.py", {"anndata", "pandas", "scipy.stats"}),
        ("annotation/predict.py", {"anndata", "scanpy", "torch", "matplotlib"}),
        ("annotation/figures.py", {"anndata", "sklearn", "torch"}),
        ("clustering/cluster.py", {"anndata", "scanpy", "torch"}),
        ("clustering/tables.py", {"anndata", "sklearn", "scipy.stats", "matplotlib"}),
    ],
)
def test_a_script_imports_what_it_needs(repo, script, heavy):
    """Of scripts that run often: a package is a second or two of each of their jobs."""
    lines = (repo / "workflow/scripts" / script).read_text().split("with job(")[0]
    code = f"{lines}\nimport sys\nprint(*{heavy} & set(sys.modules))"
    assert printed_by(code, repo) == ""


def printed_by(code: str, repo: Path) -> str:
    """What a new process of Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(repo / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_library_of_another_folder_has_to_be_the_same(tmp_path):
    copy = shutil.copytree(LIBRARY, tmp_path / "sagefm")
    assert is_installed_from(LIBRARY) and is_installed_from(copy)
    (copy / "common/text.py").write_text("")
    assert not is_installed_from(copy)
