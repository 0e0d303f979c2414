"""The sections of a cohort to look through: one HTML file that needs no network, built by Bokeh."""

import base64
import html
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from anndata import AnnData

from sagefm.common.text import capital, count
from sagefm.exports.explore import held_out
from sagefm.plotting.histology import PITCH, neighbour_distance
from sagefm.plotting.style import NEUTRAL, colours_of

MOST_SPOTS = 20_000
"""Spots that a page shows; of a cohort with more, it shows some sections whole."""

LEVELS = 255
"""Steps of an expression value on the page: a byte for each."""

NONE = 255
"""Code of a spot without label, cluster or prediction."""


HEAD = """{% block postamble %}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body { padding: 0 .5rem; font: 14px/1.45 system-ui, sans-serif; }</style>
{% endblock %}"""
"""What the page has beside Bokeh's own head: it is as wide as a phone."""


def shown_samples(spots: Mapping[str, int], patients: Mapping[str, str]) -> list[str]:
    """Sections that fit on a page, one of each patient before a second of any.

    Parameters
    ----------
    spots, patients
        Number of spots and patient of each section, in the cohort's order.
    """
    turns: dict[str, int] = {}
    order: list[tuple[int, int, str]] = []
    for name, patient in patients.items():
        order.append((turns.setdefault(patient, 0), len(order), name))
        turns[patient] += 1
    chosen: set[str] = set()
    total = 0
    for _, _, name in sorted(order):
        if not chosen or total + spots[name] <= MOST_SPOTS:
            chosen.add(name)
            total += spots[name]
    return [name for name in spots if name in chosen]


def shown_genes(expression: sp.csr_matrix, named: Sequence[int], most: int = 300) -> np.ndarray:
    """Columns of the genes on the page: the most variable, and those that are named; sorted.

    Parameters
    ----------
    expression
        (spots, genes), normalised.
    named
        Columns that are there in any case.
    """
    mean = np.asarray(expression.mean(axis=0)).ravel()
    variance = np.asarray(expression.power(2).mean(axis=0)).ravel() - mean**2
    return np.unique([*np.argsort(-variance, kind="stable")[:most], *named]).astype(int)


@dataclass
class Pages:
    """What a page holds, as its script reads it.

    Attributes
    ----------
    columns
        One value a spot: `x`, `y` (micrometres), `label`, `cluster|NAME`, `truth|TASK`,
        `class|TASK|NAME` (codes, uint8), `probability|TASK|NAME` (per cent), `umap_x|NAME`,
        `umap_y|NAME` (float32), `measured|GENE`, `predicted|GENE` (of `LEVELS`, uint8),
        `response|PAIR` (float32).
    facts
        sections, genes with their highest value, clusterings, tasks, classes with colours, names of
        spots, the predictor of genes, names of representations for readers, responses with their
        largest size if there are any, and `first`: what the controls show at first.
    """

    columns: dict[str, np.ndarray]
    facts: dict[str, Any]


def collect_spots(
    adata: AnnData,
    predictions: Mapping[str, Mapping[str, pd.DataFrame]],
    classifiers: Mapping[str, str],
    palette: Mapping[str, str],
    technologies: Mapping[str, str],
) -> Pages:
    """A page's spots, without genes.

    Parameters
    ----------
    adata
        Of `explore_cohort`, section after section.
    predictions, classifiers, palette
        As for `explore_cohort`.
    technologies
        Of each section, as its sheet has it.
    """
    sections, place = [], np.empty((adata.n_obs, 2), dtype=np.float32)
    samples = adata.obs["sample"].astype(str).to_numpy()
    for name in pd.unique(samples):
        rows = np.flatnonzero(samples == name)
        at = adata.obsm["spatial"][rows]
        pitch = PITCH.get(technologies.get(name, ""), 0.0)
        scale = (pitch or 1.0) / (neighbour_distance(at) or 1.0)
        low = at.min(axis=0)
        place[rows] = (at - low) * scale * [1, -1]
        picture = _picture(adata.uns["spatial"][name], low, scale)
        section = {"name": name, "start": int(rows[0]), "stop": int(rows[-1]) + 1}
        patient = str(adata.obs["patient"].iloc[rows[0]]) if "patient" in adata.obs else ""
        section |= {"picture": picture, "pitch": pitch, "patient": patient}
        sections.append(section | {"radius": 0.42 * (pitch or 1.0)})
    columns: dict[str, np.ndarray] = {"x": place[:, 0], "y": place[:, 1]}
    facts: dict[str, Any] = {"sections": sections, "classes": {}, "tasks": {}, "clusterings": []}
    if "label" in adata.obs:
        _classes(columns, facts, "label", adata.obs["label"], palette)
    clusters = adata.obsm.get("clusters", pd.DataFrame())
    for column in clusters:
        kind, _, name = str(column).partition("_section_")
        if kind == "kmeans" and name:
            values = clusters[column].astype(object)
            columns[f"cluster|{name}"] = _codes(values, sorted(values.dropna().unique()))
            facts["clusterings"].append(name)
    for task, found in predictions.items():
        tables = {name: held_out(table, name, classifiers[task]) for name, table in found.items()}
        tables = {
            name: own for name, own in tables.items() if len(own) and any(own["predicted"].notna())
        }
        if not tables:  # no fold could be trained, or no spot is confident
            continue
        named = [table.get("truth", table["predicted"]) for table in tables.values()]
        known = sorted(set(pd.concat(named).dropna().astype(str)))
        facts["tasks"][task] = list(tables)
        facts["classes"][task] = _coloured(known, palette)
        for name, table in tables.items():
            index = table["sample"].astype(str) + ":" + table["spot"].astype(str)
            own = table.set_index(pd.Index(index)).reindex(adata.obs_names)
            unknown = pd.Series(index=own.index, dtype=object)
            columns[f"truth|{task}"] = _codes(own.get("truth", unknown), known)
            columns[f"class|{task}|{name}"] = _codes(own["predicted"], known)
            shares = own.filter(regex="^p_").max(axis=1).fillna(0).to_numpy(dtype=float)
            columns[f"probability|{task}|{name}"] = np.round(100 * shares).astype(np.uint8)
    for key in adata.obsm:
        if key.startswith("X_umap_"):
            for axis, letter in enumerate("xy"):
                name = f"umap_{letter}|{key.removeprefix('X_umap_')}"
                columns[name] = np.asarray(adata.obsm[key])[:, axis].astype(np.float32)
    return Pages(columns, facts)


def first_labelled(pages: Pages) -> str:
    """The first section that has labels; the first of all if none has."""
    sections, labels = pages.facts["sections"], pages.columns.get("label")
    named = [
        one["name"]
        for one in sections
        if labels is not None and (labels[one["start"] : one["stop"]] != NONE).any()
    ]
    return [*named, sections[0]["name"]][0]


def add_genes(
    pages: Pages, names: Sequence[str], measured: np.ndarray, predicted: np.ndarray
) -> None:
    """Put genes on the page, measured and predicted in one scale.

    Parameters
    ----------
    measured, predicted
        (spots, genes), in the same units.
    """
    tops = {}
    for i, name in enumerate(names):
        top = float(max(measured[:, i].max(), predicted[:, i].max())) or 1.0
        for kind, values in (("measured", measured), ("predicted", predicted)):
            steps = np.clip(np.round(values[:, i] / top * LEVELS), 0, LEVELS)
            pages.columns[f"{kind}|{name}"] = steps.astype(np.uint8)
        tops[name] = top
    pages.facts["genes"] = tops


def _classes(
    columns: dict, facts: dict, name: str, values: pd.Series, palette: Mapping[str, str]
) -> None:
    known = sorted(values.dropna().astype(str).unique())
    columns[name] = _codes(values, known)
    facts["classes"][name] = _coloured(known, palette)


def _coloured(known: Sequence[str], palette: Mapping[str, str]) -> list[list[str]]:
    colours = colours_of(known, palette)
    return [[name, colours[name]] for name in known]


def _codes(values: pd.Series, known: Sequence) -> np.ndarray:
    """Positions among the known values, `NONE` for others: uint8."""
    text = values.astype(object).map({name: i for i, name in enumerate(known)})
    return text.fillna(NONE).to_numpy(dtype=np.uint8)


def _picture(library: Mapping[str, Any], low: np.ndarray, scale: float) -> dict[str, Any] | None:
    """A section's image as a `data:` address, and its place in the page's units; None if blank."""
    image = np.asarray(library["images"]["hires"])
    if image.min() == image.max():
        return None
    from PIL import Image

    shrink = max(1.0, max(image.shape[:2]) / 1000)
    size = (round(image.shape[1] / shrink), round(image.shape[0] / shrink))
    stream = io.BytesIO()
    Image.fromarray(image[..., :3].astype(np.uint8)).resize(size).save(stream, "JPEG", quality=80)
    unit = scale / float(library["scalefactors"]["tissue_hires_scalef"])
    return {
        "url": f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}",
        "x": float(-low[0] * scale),
        "y": float(low[1] * scale),
        "w": image.shape[1] * unit,
        "h": image.shape[0] * unit,
    }


def note(title: str, chosen: Sequence[str], spots: Mapping[str, int]) -> str:
    """What the page shows of the cohort: HTML.

    Parameters
    ----------
    chosen
        Of `shown_samples`.
    spots
        Number of spots of every section.
    """
    shown = _size([spots[name] for name in chosen])
    if len(chosen) < len(spots):
        shown = f"{shown}, of {_size(spots.values())}; each patient's first section comes first"
    return (
        "<p><a href='../index.html'>Results of this run</a></p>"
        f"<h2>{html.escape(capital(title))}</h2>"
        f"<p>Shown: {shown}. Hover over a spot for its values. Select spots with the lasso of any "
        "panel to see them in all panels.</p>"
        "<details><summary>How classes and genes were predicted</summary>"
        "<p>Classes: the spot's patient was held out, unless the task has no such split. Sections "
        "without labels were classified by a classifier of the labelled ones; spots below the "
        "task's confidence have no class. Genes: no gene was hidden from the model.</p></details>"
    )


def _size(spots: Collection[int]) -> str:
    """Of sections with so many spots: `8 sections, 3,481 spots`."""
    return f"{count(len(spots), 'section')}, {count(sum(spots), 'spot')}"


def write_page(path: Path, pages: Pages, script: str, title: str, note: str) -> None:
    """The page as one file.

    Parameters
    ----------
    script
        `workflow/report/exports/sections.js`, which draws what the controls choose.
    note
        What is shown of the cohort, above the controls.
    """
    from bokeh.embed import file_html
    from bokeh.resources import INLINE

    from sagefm.exports.viewer_layout import lay_out

    facts = pages.facts | {"none": NONE, "grey": NEUTRAL}
    document = lay_out(pages.columns, facts, script, title, note)
    path.write_text(file_html(document, INLINE, template=HEAD))
