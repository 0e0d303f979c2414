"""The API page of the documentation: what `import sagefm` offers, from the package itself."""

import inspect

import sagefm
from sagefm.common.text import markdown_rows


def api_table() -> str:
    """Markdown of every public function: a table, and a section that MkDocs fills from it."""
    found = [(name, getattr(sagefm, name)) for name in sagefm.__all__]
    rows = [("function", "what it does"), ("---", "---")]
    rows += [
        (f"`sagefm.{name}`", (inspect.getdoc(one) or "").split("\n")[0]) for name, one in found
    ]
    sections = [
        f"::: {one.__module__}.{name}\n    options:\n      heading: sagefm.{name}\n"
        for name, one in found
    ]
    return "\n".join([markdown_rows(rows), "", *sections, ""])
