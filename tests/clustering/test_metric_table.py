"""The table figure of all metrics: its rows, their order, and its marks of seeds and patients."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from sagefm.clustering.metric_table import GROUPS, draw_metric_table
from sagefm.clustering.tables import clustering_summary
from sagefm.representations.catalogue import Catalogue
from support.clustered import COSTS, MEANS, SECTIONS, rows, scores_like

CATALOGUE = Catalogue({"random": {"title": "random matrix", "role": "control"}})


def summary_of(patients=None, seed=0) -> pd.DataFrame:
    """Every column of the table, for every representation and a control that has the best total."""
    rng = np.random.default_rng(seed)
    found = [scores_like()]
    for number, name in enumerate([*MEANS, "random"]):
        pooled = {"clustering": "integration", "scope": "cohort", "section": None, "patient": None}
        for column in [column for own in GROUPS.values() for column in own]:
            scope, clustering, factor, metric = column.key
            if clustering == "integration":
                for centred in (False, True):
                    found += [rows(name, [0.3 + 0.1 * number], metric, factor=factor, spots=800,
                                   centred=centred, **pooled)]  # fmt: skip
            elif scope == "section" and (metric != "ari" or clustering != "kmeans"):
                found += [rows(name, rng.random(8), metric, clustering, factor)]
    found += [rows("random", np.full(8, 0.1))]
    table = pd.concat([pd.DataFrame(own) for own in found], ignore_index=True)
    table = table[~table.duplicated([*table.columns.drop("value")])]
    if patients is not None:
        table["patient"] = table["section"].map(patients)
    costs = pd.concat([COSTS, COSTS[:1].assign(representation="random")])
    return clustering_summary(table, costs)


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def height(ax, start: str) -> float:
    (text,) = [text for text in ax.texts if text.get_text().startswith(start)]
    return text.get_position()[1]


def test_rows_are_sorted_and_controls_are_under_a_line():
    figure = draw_metric_table(summary_of(), CATALOGUE)
    as_is = figure.axes[0]
    # The neighbour mean has the highest total of the methods; the control has a higher one.
    order = ["neighbour mean", "PCA", "MOFA", "model wide", "model paper", "random matrix"]
    heights = [height(as_is, name) for name in order]
    assert heights == sorted(heights, reverse=True)
    # Of all, MOFA alone was fitted on the spots that it is scored on.
    (dot,) = [own for own in as_is.lines if own.get_markersize() == 3 and own.get_marker() == "o"]
    assert dot.get_ydata()[0] == height(as_is, "MOFA")
    line = [own.get_ydata()[0] for own in as_is.lines if len(set(own.get_ydata())) == 1]
    assert any(heights[-2] > y > heights[-1] for y in line)
    title = figure.get_suptitle()
    assert title.replace("\n", " ") == (
        "Not centred: neighbour mean has the highest scIB total (0.70; random matrix 0.81); "
        "model wide has the highest ARI within a section (0.59; random matrix 0.11)"
    )
    (counts,) = figure.texts[1:] if figure.texts[0].get_text() == title else figure.texts
    assert counts.get_text() == "8 patients, 8 sections, 800 labelled spots, 2 seeds"


def test_centring_shows_the_pooled_cohort_alone():
    as_is, centred = draw_metric_table(summary_of(), CATALOGUE).axes
    assert "within a section" in words(as_is) and "within a section" not in words(centred)
    assert {"summary", "labels", "patients"} <= set(words(centred))


@pytest.mark.parametrize(("number", "intervals"), [(2, 0), (8, 6)])
def test_two_patients_have_no_interval(number, intervals):
    groups = dict(zip(SECTIONS, [f"of {i % number}" for i in range(8)], strict=True))
    ax = draw_metric_table(summary_of(groups), CATALOGUE).axes[0]
    # Seeds are drawn as thick lines, intervals as thin ones, each from end to end of its row.
    level = [own for own in ax.lines if len(own.get_xdata()) == 2 and own.get_ydata()[0] < 0]
    widths = [own.get_linewidth() for own in level]
    assert widths.count(3) == 6 and widths.count(0.7) == intervals


def test_all_lies_within_the_page():
    long = {name: {"title": f"a representation named {name}"} for name in MEANS}
    figure = draw_metric_table(summary_of(), Catalogue(long))
    renderer, page = FigureCanvasAgg(figure).get_renderer(), figure.bbox
    for place in (figure, *figure.axes):
        for text in place.texts:
            box = text.get_window_extent(renderer)
            assert page.x0 <= box.x0 and box.x1 <= page.x1 and box.y1 <= page.y1, text.get_text()


def test_a_value_has_one_colour_in_both_parts():
    summary = summary_of()  # whose totals are the same, centred or not
    worse = summary["centred"] & (summary["representation"] == "pca")
    summary.loc[worse, "mean"] -= 0.2
    colours = [_total_colour(ax, "neighbour mean") for ax in draw_metric_table(summary).axes]
    assert colours[0] == colours[1]
    assert any("lowest" in text for text in words(draw_metric_table(summary).axes[-1]))


def _total_colour(ax, name: str) -> tuple:
    """Of a representation, the colour of the bar of its total."""
    at = height(ax, name) - 0.06
    bars = [own for own in ax.patches if isinstance(own, Rectangle) and own.get_height() == 0.12]
    own = [bar for bar in bars if abs(bar.get_y() - at) < 1e-6]
    return min(own, key=lambda bar: bar.get_x()).get_facecolor()


@pytest.mark.parametrize("low", [-0.0, 0.0])
def test_no_tick_is_minus_0(low):
    ax = draw_metric_table(summary_of().assign(low=low), CATALOGUE).axes[0]
    assert "0" in words(ax) and not {"-0", "−0"} & set(words(ax))


def test_without_labels_it_says_so():
    summary = summary_of()
    figure = draw_metric_table(summary[summary["factor"] == "patient"], CATALOGUE)
    assert "no spot of this cohort has a label" in figure.get_suptitle()
