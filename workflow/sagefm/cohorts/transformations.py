"""Transformations from an element's own units to a coordinate system of its SpatialData store.

These are the OME-NGFF transformations that spatialdata writes, in x and y:
https://spatialdata.scverse.org/en/stable/design_doc.html
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

GLOBAL = "global"
"""The default coordinate system of spatialdata: that of the full-resolution image."""

AXES = ("x", "y")


def chosen_transformation(described: Sequence[Mapping[str, Any]]) -> tuple[str, np.ndarray]:
    """Return an element's coordinate system in full-resolution pixels, and the way to it.

    That is `global`, or the only one. Otherwise it is the one in the element's own units, as for
    Visium with images of several sizes. If there is none, the name is empty.

    Parameters
    ----------
    described
        `coordinateTransformations` of the element.

    Returns
    -------
    system
        Name of the system; empty if there is none.
    matrix
        float64 (2, 3): x and y in the system are `matrix @ (x, y, 1)`.
    """
    ways = {str(one["output"]["name"]): affine_of(one) for one in described}
    own = [name for name, way in ways.items() if np.allclose(way, np.eye(3))]
    candidates = [GLOBAL] if GLOBAL in ways else [*ways] if len(ways) == 1 else own
    name = next(iter(candidates), "")
    return name, ways.get(name, np.eye(3))[:2]


def affine_of(described: Mapping[str, Any]) -> np.ndarray:
    """Return a transformation as a matrix of x, y and 1: float64 (3, 3).

    Raises
    ------
    ValueError
        If the type of transformation is unknown.
    """
    kind = described["type"]
    axes = _axes(described, "input", AXES)
    if kind == "sequence":
        whole = np.eye(3)
        for part in described["transformations"]:
            whole = affine_of({"input": described["input"], **part}) @ whole
        return whole
    matrix = np.eye(3)
    if kind in ("scale", "translation"):
        for row, axis in enumerate(AXES):
            place = (row, row) if kind == "scale" else (row, 2)
            matrix[place] = described[kind][axes.index(axis)]
    elif kind == "affine":
        values = np.asarray(described["affine"], dtype=np.float64)
        out = _axes(described, "output", axes)
        for row, axis in enumerate(AXES):
            line = values[out.index(axis)]
            matrix[row] = [*(line[axes.index(one)] for one in AXES), line[-1]]
    elif kind == "mapAxis":
        for row, axis in enumerate(AXES):
            matrix[row, :2] = [described["mapAxis"][axis] == one for one in AXES]
    elif kind != "identity":
        raise ValueError(f"a transformation of type `{kind}`")
    return matrix


def _axes(described: Mapping[str, Any], side: str, unnamed: tuple[str, ...]) -> tuple[str, ...]:
    found = described.get(side, {}).get("axes", ())
    return tuple(axis["name"] for axis in found) or unnamed
