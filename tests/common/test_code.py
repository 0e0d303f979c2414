"""Which library files a rule depends on."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from sagefm.common.code import LIBRARY, module_files

RULES = re.compile(r"^rule (\w+):\n((?:[ \t]+.*\n|\n)+)", re.M)


def closure(*names: str) -> set[str]:
    return {str(Path(f).relative_to(LIBRARY).with_suffix("")) for f in module_files(*names)}


def imports(path: Path) -> set[str]:
    """What a file imports of the library itself."""
    return {
        node.module.removeprefix("sagefm.").replace(".", "/")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sagefm.")
    }


def test_closure_follows_imports_within_imports():
    assert closure("sections.masks") == {"sections/masks"}
    ground = {"graphs/neighbourhoods", "graphs/grid", "common/errors"}
    assert {"sections/masks", "sections/section"} | ground <= closure("sections.batches")
    shared = {"sections/batches", "sections/masks", "networks/sagefm", "networks/checkpoint"}
    assert shared <= closure("training.trainer")


def test_an_edit_of_the_network_does_not_read_sections_again():
    def heavy(*names: str) -> set[str]:
        return {name for name in closure(*names) if name.startswith(("networks/", "training/"))}

    assert not heavy("cohorts.ingest") and not heavy("graphs.neighbourhoods")
    assert heavy("training.split", "config.sheets") == {"training/split"}


def test_files_exist_and_are_named_once():
    files = module_files("training.trainer", "sections.batches", "common.io")
    assert files == sorted(set(files))
    assert all(Path(file).is_file() for file in files)


def test_an_unknown_module_is_an_error():
    with pytest.raises(FileNotFoundError, match="no_such_module"):
        module_files("no_such_module")


def test_the_library_imports_in_the_form_that_is_followed():
    """`from sagefm.x import y`: other forms would be overlooked, and edits would not rerun."""
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):  # the package itself holds the version alone
                assert not any(name.name.startswith("sagefm.") for name in node.names), path
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, path
                assert node.module != "sagefm", path


def test_no_module_imports_itself_by_way_of_others():
    files = {str(p.relative_to(LIBRARY).with_suffix("")): p for p in LIBRARY.rglob("*.py")}
    assert len(files) > 100
    TopologicalSorter({name: imports(path) for name, path in files.items()}).prepare()


def rules_with_scripts(repo):
    rules = set((repo / "workflow/rules").glob("*.smk"))
    # What was fetched is held to checksums, and not fetched again for an edit.
    for path in sorted(rules - {repo / "workflow/rules/downloads.smk"}):
        for name, body in RULES.findall(path.read_text()):
            if script := re.search(r'"\.\./scripts/([\w/]+\.py)"', body):
                library = re.search(r"module_files\(([^)]*)\)", body)
                modules = re.findall(r'"([\w.]+)"', library[1]) if library else []
                yield name, script[1], modules


def test_every_rule_depends_on_the_modules_its_script_imports(repo):
    found = list(rules_with_scripts(repo))
    assert len(found) > 5
    lacking = {}
    for name, script, modules in found:
        imported = imports(repo / "workflow/scripts" / script)
        # What every script does around its work changes no result.
        if missing := imported - closure(*modules) - {"common/job", "common/io", "common/errors"}:
            lacking[name] = missing
    assert not lacking


def test_what_the_snakefile_imports_is_light(repo):
    """Read at every start of every job: seconds would add up."""
    code = (
        "import sys, sagefm.config.sheets, sagefm.preflight.config, sagefm.preflight.data;"
        "print(*{'torch', 'anndata', 'scanpy', 'squidpy', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(repo / "workflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == ""
