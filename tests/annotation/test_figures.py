"""Figures of tasks: complete, labelled and reproducible; scripts and captions match."""

from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from matplotlib.colors import to_hex
from matplotlib.text import Text

from sagefm.annotation.figures import draw_annotation, draw_classes
from sagefm.annotation.map_figures import draw_annotation_maps, draw_confusion
from sagefm.annotation.terms import HEADLINE
from sagefm.annotation.titles import SIGN, row_name
from sagefm.plotting.colours import PROTOCOL_COLOURS
from sagefm.plotting.style import GREY, OKABE_ITO, save
from sagefm.representations.catalogue import Catalogue
from support.annotated import long_named, tables_like
from support.drawn import assert_readable, title_of

CAPTIONS = ("scores", "classes", "confusion", "maps")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return tables_like()


def texts(figure) -> list[str]:
    found = [own.get_text() for own in figure.findobj(Text)]
    return [text for text in found if text]


def drawn(tables, reported: float | None):
    own = (tables[name] for name in ("scores", "patients", "skipped"))
    return draw_annotation(*own, "a task", reported)


def figures(tables) -> dict:
    shown = tables["shown"]
    return {
        "scores": drawn(tables, 0.81),
        "classes": draw_classes(tables["per_class"], shown, "a task"),
        "confusion": draw_confusion(tables["confusion"], shown, "a task"),
        "maps": draw_annotation_maps(tables["maps"], shown, "a task", {}),
    }


def test_every_figure_is_titled_and_the_same_twice(tables, tmp_path):
    for name, figure in figures(tables).items():
        titles = [line for text in texts(figure) for line in text.splitlines()]
        assert any(line.startswith("a task: ") for line in titles), name
    pages = []
    for number in range(2):
        figure = draw_confusion(tables["confusion"], tables["shown"], "a task")
        save(figure, tmp_path / f"{number}.pdf", tmp_path / f"{number}.png")
        pages.append((tmp_path / f"{number}.pdf").read_bytes())
    assert pages[0] == pages[1]


def test_scores_show_every_row_the_paper_and_the_majority(tables):
    figure = drawn(tables, 0.81)
    found = texts(figure)
    for text in (
        f"PCA {SIGN}",
        f"PCA, centred {SIGN}",
        f"model m {SIGN}",
        "the paper: 81%",
        "majority class",
        "held-out patients",
        "random split (optimistic)",
    ):
        assert text in found
    dashed = [line for line in figure.axes[1].lines if line.get_linestyle() == "--"]
    assert [line.get_xdata()[0] for line in dashed] == [0.81]
    without = drawn(tables, None)
    assert not any("paper" in text for text in texts(without))


def test_dots_are_the_scores_best_at_the_top(tables):
    scores = tables["scores"]
    figure = draw_annotation(scores, tables["patients"], tables["skipped"], "a task", None)
    own = scores[
        (scores["subset"] == "all")
        & (scores["protocol"] == "held_out_patients")
        & (scores["representation"] != "majority")
    ].sort_values(HEADLINE)
    dots = next(
        line
        for line in figure.axes[0].lines
        if line.get_markersize() == 4 and line.get_marker() == "o"
    )
    np.testing.assert_allclose(dots.get_xdata(), own[HEADLINE])
    assert (np.diff(dots.get_ydata()) > 0).all()


def test_skipped_folds_are_told_in_the_figure(tables):
    skipped = pd.DataFrame(
        {"protocol": ["held_out_patients"], "reason": ["the training part has `a` alone"]}
    )
    figure = draw_annotation(tables["scores"], tables["patients"], skipped, "a task", None)
    words = "1 fold skipped: the training part has `a` alone"
    assert any(text.startswith(words) for text in texts(figure))


@pytest.mark.parametrize("at_end", [0, 1])
def test_fits_at_an_end_of_their_grid_are_told(tables, at_end):
    own = tables["scores"]
    scores = own.assign(n_at_end=own["n_folds"].where(own["representation"] == "pca") * at_end)
    found = [
        text
        for text in texts(drawn(tables | {"scores": scores}, None))
        if "beyond those tried" in text
    ]
    assert found == ["in 8 of 24 fits, the best hyperparameter may lie beyond those tried"] * at_end


def test_confusion_has_room_for_long_names(tables):
    table = long_named(tables["confusion"])
    assert_readable(draw_confusion(table, tables["shown"], "a task"))


def test_confusion_rows_add_up(tables):
    figure = draw_confusion(tables["confusion"], tables["shown"], "a task")
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 2
    for ax in panels:
        np.testing.assert_allclose(ax.images[0].get_array().sum(axis=1), 1)


@pytest.mark.parametrize(("value", "words"), [(np.nan, "never predicted"), (0, "0")])
def test_a_class_without_a_bar_is_told(tables, value, words):
    classes = tables["per_class"].copy()
    before = texts(draw_classes(classes, tables["shown"], "a task")).count(words)
    classes.loc[classes["class"] == "c", "precision"] = value
    figure = draw_classes(classes, tables["shown"], "a task")
    assert texts(figure).count(words) == before + len(tables["shown"])


@pytest.mark.parametrize(
    ("best", "colour"),
    [("graphst", OKABE_ITO["purple"]), ("banksy", OKABE_ITO["green"]), ("sagefm-other", GREY)],
)
def test_bars_have_the_colours_of_the_representations(tables, best, colour):
    shown, classes = tables["shown"].copy(), tables["per_class"].copy()
    was = shown.loc[shown["role"] == "best", "representation"].item()
    for table in (shown, classes):
        table["representation"] = table["representation"].replace(was, best)
    (legend,) = draw_classes(classes, shown, "a task").legends
    found = [to_hex(bar.get_facecolor()).upper() for bar in legend.legend_handles]
    own = {"headline": OKABE_ITO["blue"], "best": colour, "baseline": OKABE_ITO["orange"]}
    assert found == [own[role] for role in shown["role"]]


def test_maps_have_a_panel_a_section_and_column(tables):
    figure = draw_annotation_maps(tables["maps"], tables["shown"], "a task", {})
    assert sum(bool(ax.collections) for ax in figure.axes) == 4 * 3
    found = texts(figure)
    assert any("a task: 4 sections, held-out patients" in text for text in found)
    assert "excluded" in found
    maps = tables["maps"].dropna(subset=["label"])
    first = maps[maps["sample"] == "s0"]
    assert f"{(first['label'] == first['headline']).mean():.0%} accuracy" in found


def test_names_tell_what_a_row_is():
    assert row_name("sagefm-paper", False) == "model paper"
    assert row_name("neighbour_mean", True, True) == f"neighbour mean, centred {SIGN}"


@pytest.mark.parametrize("derived", [True, False])
@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_are_sound_rst(name, derived, repo):
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    job = SimpleNamespace(
        wildcards={"task": "tumour"},
        params={
            "predicted_as": "Settings of the authors: BANKSY.",
            "title": "cancer against the rest",
            "claim": "annotation",
            "min_class_spots": 5,
            "derived": derived,
            "withheld": derived,
        },
    )
    caption = (repo / f"workflow/report/annotation/{name}.rst").read_text()
    text = environment.from_string(caption).render(snakemake=job)
    strict = {"halt_level": 2, "report_level": 2}
    body = publish_parts(text, writer="html", settings_overrides=strict)["body"]
    assert "<p>" in body and "{{" not in body
    assert ("withheld.txt" in body) == (derived and name == "scores")
    assert ("Settings of the authors: BANKSY." in body) == (name == "scores")


def test_intervals_lie_around_their_marks_and_patients_are_dots(tables):
    figure = drawn(tables, None)
    bars = [path.vertices for path in figure.axes[0].collections[-1].get_paths()]
    marks = next(
        line
        for line in figure.axes[0].lines
        if line.get_markersize() == 4 and line.get_marker() == "o"
    )
    for (left, right), mark in zip(bars, marks.get_xdata(), strict=True):
        assert left[0] <= mark <= right[0]
    assert not figure.axes[1].collections
    own = tables["patients"].query(
        "representation == 'sagefm-m' and protocol == 'held_out_patients' and ~centred"
    )
    dots = [
        np.sort(line.get_xdata()) for line in figure.axes[0].lines if len(line.get_xdata()) == 4
    ]
    assert any(np.allclose(found, np.sort(own[HEADLINE])) for found in dots)


def test_the_title_is_the_highest_mean_and_the_majority_class(tables):
    own = tables["scores"].query("subset == 'all' and protocol == 'held_out_patients'")
    majority = own[own["representation"] == "majority"][HEADLINE].item()
    named = Catalogue({"pca": {"title": "PCA", "role": "control"}})
    for catalogue, ours in ((None, own), (named, own[own["representation"] != "pca"])):
        best = ours.loc[ours[HEADLINE].idxmax()]
        given = (tables[name] for name in ("scores", "patients", "skipped"))
        figure = draw_annotation(*given, "a task", None, *([catalogue] if catalogue else []))
        title = title_of(figure)
        name = row_name(best["representation"], bool(best["centred"]))
        assert f"held-out patients: {name} {best[HEADLINE]:.0%};" in title
        assert f"; majority class {majority:.0%} a task: " in title


def test_two_patients_have_no_interval(tables):
    scores = tables["scores"].assign(n_patients_counted=2)
    figure = drawn(tables | {"scores": scores}, None)
    for bars in figure.axes[0].collections:
        assert all(np.isnan(path.vertices[:, 0]).all() for path in bars.get_paths())


def test_each_protocol_has_the_line_of_its_own_majority(tables):
    scores = tables["scores"]
    own = scores[(scores["representation"] == "majority") & (scores["subset"] == "all")]
    lines = [line for line in drawn(tables, None).axes[0].lines if line.get_linestyle() == ":"]
    found = {to_hex(line.get_color()).upper(): line.get_xdata()[0] for line in lines}
    wanted = own.set_index("protocol")[HEADLINE]
    assert found[PROTOCOL_COLOURS["held_out_patients"]] == wanted["held_out_patients"]
    assert found[PROTOCOL_COLOURS["random_spots"]] == wanted["random_spots"]
