"""Networks by name: one file each in this folder, and what it says of itself.

The plan of a run, the schemas, the text of the methods and the figures need a network's facts, but
not the network. Those are constants at the top level of its file, read from the source here, so
that torch is not imported; the network is the file's class `Network`, of `base.GeneDecoder`.

| constant | what it is |
|---|---|
| docstring | its first paragraph says what the network is, in the table of the documentation |
| `TITLE` | what it is, in the text of the methods |
| `LAYOUTS` | its input (of `sections.layouts`) by kind of graph; `*` is any other kind |
| `SIZES` | widths from input to prediction; `genes` and `widths` (of the config) are filled in |
| `FIRST_LAYERS` | how many first layers it has side by side; 1 if not given |
| `FIXED` | numbers a gene that it keeps and does not train; 0 if not given |
| `COLLAPSES` | the layouts on which it is a `collapsed.Collapsible`; none if not given |
| `LOSS` | the arguments of `Loss`; the squared error if not given |
| `LAYERS` | names of layers in the figure of the network, by how they begin in the checkpoint |
| `REFUSES_MISSING_GENES` | why it does not predict a gene that no spot of a section has; if so |
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from sagefm.common.errors import InputError, hint
from sagefm.common.registry import Registry
from sagefm.common.text import count
from sagefm.sections.layouts import LAYOUTS

NETWORKS = Registry("networks", "network", required=("Network",))
"""The files that have a class `Network`, here and in the `networks` of each `SAGEFM_PATH`."""

DECODER = "fc_gene"
"""Name of the layer that predicts genes, in every network's checkpoint."""

ANY_GRAPH = "*"
"""The key of `LAYOUTS` for kinds of graph that it does not name."""


@dataclass(frozen=True)
class Loss:
    """What the training of a network minimises.

    Attributes
    ----------
    name
        As in `training.json`.
    words
        In the text of the methods.
    axis
        Label of an axis, with the unit.
    is_squared_error
        Whether it compares with the mean squared error of untrained predictions.
    """

    name: str = "squared error"
    words: str = "mean squared error"
    axis: str = "mean squared error\nof hidden entries"
    is_squared_error: bool = False


SQUARED_ERROR = Loss(is_squared_error=True)


@dataclass(frozen=True)
class NetworkFacts:
    """What a network's file says of it: the constants of the table above, in lower case."""

    name: str
    help: str
    title: str
    layouts: Mapping[str, str]
    sizes: Sequence[str | int]
    first_layers: int = 1
    fixed: int = 0
    collapses: Sequence[str] = ()
    loss: Loss = SQUARED_ERROR
    layers: Mapping[str, str] = field(default_factory=dict)
    refuses_missing_genes: str = ""

    def layout(self, graph_kind: str) -> str:
        """Layout of its input on a kind of graph; its method `embed_{layout}` takes that."""
        return self.layouts.get(graph_kind) or self.layouts[ANY_GRAPH]

    def collapses_on(self, graph_kind: str) -> bool:
        """Whether it is a stack of dense layers over means (`Collapsible`) on a kind of graph."""
        return self.layout(graph_kind) in self.collapses

    def input_words(self, graph_kind: str, spots: int) -> str:
        """What enters it, in a figure; `spots` is the size of a neighbourhood."""
        return LAYOUTS[self.layout(graph_kind)].format(spots=count(spots, "spot"))

    def chain(self, n_genes: int, widths: Sequence[int]) -> list[int]:
        """Widths of its layers from the input to the prediction."""
        filled: dict[str | int, Sequence[int]] = {"genes": [n_genes], "widths": widths}
        return [width for size in self.sizes for width in filled.get(size) or [int(size)]]

    def embedding_width(self, widths: Sequence[int]) -> int:
        """Features of an embedding, by the `widths` of the config."""
        return self.chain(0, widths)[-2]

    def parameters(self, n_genes: int, widths: Sequence[int]) -> int:
        """Trained parameters, biases left out."""
        chain = self.chain(n_genes, widths)
        more = (self.first_layers - 1) * chain[0] * chain[1]
        return more + sum(one * other for one, other in pairwise(chain))

    def layer_name(self, layer: str) -> str:
        """A layer's name for people, from its name in the checkpoint."""
        for start, words in self.layers.items():
            if layer.startswith(start):
                return words + layer.removeprefix(start)
        return layer.replace(".", " ").replace("_", " ")


def names() -> tuple[str, ...]:
    """Names of all networks, sorted."""
    return NETWORKS.names()


def help_of(name: str) -> str:
    """What a network is, in a sentence or two, for the documentation."""
    facts = describe(name)
    last = facts.sizes[-2]
    width = "" if last == "widths" else f" Its embedding has {last} features, whatever `widths` is."
    return facts.help + width


def describe(name: str) -> NetworkFacts:
    """What a network's file says of it; nothing in the file is executed.

    Raises
    ------
    InputError
        If there is no such network, or its file lacks a constant or has one that is not plain.
    """
    return _read_facts(NETWORKS.file(name))


@cache
def _read_facts(path: Path) -> NetworkFacts:
    tree = ast.parse(path.read_text())
    known = {field.name for field in fields(NetworkFacts)} - {"name", "help"}
    facts: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            key = node.targets[0].id.lower()
            if key in known:
                facts[key] = _value(path, node)
    for key in ("title", "layouts", "sizes"):
        if key not in facts:
            raise InputError(f"{path}: `{key.upper()}` is missing. Fix: add it; see gcn.py.")
    if "loss" in facts:
        facts["loss"] = Loss(**facts["loss"])
    if unknown := sorted(set(facts["layouts"].values()) - set(LAYOUTS)):
        raise InputError(f"{path}: there is no layout `{unknown[0]}`; {hint(unknown[0], LAYOUTS)}.")
    paragraph = (ast.get_docstring(tree) or "").split("\n\n")[0]
    return NetworkFacts(path.stem, " ".join(paragraph.split()), **facts)


def _value(path: Path, node: ast.Assign) -> Any:
    try:
        return ast.literal_eval(node.value)
    except ValueError as error:
        raise InputError(
            f"{path}, line {node.lineno}: not a constant, but the file is read without being run. "
            "Fix: write a number, text, or a tuple or dictionary of them."
        ) from error
