"""The messages of errors, read from the code: what each says, and how it is put right."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagefm.common.code import LIBRARY
from sagefm.common.text import markdown_rows

TITLES = {
    "preflight": "Config, checked before a run",
    "config": "Config and sheets of samples",
    "downloads": "Downloads",
    "cohorts": "Reading sections",
    "sections": "Genes and labels",
    "graphs": "Neighbourhoods",
    "networks": "Models and checkpoints",
    "training": "Training",
    "representations": "Representations",
    "imputation": "Imputation",
    "clustering": "Clustering",
    "annotation": "Labels and classes",
    "perturbation": "Perturbation",
    "screen": "Screen",
    "conformance": "Published embeddings",
    "claims": "Scoreboard",
    "exports": "`import sagefm` and the command `sagefm`",
    "report": "Documentation",
    "common": "Files, folders and environment",
}
"""Headings of the rooms, in the order of a run."""

NOUNS = {
    **{"path": "FILE", "file": "FILE", "folder": "FOLDER", "archive": "ARCHIVE", "url": "ADDRESS"},
    **{"address": "ADDRESS", "where": "PLACE", "at": "PLACE", "place": "PLACE", "name": "NAME"},
    **{"cohort": "COHORT", "sample": "SAMPLE", "model": "MODEL", "gene": "GENE", "key": "KEY"},
    **{"column": "COLUMN", "source": "SOURCE", "fmt": "FORMAT", "layer": "LAYER", "line": "N"},
    **{"number": "N", "status": "CODE", "member": "FILE", "repository": "DATA SET", "task": "TASK"},
    **{"network": "NETWORK", "technology": "TECHNOLOGY", "output": "FILE", "root": "FILE"},
    **dict.fromkeys(("shared", "lonely", "found", "rows", "spots", "devices", "nodes"), "N"),
    **dict.fromkeys(("min_spots", "min_class_spots", "size", "width", "n_obs", "n_vars"), "N"),
    **{"sha256": "CHECKSUM", "label": "COLUMN", "noun": "KIND", "region": "REGION"},
}
"""How a message's placeholders are called, by the variable that fills them."""

CALLS = {"len": "N", "sum": "N", "shown": "ADDRESS", "hub_address": "https://huggingface.co"}
"""How they are called, by the function."""

HINT = "the message suggests the closest known name, or lists them all"
OTHER = "…"
SAID = "As the message says."

_REPEATED = re.compile(r"([^:]*: |PLACE)?…+\.?")
"""A message that only says where another one arose."""


@dataclass(frozen=True)
class Message:
    """An error that a user may read.

    Attributes
    ----------
    room
        Room of the library that reports it.
    problem, fix
        What it says, and the remedy, each with words in capitals for what differs; `fix` is empty
        where the message depends on the cause.
    """

    room: str
    problem: str
    fix: str


def messages(library: Path = LIBRARY) -> list[Message]:
    """Every message of the library's `InputError`s once, by room and file."""
    found: dict[Message, None] = {}
    for path in sorted(library.rglob("*.py")):
        tree = ast.parse(path.read_text())
        room = path.relative_to(library).parts[0]
        for text in _texts(tree):
            if not _REPEATED.fullmatch(text):
                found[_message(room, text)] = None
    return list(found)


def _message(room: str, text: str) -> Message:
    problem, _, fix = text.partition("Fix:")
    problem, hinted, _ = problem.partition(f"; {HINT}")
    fix = fix.strip() or (HINT if hinted else "")
    return Message(room, problem.strip().rstrip("."), f"{fix.rstrip('.')}." if fix else "")


def messages_table() -> str:
    """Markdown: for each room, a table of its messages and their remedies."""
    parts = []
    every = messages()
    for room, title in TITLES.items():
        rows = [
            (_cell(one.problem), _cell(f"{one.fix[:1].upper()}{one.fix[1:]}" or SAID))
            for one in every
            if one.room == room
        ]
        table = markdown_rows([("message", "how to fix it"), ("---", "---"), *rows])
        parts.append(f"\n### {title}\n\n{table}\n")
    return "".join(parts)


def _cell(text: str) -> str:
    text = re.sub("…+", "…", " ".join(text.split()))
    return text.replace("|", "\\|").replace("<", "&lt;")


def _texts(tree: ast.Module) -> Iterator[str]:
    """What each call of InputError is given, as text."""
    outer = _assigned(tree.body)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            names = {**outer, **_assigned(list(ast.walk(function)))}
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            for call in sorted(calls, key=lambda node: node.lineno):
                if ast.unparse(call.func) == "InputError":
                    yield _words(call.args[0], names)


def _assigned(nodes: list) -> dict[str, list[ast.expr]]:
    """Texts that names stand for."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
    texts = (ast.Constant, ast.JoinedStr)
    set_ = {name: [v for v in values if not _is_none(v)] for name, values in found.items()}
    return {name: v for name, v in set_.items() if all(isinstance(one, texts) for one in v)}


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _words(node: ast.expr, names: Mapping[str, list[ast.expr]]) -> str:
    """An expression of a text, with words for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_words(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        share = node.format_spec is not None and "%" in ast.unparse(node.format_spec)
        return "N%" if share else _words(node.value, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _words(node.left, names) + _words(node.right, names)
    if isinstance(node, ast.Call):
        return _called(node)
    if isinstance(node, ast.Name) and node.id in names:
        return " / ".join(_words(text, names) for text in names[node.id])
    return NOUNS.get(getattr(node, "id", getattr(node, "attr", "")), OTHER)


def _called(node: ast.Call) -> str:
    """The word for what a function returns."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name == "count":
        return f"N {ast.literal_eval(node.args[1])}s"
    return HINT if name == "hint" else CALLS.get(name, OTHER)
