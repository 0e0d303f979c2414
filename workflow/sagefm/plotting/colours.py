"""The colours and names that figures and registries share, readable without matplotlib.

Each kind of thing has its own palette: methods the bright one of Okabe and Ito, models its blues,
classes a dusky one, patients a pastel one, organs dark and pale in turn, clusters a rainbow. What
is ordered or has a mark is grey: protocols, parts of the split, controls.
"""

from collections.abc import Iterable, Mapping
from itertools import cycle
from types import MappingProxyType

# The eight colours of Okabe and Ito (2008), https://jfly.uni-koeln.de/color/
OKABE_ITO = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "vermilion": "#D55E00",
    "yellow": "#F0E442",
    "black": "#000000",
}

GREY = "#8A8A8A"
"""For what has no colour left."""

NEUTRAL = "#3C3C3C"
"""For what belongs to no predictor: references, annotations."""

MODEL_COLOURS = (OKABE_ITO["blue"], "#08306B", OKABE_ITO["sky"], "#3F8FD0")
"""Blues of a run's models in their order. More models share them, told apart by their marks."""

UNTRAINED_COLOUR = "#B4DDF0"
"""A network before its first step of training: the palest blue."""

PREDICTOR_COLOURS = {
    "model": MODEL_COLOURS[0],
    "neighbour_mean": OKABE_ITO["orange"],
    "sample_gene_mean": "#6B6B00",
    "gene_mean": "#A5A5F0",
    "gene_mean_depth": "#2E1F5E",  # a dark shade of the training mean's
    "zero": OKABE_ITO["black"],
    # Controls that see no gene: greys.
    "visible_depth": "#484848",
    "neighbour_depth": "#707070",
    "random": "#C0C0C0",
}

PREDICTOR_NAMES = {
    "model": "model",
    "neighbour_mean": "neighbour mean",
    "sample_gene_mean": "gene's mean in the section",
    "gene_mean": "gene's training mean",
    "gene_mean_depth": "training mean × spot's depth",
    "zero": "zero",
    "visible_depth": "depth of the visible genes",
    "neighbour_depth": "depth of the neighbours",
    "random": "random number",
}
"""What predictors are called, in figures and claims."""

# The `muted` scheme of Paul Tol, https://personal.sron.nl/~pault/, then what differs most from it
# and is no paler.
CLASS_COLOURS = (
    *("#CC6677", "#332288", "#DDCC77", "#117733", "#88CCEE", "#882255", "#44AA99", "#999933"),
    *("#AA4499", "#3980FF", "#552A00", "#2AD4AA", "#639CB8", "#2A47FF", "#D40000", "#AA4763"),
    *("#80AAFF", "#713939", "#0000D4", "#B8B800"),
)
"""Labels and the classes of tasks, those with the most spots first."""

# Tol's `light` scheme, then what differs most from it and is no paler.
PATIENT_COLOURS = (
    *("#77AADD", "#EE8866", "#EEDD88", "#FFAABB", "#99DDFF", "#44BB99", "#BBCC33", "#AAAA00"),
    *("#551C55", "#800000", "#552AFF", "#8E5563", "#8E719C", "#808000", "#7171FF", "#800E39"),
    *("#5500AA", "#716339", "#B86363", "#714771"),
)

# Tol's `dark` and `pale` schemes in turn.
ORGAN_COLOURS = (
    *("#222255", "#FFCCCC", "#666633", "#BBCCEE", "#663333", "#EEEEBB", "#225555", "#CCDDAA"),
    *("#225522", "#CCEEFF", "#555555", "#DDDDDD"),
)

# Tol's discrete rainbow of 23, each the one that differs most from those before it.
CLUSTER_COLOURS = (
    *("#1965B0", "#F7F056", "#72190E", "#D9CCE3", "#E65518", "#6195CF", "#90C987", "#882E72"),
    *("#F4A736", "#AA6F9E", "#994F88", "#DC050C", "#7BAFDE", "#4EB265", "#42150A", "#437DBF"),
    *("#BA8DB4", "#A5170E", "#CAE0AB", "#CAACCB", "#EE8026", "#E8ECFB", "#F7CB45"),
)
"""Clusters of one section, which are numbers and mean nothing in another."""

SPLIT_COLOURS = {"train": NEUTRAL, "validation": "#7D7D7D", "test": "#B5B5B5"}
"""Parts of the split, the same in all figures."""

PART_COLOURS = {**SPLIT_COLOURS, "scored only": "#E0E0E0"}
"""Parts that a run's sections may be in."""

PROTOCOL_COLOURS = {
    "random_spots": "#B8B8B8",
    "spatial_blocks": "#929292",
    "held_out_samples": "#636363",
    "held_out_patients": "#111111",
}
"""Protocols, the harder the darker, in the order of drawing."""

CONTROL_COLOURS = {"unmatched": NEUTRAL, "random": "#B0B0B0", "expression_matched": "#757575"}
"""Controls of perturbed pairs."""

ROLE_COLOURS = {"centre": "#EE3377", "neighbour": "#009988"}
"""Of no palette: spots of a neighbourhood, on greys."""

BLANK = "#D5D5D5"
"""Spots without what a map shows: no label, excluded, an output that cannot respond."""

UNMATCHED = "#9A9A9A"
"""Clusters that are matched to no label."""

PALE = "#C4C4C4"
"""For parts of a drawing that are beside the point, and a third of equal colours."""

GRID = "#E3E3E3"
"""Lines behind the data."""


NO_COLOURS: Mapping[str, str] = MappingProxyType({})
"""Of models that no run gives colours."""


def model_colours(models: Iterable[str]) -> dict[str, str]:
    """A colour for each model, in the order of the config."""
    return dict(zip(models, cycle(MODEL_COLOURS), strict=False))


def predictor_colours(model: str, colours: Mapping[str, str] = NO_COLOURS) -> dict[str, str]:
    """`PREDICTOR_COLOURS` with the model's own blue; the first blue if it has none.

    Parameters
    ----------
    model
        As it is named in a figure's table.
    colours
        Of a run's models, by that name.
    """
    return PREDICTOR_COLOURS | {"model": colours.get(model, MODEL_COLOURS[0])}
