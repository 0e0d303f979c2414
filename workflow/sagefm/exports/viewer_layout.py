"""Panels and controls of the section viewer."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, LinearColorMapper, Range1d
from bokeh.models.annotations import ColorBar, ScaleBar, Title
from bokeh.models.widgets.inputs import AutocompleteInput, Select
from bokeh.models.widgets.markups import Div
from bokeh.models.widgets.sliders import Slider
from bokeh.palettes import RdBu11, interp_palette
from bokeh.plotting import figure

from sagefm.plotting.colours import CLUSTER_COLOURS, GREY

TITLES = {
    "label": "Label",
    "cluster": "Clusters",
    "class": "Predicted class",
    "measured": "Gene, measured",
    "predicted": "Gene, predicted",
    "response": "Response",
    "umap": "UMAP, by label",
}
TIPS = [
    ("spot", "@spot"),
    ("label", "@label"),
    ("cluster", "@cluster"),
    ("true class", "@truth"),
    ("predicted class", "@predicted_class (@probability %)"),
    ("measured", "@measured{0.00}"),
    ("predicted", "@predicted{0.00}"),
    ("response", "@response{0.0000}"),
]
CHANGE = interp_palette(RdBu11, 256)
"""Blue falls, red rises, white stays."""
TOOLS = "pan,wheel_zoom,lasso_select,tap,reset"
SIDE, BESIDE = 320, 70
"""Pixels of a panel's map, a square so that tissue keeps its shape, until the script fits it to the
window, and of the colour bar beside it."""

CONTROL: dict[str, Any] = {"flex": "1 1 10rem", "max-width": "16rem", "min-width": "0"}
"""Style of a control: as many in a line as fit."""


def lay_out(
    columns: Mapping[str, np.ndarray], facts: Mapping[str, Any], script: str, title: str, note: str
) -> Document:
    """All panels over one source of spots, and controls that each run the script.

    Parameters
    ----------
    columns, facts
        Of `viewer.Pages`.
    script
        JavaScript of the callback.
    title, note
        The page's, and HTML that is shown above.
    """
    names = ["x", "y", "u", "v", "spot", "label", "label_colour", "cluster", "cluster_colour"]
    names += ["truth", "predicted_class", "class_colour", "outline", "probability"]
    names += ["measured", "predicted", "response", "radius", "umap_radius"]
    spots = ColumnDataSource({name: [] for name in names}, name="spots")
    pictures = ColumnDataSource({name: [] for name in ["url", "x", "y", "w", "h"]}, name="pictures")
    opacity = Slider(
        start=0,
        end=1,
        value=0.9,
        step=0.05,
        title="Opacity of the spots",
        name="opacity",
        styles=CONTROL,
    )
    mapper = LinearColorMapper(palette="Viridis256", low=0, high=1, name="scale")
    change = LinearColorMapper(palette=CHANGE, low=-1, high=1, nan_color=GREY, name="change")
    scales = {"measured": mapper, "predicted": mapper, "response": change}
    shown = [name for name in TITLES if _has(name, columns, facts)]
    plots = {name: _panel(name, spots, pictures, scales, opacity) for name in shown}
    first = plots[shown[0]]
    for name in shown:
        if name != "umap":
            plots[name].x_range, plots[name].y_range = first.x_range, first.y_range
    controls = _controls(facts)
    units = Div(name="units", sizing_mode="stretch_width")
    first.add_layout(ScaleBar(range=first.x_range, unit="\N{MICRO SIGN}m", location="bottom_left"))
    run = CustomJS(
        args={
            "store": ColumnDataSource({**columns}, name="store"),
            "facts": {**facts, "cluster_colours": [*CLUSTER_COLOURS]},
            "spots": spots,
            "pictures": pictures,
            "mapper": mapper,
            "change": change,
            "plots": plots,
            "beside": BESIDE,
            "units": units,
            **controls,
        },
        code=script,
    )
    for control in controls.values():
        control.js_on_change("value", run)
    wrapped: dict[str, Any] = {"sizing_mode": "stretch_width", "styles": {"flex-wrap": "wrap"}}
    page = column(
        Div(text=note, sizing_mode="stretch_width"),
        row(*controls.values(), opacity, **wrapped),
        units,
        row(*plots.values(), **wrapped),
        sizing_mode="stretch_width",
    )
    document = Document(title=title)
    document.add_root(page)
    document.js_on_event("document_ready", run)
    return document


def representations_of(facts: Mapping[str, Any]) -> list[str]:
    """Names of the representations that have clusters or predicted classes on the page."""
    return [*dict.fromkeys(chain(facts["clusterings"], *facts["tasks"].values()))]


def _has(panel: str, columns: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> bool:
    """Whether the page has something to draw in a panel."""
    needed = {
        "label": "label" in facts["classes"],
        "cluster": facts["clusterings"],
        "class": facts["tasks"],
        "response": facts.get("responses"),
        "umap": any(name.startswith("umap_x|") for name in columns),
    }
    return bool(needed.get(panel, True))


def _controls(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What can be chosen: section, representation, task, perturbed pair, gene."""
    sections = [one["name"] for one in facts["sections"]]
    tasks = [*facts["tasks"]]
    genes = [*facts["genes"]]
    choices = {"section": sections, "model": representations_of(facts), "task": tasks}
    choices["pair"] = [*facts.get("responses", {})]
    titles = {"section": "Section", "model": "Representation", "task": "Task"}
    titles["pair"] = "Perturbation"
    controls: dict[str, Any] = {
        name: Select(
            title=titles[name],
            options=_options(own, facts["names"]),
            value=_first(facts, name, own),
            name=name,
            styles=CONTROL,
        )
        for name, own in choices.items()
        if own
    }
    controls["gene"] = AutocompleteInput(
        title="Gene",
        completions=genes,
        value=_first(facts, "gene", genes),
        restrict=True,
        min_characters=1,
        case_sensitive=False,
        name="gene",
        styles=CONTROL,
    )
    return controls


def _options(names: Sequence[str], titles: Mapping[str, str]) -> list[str | tuple[Any, str]]:
    """Choices of a control, shown by their titles."""
    return [(name, titles.get(name, name)) for name in names]


def _first(facts: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
    """What a control shows at first: what `facts["first"]` has of it, if it is a choice."""
    asked = facts["first"].get(name, "")
    return asked if asked in choices else choices[0]


def _panel(
    name: str,
    spots: ColumnDataSource,
    pictures: ColumnDataSource,
    scales: Mapping[str, LinearColorMapper],
    opacity: Slider,
) -> figure:
    """One map, or the UMAP. `scales` are of the panels that show a number."""
    is_map = name != "umap"
    plot = figure(
        title=Title(text=TITLES[name], text_font_size="12px"),
        frame_width=SIDE,
        frame_height=SIDE,
        min_border_right=BESIDE,
        styles={"flex": "none"},
        toolbar_location="below",
        tools=TOOLS,
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
        name=name,
    )
    plot.axis.visible = False
    plot.grid.visible = False
    if is_map:
        plot.image_url("url", "x", "y", "w", "h", source=pictures, anchor="top_left")
    colours: dict[str, Any] = {
        "label": "label_colour",
        "umap": "label_colour",
        "cluster": "cluster_colour",
        "class": "class_colour",
        **{own: {"field": own, "transform": scale} for own, scale in scales.items()},
    }
    drawn = plot.circle(
        x="x" if is_map else "u",
        y="y" if is_map else "v",
        source=spots,
        radius="radius" if is_map else "umap_radius",
        fill_color=colours[name],
        line_color="outline" if name == "class" else None,
        line_width=1.5,
        fill_alpha=opacity.value,
        nonselection_fill_alpha=0.15,
    )
    opacity.js_link("value", drawn.glyph, "fill_alpha")
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=TIPS))
    if name in scales:
        plot.add_layout(ColorBar(color_mapper=scales[name], width=8), "right")
    return plot
