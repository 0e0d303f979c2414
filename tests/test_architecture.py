"""The layout of the library: which folders may import which, and unique public names."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
LIBRARY = REPO / "workflow/sagefm"
FLOORS = [
    {"common"},
    {"stats", "downloads", "console"},
    {"config", "graphs"},
    {"sections", "plotting"},
    {"cohorts"},
    {"networks"},
    {"training", "representations"},
    {"recovery", "imputation", "clustering", "annotation", "perturbation", "screen", "conformance"},
    {"claims", "exports", "report"},
    {"preflight"},
]
"""From the ground up: a room imports from lower floors alone."""

REGISTRIES = (
    "cohorts/formats",
    "downloads/sources",
    "exports/commands",
    "networks",
    "representations/methods",
)
"""Folders whose files answer to the same names."""

LONGEST = 300
"""Lines of a file."""


def files(*folders: str) -> list[Path]:
    """Python files of some folders of the repository."""
    return sorted(path for folder in folders for path in (REPO / folder).rglob("*.py"))


def imported(source: str) -> Iterator[str]:
    """Full names of all that a module imports, at its top or in a function.

    Of `from a import b` both `a` and `a.b`, as `b` may be a module.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(source: str) -> set[str]:
    """Rooms of the library that a module imports from."""
    names = {tuple(name.split(".")) for name in imported(source)}
    return {name[1] for name in names if name[0] == "sagefm" and len(name) > 1} & FLOOR.keys()


FLOOR = {room: number for number, floor in enumerate(FLOORS) for room in floor}
HOUSE = files("workflow/sagefm")
WORKFLOW = files("workflow/sagefm", "workflow/scripts", "workflow/bench")


def test_every_room_has_a_floor():
    folders = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").is_file()}
    assert folders == FLOOR.keys()


def test_the_reading_of_imports_sees_each_way_to_import():
    source = "def f():\n    from sagefm.report.pages import page\nimport sagefm.claims.reported"
    assert rooms(source) == {"report", "claims"}
    assert rooms("from sagefm import common, load") == {"common"}


@pytest.mark.parametrize("room", sorted(FLOOR))
def test_a_room_imports_from_lower_floors_alone(room):
    wrong = {
        f"{path.relative_to(LIBRARY)} imports from {other}"
        for path in (LIBRARY / room).rglob("*.py")
        for other in rooms(path.read_text()) - {room}
        if FLOOR[other] >= FLOOR[room]
    }
    assert not wrong


def test_only_the_root_names_what_the_package_offers():
    packages = [path for path in HOUSE if path.name == "__init__.py" and path.parent != LIBRARY]
    assert len(packages) >= len(FLOOR)
    assert [path for path in packages if path.stat().st_size] == []
    assert [path for path in HOUSE if "." in imported(path.read_text())] == []  # full names alone


def test_nothing_but_tests_imports_from_tests():
    names = {path.stem for path in (REPO / "tests").iterdir() if path.is_dir()}
    inner = {path.name for path in LIBRARY.iterdir()}
    assert {"support", "whole_run"} <= names - inner
    forbidden = (names - inner) | {"tests", "conftest", "pytest"}
    wrong = {
        f"{path.relative_to(REPO)}: {name}"
        for path in WORKFLOW
        for name in imported(path.read_text())
        if name.split(".")[0] in forbidden
    }
    assert not wrong


def test_progress_bars_are_made_in_one_place():
    made = [
        path
        for path in WORKFLOW
        if any(name.split(".")[0] == "tqdm" for name in imported(path.read_text()))
    ]
    assert made == [LIBRARY / "common/progress.py"]


def test_a_public_name_is_defined_once():
    found = defaultdict(list)
    for path in HOUSE:
        module = path.relative_to(LIBRARY)
        if str(module.parent) in REGISTRIES:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
                found[node.name].append(str(module))
    assert len(found) > 200
    assert {name: modules for name, modules in found.items() if len(modules) > 1} == {}


def test_a_file_is_as_long_as_its_idea():
    lengths = {path.relative_to(REPO): path.read_text().count("\n") for path in WORKFLOW}
    assert {str(path): lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_rules_scripts_and_captions_have_the_rooms_of_the_library():
    chapters = {path.stem for path in (REPO / "workflow/rules").glob("*.smk")}
    chapters -= {"common", "resources"}  # functions alone
    assert {path.name for path in (REPO / "workflow/scripts").iterdir()} == chapters
    assert {path.name for path in (REPO / "workflow/report").iterdir()} < chapters < FLOOR.keys()


def test_a_chapters_rules_run_its_own_scripts_and_show_its_own_captions():
    named = re.compile(r"\.\./(?:scripts|report)/(\w+)/")
    rules = {path.stem: path.read_text() for path in (REPO / "workflow/rules").glob("*.smk")}
    found = {chapter: set(named.findall(text)) for chapter, text in rules.items()}
    assert {
        chapter: names - {chapter} for chapter, names in found.items() if names - {chapter}
    } == {}
    assert sum(map(bool, found.values())) > 12
