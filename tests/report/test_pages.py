"""The paper's five figures: readable, lettered, and drawn by the chapters' own code."""

from functools import partial
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from matplotlib.collections import EllipseCollection
from matplotlib.text import Text

from sagefm.annotation.page import draw_annotation_page
from sagefm.clustering.page import draw_clustering_page
from sagefm.clustering.tables import clustering_summary
from sagefm.networks.registry import describe, names
from sagefm.perturbation.page import draw_perturbation_page
from sagefm.plotting import style
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.recovery.page import draw_recovery_page
from sagefm.report.overview import layers_table, sections_table
from sagefm.report.overview_figure import draw_overview
from support.annotated import long_named, tables_like
from support.clustered import COSTS, MEANS, scores_like, with_more
from support.drawn import assert_readable, visible_texts, write_image
from support.perturbed import maps_like as response_maps
from support.perturbed import tables as perturbed
from support.recovered import maps_like as recovery_maps
from support.recovered import recovery_like

LAYERS = [
    ("fc_gene.weight", (300, 16)),
    ("fc_gene.bias", (300,)),
    ("conv1.bias", (8,)),
    ("conv1.lin.weight", (8, 300)),
    ("conv2.bias", (16,)),
    ("conv2.lin.weight", (16, 8)),
]
FACTS = {
    "model": "paper",
    "colour": "#08306B",
    "graph": "knn_clique",
    "network": "gcn",
    "normalisation": "log1p",
    "mask_share": 0.3,
}


def sections_like(organs: int = 2) -> pd.DataFrame:
    names = [f"S{i}" for i in range(3 * organs)]
    rows = pd.DataFrame(
        {
            "cohort": ["atlas"] * (3 * organs - 1) + ["other"],
            "sample": names,
            "dataset": "d",
            "patient": ["A", "A", *[""] * (3 * organs - 2)],
            "organ": [f"Organ {i % organs}" for i in range(3 * organs)],
        }
    )
    qc = rows.assign(spots_kept=100 + np.arange(3 * organs))
    split = rows.head(3).assign(part=["train", "validation", "test"])
    return sections_table(rows, [qc], split)


def neighbourhood_like() -> pd.DataFrame:
    x, y = (axis.ravel() * 10.0 for axis in np.meshgrid(np.arange(9), np.arange(7)))
    role = np.full(len(x), "other", dtype=object)
    role[20:34], role[30] = "neighbour", "centre"
    place = {"x_pixels": x, "y_pixels": y}
    return pd.DataFrame({"sample": "S1", **place, "counts": np.arange(len(x)), "role": role})


def overview(tissues=NO_TISSUES, **facts):
    tables = sections_like(), neighbourhood_like(), layers_table(LAYERS)
    return draw_overview(*tables, FACTS | facts, tissues)


def recovery(tissues=NO_TISSUES):
    summary, genes = recovery_like()
    return draw_recovery_page(summary, genes, recovery_maps(), 0.91, tissues)


def clustering(tissues=NO_TISSUES, more: int = 0):
    """Figure 3 of made-up scores, with `more` representations that have long names."""
    rng = np.random.default_rng(0)
    spots = pd.DataFrame(
        {
            "sample": np.repeat(["one", "two"], 42),
            "x_pixels": np.tile(np.arange(42) % 7, 2) * 10.0,
            "y_pixels": np.tile(np.arange(42) // 7, 2) * 10.0,
            "label": rng.choice(["a", "b", "undetermined"], 84),
            "patient": np.repeat(["P", "Q"], 42),
            "kmeans_section": rng.integers(3, size=84),
        }
    )
    layout = spots.assign(umap_1=spots["x_pixels"], umap_2=spots["y_pixels"])
    umap = pd.concat(layout.assign(representation=name) for name in MEANS)
    palette = {"a": "#0072B2", "b": "#E69F00", "P": "#009E73"}
    summary = with_more(clustering_summary(scores_like(), COSTS), more)
    clusters = dict.fromkeys(MEANS, spots)
    return draw_clustering_page(umap, clusters, summary, palette, ["undetermined"], tissues=tissues)


def annotation(tissues=NO_TISSUES, tasks: int = 2):
    task = tables_like() | {"title": "a task", "reported": 0.81}
    return draw_annotation_page([task] * tasks, {"a": "#0072B2"}, tissues=tissues)


def long_classes():
    """Figure 4 of classes with long names."""
    task = tables_like() | {"title": "a task", "reported": 0.81}
    task["confusion"] = long_named(task["confusion"])
    return draw_annotation_page([task] * 2, {"a": "#0072B2"})


def perturbation(tissues=NO_TISSUES):
    found = perturbed()
    names = ("levels", "pairs", "summary", "discrimination")
    return draw_perturbation_page(*(found[name] for name in names), response_maps(), tissues)


PAGES = {
    "data and model": (overview, 3),
    "recovery": (recovery, 3),
    "clustering": (clustering, 4),
    "annotation": (annotation, 4),
    "perturbation": (perturbation, 4),
}


FULL = {
    "clustering, 21 representations": (partial(clustering, more=16), 4),
    "annotation, long names": (long_classes, 4),
}
"""Pages as in a run of config/paper.yaml."""


@pytest.mark.parametrize(("draw", "parts"), (PAGES | FULL).values(), ids=PAGES | FULL)
def test_a_page_is_lettered_readable_and_fits_the_paper(draw, parts, tmp_path):
    figure = draw()
    assert figure.get_figwidth() == style.DOUBLE
    assert figure.get_figheight() <= 9.7  # of A4's 11.7 inches, without its margins
    assert_readable(figure)
    titles = [text.get_text() for text in figure.findobj(Text)]
    letters = [rf"$\mathbf{{{letter}}}$" for letter in "abcdef"]
    found = [sum(title.startswith(letter) for title in titles) for letter in letters]
    assert found == [1] * parts + [0] * (len(letters) - parts)
    style.save(figure, tmp_path / "x.pdf", tmp_path / "x.png")
    assert (tmp_path / "x.pdf").stat().st_size > 1000


@pytest.mark.parametrize("draw", [draw for draw, _ in PAGES.values()], ids=PAGES)
def test_the_maps_of_a_page_show_the_tissue(draw, tmp_path):
    tissues = {}
    for name in ("S1", "one", "two", "s0", "s1", "s2", "s3"):
        tissues[name] = Tissue.of_sample(write_image(tmp_path / f"{name}.h5ad"), pitch=100)
    figure = draw(tissues)
    maps = [ax for ax in figure.axes if ax.findobj(EllipseCollection)]
    assert maps and all(len(ax.images) == 1 for ax in maps)
    bars = [text for ax in maps for text in ax.texts if text.get_text().endswith(("µm", "mm"))]
    assert 1 <= len(bars) <= 2  # one a section
    assert_readable(figure)


@pytest.mark.parametrize("network", names())
def test_every_network_has_its_words(network):
    words = "\n".join(text.get_text() for text in overview(network=network).findobj(Text))
    assert ("mean of all 14 spots" in words) == (describe(network).layout("knn_clique") == "mean")
    assert "30% of the centre's genes hidden" in words


def test_one_task_is_enough():
    assert len(annotation(tasks=1).subfigs) == 2


@pytest.mark.parametrize("number", range(1, 6))
def test_captions_are_sound_rst(number, repo):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    caption = next((repo / "workflow/report").rglob(f"figure_{number}.rst")).read_text()
    words = dict.fromkeys(("clustered_as", "predicted_as"), "Settings of the authors: BANKSY.")
    job = SimpleNamespace(params={"facts": FACTS, "titles": ["one", "two"], **words})
    text = environment.from_string(caption).render(snakemake=job)
    strict = {"halt_level": 2, "report_level": 2}
    body = publish_parts(text, writer="html", settings_overrides=strict)["body"]
    assert f"<strong>Figure {number}. " in body and "{{" not in body
    assert (number in (3, 4)) == ("Settings of the authors: BANKSY." in body)  # comparing figures


def test_a_network_that_begins_with_components_is_drawn_from_the_genes_on():
    tables = sections_like(), neighbourhood_like(), layers_table([("fc_gene.weight", (300, 20))])
    figure = draw_overview(*tables, FACTS | {"network": "light"}, NO_TISSUES)
    said = [text.get_text() for text in visible_texts(figure)]
    (genes,) = [words for words in said if words.startswith("300 genes: ")]
    assert "embedding" not in genes
    assert "20   components, fitted before the training\nembedding" in said
