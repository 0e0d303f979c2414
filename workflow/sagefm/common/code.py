"""Which files of the library a module needs, so that a rule reruns when one of them changes.

Snakemake notices edits to a script, not to what the script imports; rules therefore name the
library files they depend on as inputs, found here by reading the imports.
"""

import ast
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parents[1]


def module_files(*names: str) -> list[str]:
    """Files of the named modules of `sagefm` and of all that they import from it.

    Raises
    ------
    FileNotFoundError
        If there is no such module.
    """
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(_imports(name))
    return sorted(str(_file(name)) for name in found)


def _file(name: str) -> Path:
    return LIBRARY / f"{name.replace('.', '/')}.py"


@cache
def _imports(name: str) -> tuple[str, ...]:
    tree = ast.parse(_file(name).read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    inner = [node.module or "" for node in nodes if (node.module or "").startswith("sagefm.")]
    return tuple(module.removeprefix("sagefm.") for module in inner)
