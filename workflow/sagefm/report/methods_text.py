"""The methods of a run in sentences, from its config, its counts and its versions."""

import re
import textwrap
from collections.abc import Mapping
from typing import Any

import jinja2
import pandas as pd
from docutils.core import publish_string

from sagefm.common.model_names import model_title, model_titles
from sagefm.networks.registry import describe
from sagefm.plotting.html import PAGE_STYLE
from sagefm.representations.registry import load_entry

NORMALISATIONS = {
    "log1p": "log1p of raw counts",
    "log1p_cp10k": "log1p of counts scaled to 10,000 a spot",
}


def methods_text(
    template: str,
    provenance: Mapping[str, Any],
    sections: pd.DataFrame,
    software: pd.DataFrame,
    trained: Mapping[str, Mapping[str, Any]],
    n_genes: int,
) -> str:
    """The text, in reStructuredText.

    Parameters
    ----------
    template
        Jinja template (`workflow/report/report/methods.rst`).
    provenance
        Of `provenance.provenance`.
    sections
        Of `overview.sections_table`.
    software
        Columns package, purpose, citation, doi (`resources/software.tsv`).
    trained
        Of each model trained here, its `files.summary`.
    n_genes
        Length of the panel.
    """
    config = provenance["config"]
    words = {
        **provenance,
        "n_genes": n_genes,
        "n_sections": len(sections),
        "n_patients": sections["patient"].nunique(),
        "n_spots": int(sections["n_spots"].sum()),
        "cohorts": [
            {
                "name": name,
                "title": _plain(config["cohorts"][name]["title"] or name),
                "n_sections": len(own),
                "n_spots": int(own["n_spots"].sum()),
                "organs": sorted(map(_plain, own["organ"].dropna().unique())),
            }
            for name, own in sections.groupby("cohort", sort=False)
        ],
        "models": [_model(config, name, trained.get(name)) for name in config["models"]],
        "clique": any(
            describe(model["network"]).layout(config["graphs"][model["graph"]]["kind"]) == "mean"
            for model in config["models"].values()
        ),
        "methods": [
            {"title": _plain(method.description.title), "source": _plain(method.source)}
            for name, entry in config["representations"]["methods"].items()
            for method in [load_entry(name, entry)]
        ],
        "tasks": [
            {
                **task,
                "name": name,
                "title": _plain(task["title"] or name),
                "protocols": [
                    protocol.replace("held_out", "held-out").replace("_", " ")
                    for protocol in task["protocols"]
                ],
            }
            for name, task in config["tasks"].items()
        ],
        "pairs": [name.replace("_", " ") for name in config["perturbation"]["pairs"]],
        "software": [
            {**row, "version": provenance["packages"].get(row["package"]) or "not installed"}
            for row in software.to_dict("records")
        ],
    }
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    text = environment.from_string(template).render(words)
    return "\n\n".join(map(_tidy, re.split(r"\n\s*\n", text.strip()))) + "\n"


def _tidy(block: str) -> str:
    """A paragraph wrapped anew; titles and tables as they are."""
    if block.startswith(("..", " ")) or "\n===" in block:
        return block
    return textwrap.fill(" ".join(block.split()), 100, break_on_hyphens=False)


def _model(config: Mapping, name: str, trained: Mapping | None) -> dict[str, Any]:
    """A model's entry, its terms in words."""
    entry = config["models"][name]
    graph, network = config["graphs"][entry["graph"]], describe(entry["network"])
    sizes = {
        "knn_clique": f"cliques of {graph['size']} nearest spots",
        "star": f"stars of {graph['size']} nearest spots",
        "grid": f"{graph['rings']} ring(s) of the array",
        "radius": f"spots within {graph['radius_spacings']:g} spacings",
    }
    return {
        **entry,
        "name": name,
        "title": _plain(model_title(name, model_titles(config["models"]))),
        "network": network.title,
        "loss": network.loss.words,
        "normalisation": NORMALISATIONS[entry["normalisation"]],
        "graph": sizes[graph["kind"]],
        "held_out_patients": [*map(_plain, entry["held_out_patients"])],
        "trained": trained,
    }


def _plain(text: str) -> str:
    """A user's words, with what would be markup escaped."""
    return re.sub(r"([*`|\\]|_(?!\w))", r"\\\1", text)


def methods_html(text: str) -> str:
    """The text as a page that needs nothing beside it.

    Raises
    ------
    docutils.utils.SystemMessage
        If the text is not sound reStructuredText.
    """
    settings = {
        "halt_level": 2,
        "report_level": 5,
        "embed_stylesheet": False,
        "stylesheet_path": "",
    }
    page = publish_string(
        text, writer="html5", settings_overrides={**settings, "output_encoding": "unicode"}
    )
    return page.replace("</head>", f"<style>{PAGE_STYLE}</style></head>")
