"""Checksums of what a job's code does, so that a job reruns only when its behaviour may change.

The syntax trees of a script and of all library modules that it imports are compared. Docstrings,
comments, annotations, blank lines, file times and the repository's location are ignored. Files of a
registry are loaded by name, not imported, so that adding one changes no checksum. A rule adds those
that its config names.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

LIBRARY = Path(__file__).parents[1]
SCRIPTS = LIBRARY.parent / "scripts"

AROUND = "common/job.py"
"""Code common to all scripts (log and errors), excluded because it changes no result."""


@cache
def code_state(*names: str | Path) -> str:
    """Return a checksum of what scripts and modules do, including all their library imports.

    Parameters
    ----------
    names
        Scripts by path (`training/pretrain.py`), modules by name in the library (`report.archive`)
        or by file.

    Returns
    -------
    str
        16 hex digits.

    Raises
    ------
    FileNotFoundError
        If a script or module does not exist.
    """
    return _checksum(set().union(*map(code_files, names)))


@cache
def code_files(name: str | Path) -> frozenset[Path]:
    """Return the file of a script or module and all library files that it imports, at any depth."""
    found: set[Path] = set()
    todo = [_named_file(name)]
    while todo:
        file = todo.pop()
        if file not in found and file != LIBRARY / AROUND:
            found.add(file)
            todo.extend(_imported_files(file))
    return frozenset(found)


def is_installed_from(folder: Path) -> bool:
    """Whether the imported library is the one in a folder, or a copy with the same code."""
    if folder.resolve() == LIBRARY.resolve():
        return True
    return _sources(folder) == _sources(LIBRARY)


def _sources(library: Path) -> dict[Path, bytes]:
    return {file.relative_to(library): file.read_bytes() for file in library.rglob("*.py")}


def _named_file(name: str | Path) -> Path:
    if isinstance(name, Path):
        return name
    return SCRIPTS / name if name.endswith(".py") else _module_file(name)


def _checksum(files: Iterable[Path]) -> str:
    lines = [f"{_address(file)} {_file_state(file)}\n" for file in files]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()[:16]


def _address(file: Path) -> str:
    """Path of a file in the repository; for a user's own file, its name."""
    own = file.is_relative_to(LIBRARY.parent)
    return str(file.relative_to(LIBRARY.parent)) if own else file.name


@cache
def _file_state(file: Path) -> str:
    return hashlib.sha256(_text(_tree(file)).encode()).hexdigest()


@cache
def _imported_files(file: Path) -> tuple[Path, ...]:
    """Return files of the library modules that a file imports, at top level or in a function."""
    return tuple(
        _module_file(name.removeprefix("sagefm").removeprefix("."))
        for node in _statements(_tree(file))
        for name in _imported_modules(node)
        if name.split(".")[0] == "sagefm"
    )


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements below a node. Expressions contain none."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield child
            yield from _statements(child)


def _imported_modules(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module
        inside = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in inside if _module_file(name.partition(".")[2]).is_file())


def _module_file(name: str) -> Path:
    """Return the file of a module or package by its name in the library (empty: the library)."""
    path = LIBRARY.joinpath(*filter(None, name.split(".")))
    return path / "__init__.py" if path.is_dir() else path.with_name(f"{path.name}.py")


@cache
def _tree(file: Path) -> ast.AST:
    """Return a file's syntax tree without the parts that do nothing."""
    tree = _Doing().visit(ast.parse(file.read_text()))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return _WithoutImports(used).visit(tree)


def _text(node: object) -> str:
    """Return a tree as text, without empty fields, since these differ between Python versions."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None)
        filled = ",".join(f"{name}={_text(value)}" for name, value in fields if value != [])
        return f"{type(node).__name__}({filled})"
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    return repr(node)


class _Statements(ast.NodeTransformer):
    """Visits statements only: expressions, most of a tree, contain none."""

    def visit(self, node: ast.AST) -> Any:
        return node if isinstance(node, ast.expr) else super().visit(node)


class _Doing(_Statements):
    """Removes docstrings, annotations and code for type checkers only.

    Class fields keep their annotations, since dataclasses depend on them.
    """

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant):
            return None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        fields = {id(line): line for line in node.body if isinstance(line, ast.AnnAssign)}
        body = [fields.get(id(line)) or self.visit(line) for line in node.body]
        node.body = [line for line in body if line is not None]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [found for line in node.orelse if (found := self.visit(line)) is not None]
        return self.generic_visit(node)


class _WithoutImports(_Statements):
    """Removes imported names that are not used, such as those of annotations."""

    def __init__(self, used: set[str]) -> None:
        self.used = used

    def _import(self, node: ast.Import | ast.ImportFrom) -> ast.AST | None:
        node.names = [
            alias
            for alias in node.names
            if (alias.asname or alias.name).split(".")[0] in {*self.used, "*"}
        ]
        return node if node.names else None

    visit_Import = visit_ImportFrom = _import
