"""A task's errors: confusion of the classes, and true and predicted maps on the tissue."""

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch

from sagefm.annotation.figures import PROTOCOLS
from sagefm.annotation.terms import KEYS
from sagefm.annotation.titles import accuracies, recall_range, row_name
from sagefm.common.text import count
from sagefm.plotting.colours import BLANK
from sagefm.plotting.headline import headline
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, colours_of, styled
from sagefm.plotting.tissue import draw_scale_bar, draw_spots, spot_pitch
from sagefm.representations.catalogue import REGISTERED, Catalogue

SECTIONS_A_ROW = 2

TITLE_CHARACTERS = 16
"""A line of the title of a map, or of the name of a class: longer ones are broken."""

BELOW_NAME = 14
"""Points from a map to its scale bar, the section's name between them."""


@styled
def draw_confusion(
    confusion: pd.DataFrame, shown: pd.DataFrame, title: str, catalogue: Catalogue = REGISTERED
) -> Figure:
    """Of each true class (rows), the share predicted to be each class; numbers are per cent.

    The title is which class the headline's representation finds best, and which worst.

    Parameters
    ----------
    confusion
        Of `tables.confusion_table`.
    shown
        Whose: the roles headline and best have a panel each.
    title
        What the task asks.
    catalogue
        Names of the representations.
    """
    names = confusion["truth"].unique()
    side = min(0.39 * len(names), 2.4)
    longest = max(len(line) for name in names for line in _broken(name).split("\n"))
    figure = Figure(figsize=(DOUBLE, side + 0.065 * longest + 0.9))
    fill_confusion(figure, confusion, shown[shown["role"] != "baseline"], title, catalogue)
    return figure


def fill_confusion(
    figure: FigureBase,
    confusion: pd.DataFrame,
    shown: pd.DataFrame,
    title: str,
    catalogue: Catalogue = REGISTERED,
) -> None:
    """Fill a figure, or a part of one, with `draw_confusion` of all that are `shown`."""
    whose = shown.to_dict("records")
    picked = shown.merge(confusion, on=KEYS)
    first = picked[picked["role"] == whose[0]["role"]]
    names = list(first.groupby("truth")["n_spots"].sum().sort_values(ascending=False).index)
    panels = figure.subplots(1, len(whose), sharey=True, squeeze=False)[0]
    for ax, row in zip(panels, whose, strict=True):
        own = picked[picked["role"] == row["role"]]
        table = own.pivot_table(index="truth", columns="predicted", values="n_spots", aggfunc="sum")
        table = table.reindex(index=names, columns=names).fillna(0)
        totals = table.sum(axis=1)
        shares = table.div(totals, axis=0).to_numpy()
        image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        for (i, j), share in np.ndenumerate(shares):
            if share >= 0.005:
                colour = "white" if share > 0.55 else "black"
                ax.text(j, i, f"{100 * share:.0f}", ha="center", va="center", color=colour,
                        fontsize=7)  # fmt: skip
        ax.set_xticks(range(len(names)), map(_broken, names), rotation=90)
        ax.set_yticks(range(len(names)), [_broken(f"{n} ({totals[n]:,.0f})") for n in names])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        ax.set_xlabel("predicted class")
        ax.set_title(row_name(row["representation"], bool(row["centred"]), catalogue=catalogue))
    panels[0].set_ylabel("true class (spots)")
    bar = figure.colorbar(image, ax=list(panels), shrink=0.6, aspect=15, ticks=[0, 0.5, 1])
    bar.ax.set_yticklabels(["0", "50", "100"])
    bar.set_label("% of the true class")
    bar.outline.set_visible(False)
    protocol = PROTOCOLS[whose[0]["protocol"]][0]
    about = f"{title}: {protocol}, {whose[0]['classifier']} classifier"
    headline(figure, recall_range(confusion, shown, catalogue), about)


def _broken(name: str) -> str:
    return fill(name, TITLE_CHARACTERS)


@styled
def draw_annotation_maps(
    maps: pd.DataFrame,
    shown: pd.DataFrame,
    title: str,
    palette: Mapping[str, str],
    catalogue: Catalogue = REGISTERED,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> Figure:
    """Every section's true classes and those predicted while it was held out.

    y runs downwards, as in the image; excluded spots are grey. The title is the accuracy at the
    spots drawn.

    Parameters
    ----------
    maps
        Of `tables.map_table`: label, and columns headline and best as far as shown.
    shown
        Whose the predictions are.
    title
        What the task asks.
    palette
        Colours of labels; classes that it does not know get others.
    catalogue
        Names of the representations.
    tissues
        Of the sections, as far as there are any: their images and scale bars.
    """
    across = SECTIONS_A_ROW * len(_columns(maps, shown, catalogue))
    down = -(-maps.loc[maps["label"].notna(), "sample"].nunique() // SECTIONS_A_ROW)
    figure = Figure(figsize=(DOUBLE, down * (DOUBLE / across * 1.02 + 0.32) + 1.2))
    fill_annotation_maps(figure, maps, shown, title, palette, catalogue=catalogue, tissues=tissues)
    return figure


def fill_annotation_maps(
    figure: FigureBase,
    maps: pd.DataFrame,
    shown: pd.DataFrame,
    title: str,
    palette: Mapping[str, str],
    across: int = SECTIONS_A_ROW,
    legend_columns: int = 4,
    catalogue: Catalogue = REGISTERED,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> None:
    """Fill a figure, or a part of one, with `draw_annotation_maps`; `across` sections a row."""
    columns = _columns(maps, shown, catalogue)
    labels = pd.unique(maps[list(columns)].to_numpy().ravel())
    colours = colours_of((name for name in labels if isinstance(name, str)), palette)
    sections = [*maps[maps["label"].notna()].groupby("sample", sort=False)]
    panels = figure.subplots(-(-len(sections) // across), across * len(columns), squeeze=False)
    for ax in panels.flat:
        ax.set_axis_off()
    for number, (sample, part) in enumerate(sections):
        first = (number % across) * len(columns)
        own = maps[maps["sample"] == sample]
        at = own[["x_pixels", "y_pixels"]].to_numpy()
        tissue = tissues.get(str(sample))
        for offset, (column, label) in enumerate(columns.items()):
            ax = panels[number // across, first + offset]
            faces = own[column].map(colours).fillna(BLANK)
            draw_spots(ax, at, spot_pitch(at), tissue, facecolors=list(faces))
            ax.set_anchor("N")
            if number < across:
                ax.set_title(_broken(label), loc="center", fontsize=7)
            agree = part["label"] == part[column]
            if column == "label":
                text = f"{sample} ({part['patient'].iloc[0]})"
                draw_scale_bar(ax, at, tissue, BELOW_NAME)
            else:
                text = (
                    f"{agree.mean():.0%} accuracy" if part[column].notna().all() else "not scored"
                )
            ax.text(0.5, -0.02, text, transform=ax.transAxes, ha="center", va="top", fontsize=7)
    protocol = PROTOCOLS[shown["protocol"].iloc[0]][0]
    about = f"{title}: {count(len(sections), 'section')}, {protocol}"
    headline(figure, accuracies(maps, shown, catalogue), about)
    handles = [Patch(color=colour, label=name) for name, colour in colours.items()]
    if maps["label"].isna().any():
        handles.append(Patch(color=BLANK, label="excluded"))
    ncols = min(len(handles), legend_columns)
    figure.legend(handles=handles, loc="outside lower center", ncols=ncols)


def _columns(maps: pd.DataFrame, shown: pd.DataFrame, catalogue: Catalogue) -> dict[str, str]:
    """Columns of the table that are drawn, and their titles."""
    roles = [row for row in shown.to_dict("records") if row["role"] in maps]
    names = {
        row["role"]: row_name(row["representation"], bool(row["centred"]), catalogue=catalogue)
        for row in roles
    }
    return {"label": "true", **names}
