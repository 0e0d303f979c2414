"""Networks by name: one file each in this folder, which declares facts about the network.

The plan of a run, the schemas, the methods text and the figures need a network's facts, but not the
network. The facts are constants at the top level of its file. They are read from the source here,
so that torch is not imported. The network is the file's class `Network`, a subclass of
`base.GeneDecoder`.

| constant | meaning |
|---|---|
| docstring | first paragraph: description of the network for the documentation's table |
| `TITLE` | name of the network in the methods text |
| `LAYOUTS` | layout of its input (`sections.layouts`) by kind of graph; `*` is any other kind |
| `SIZES` | widths from input to prediction; `genes` and the config's `widths` are filled in |
| `FIRST_LAYERS` | number of parallel first layers; default 1 |
| `FIXED` | number of stored, untrained values per gene; default 0 |
| `COLLAPSES` | layouts on which it is a `collapsed.Collapsible`; default none |
| `LOSS` | arguments of `Loss`; default squared error |
| `LAYERS` | names of layers in the network's figure, by prefix in the checkpoint |
| `REFUSES_MISSING_GENES` | why it cannot predict genes missing from a whole section, if so |
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
"""Files with a class `Network`, here and in the `networks` folder of each `SAGEFM_PATH` entry."""

DECODER = "fc_gene"
"""Name of the layer that predicts genes, in every network's checkpoint."""

ANY_GRAPH = "*"
"""Key of `LAYOUTS` for all kinds of graph that it does not list."""


@dataclass(frozen=True)
class Loss:
    """The loss that a network's training minimises.

    Attributes
    ----------
    name
        Name in `training.json`.
    words
        Description in the methods text.
    axis
        Axis label, with the unit.
    is_squared_error
        Whether it is comparable with the mean squared error of untrained predictions.
    """

    name: str = "squared error"
    words: str = "mean squared error"
    axis: str = "mean squared error\nof hidden entries"
    is_squared_error: bool = False


SQUARED_ERROR = Loss(is_squared_error=True)


@dataclass(frozen=True)
class NetworkFacts:
    """Facts declared in a network's file: the constants of the table above, in lower case."""

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
        """Layout of its input on a kind of graph, which its method `embed_{layout}` takes."""
        return self.layouts.get(graph_kind) or self.layouts[ANY_GRAPH]

    def collapses_on(self, graph_kind: str) -> bool:
        """Return whether it is a stack of dense layers (`Collapsible`) on a kind of graph."""
        return self.layout(graph_kind) in self.collapses

    def input_words(self, graph_kind: str, spots: int) -> str:
        """Return its input in words for a figure; `spots` is the size of a neighbourhood."""
        return LAYOUTS[self.layout(graph_kind)].format(spots=count(spots, "spot"))

    def chain(self, n_genes: int, widths: Sequence[int]) -> list[int]:
        """Return the widths of its layers from the input to the prediction."""
        filled: dict[str | int, Sequence[int]] = {"genes": [n_genes], "widths": widths}
        return [width for size in self.sizes for width in filled.get(size) or [int(size)]]

    def embedding_width(self, widths: Sequence[int]) -> int:
        """Return the number of features of an embedding, given the config's `widths`."""
        return self.chain(0, widths)[-2]

    def parameters(self, n_genes: int, widths: Sequence[int]) -> int:
        """Return the number of trained parameters, without biases."""
        chain = self.chain(n_genes, widths)
        more = (self.first_layers - 1) * chain[0] * chain[1]
        return more + sum(one * other for one, other in pairwise(chain))

    def layer_name(self, layer: str) -> str:
        """Return a layer's display name, from its name in the checkpoint."""
        for start, words in self.layers.items():
            if layer.startswith(start):
                return words + layer.removeprefix(start)
        return layer.replace(".", " ").replace("_", " ")


def names() -> tuple[str, ...]:
    """Return the names of all networks, sorted."""
    return NETWORKS.names()


def help_of(name: str) -> str:
    """Describe a network in a sentence or two, for the documentation."""
    facts = describe(name)
    last = facts.sizes[-2]
    width = "" if last == "widths" else f" Its embedding has {last} features, whatever `widths` is."
    return facts.help + width


def describe(name: str) -> NetworkFacts:
    """Read the facts declared in a network's file, without executing it.

    Raises
    ------
    InputError
        If there is no such network, or its file lacks a constant or has one that is not a literal.
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
