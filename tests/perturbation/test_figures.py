"""Figures of perturbed pairs: labelled, readable, and drawn from the tables."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.style import context

from sagefm.common.claim import Subject
from sagefm.common.verdict import Training
from sagefm.perturbation.claims import Findings, perturbation_claim
from sagefm.perturbation.direction_figures import draw_directions
from sagefm.perturbation.figures import draw_distributions, draw_doses
from sagefm.perturbation.map_figures import draw_response_maps
from sagefm.plotting import style
from sagefm.plotting.colours import MODEL_COLOURS
from support.drawn import UNKNOWN, assert_readable, title_of, visible_texts
from support.perturbed import (
    PATIENTS,
    maps_like,
    tables,
)

NAMED = [("L07", "R01"), ("not", "there")]


def doses(named=NAMED):
    return draw_doses(tables()["levels"], tables()["pairs"], tables()["summary"], named)


DRAWN = {
    "doses": doses,
    "distributions": lambda: draw_distributions(tables()["pairs"], tables()["summary"]),
    "directions": lambda: draw_directions(
        *map(tables().get, ("pairs", "discrimination", "summary"))
    ),
    "maps": lambda: draw_response_maps(maps_like()),
    "map of one pair": lambda: draw_response_maps(maps_like(1)),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())
def test_a_figure_is_labelled_and_readable(draw):
    figure = draw()
    assert figure.get_figwidth() == style.DOUBLE
    assert_readable(figure)
    assert "breast, paper" in title_of(figure)
    assert any(character.isdigit() for character in title_of(figure))


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("pairs", "patients"), [(1, PATIENTS), (3, PATIENTS), (36, ("A", "A"))])
def test_few_pairs_or_patients_are_drawn_and_judged_all_the_same(pairs, patients):
    few = tables(pairs, patients)
    drawn = [
        draw_doses(few["levels"], few["pairs"], few["summary"]),
        draw_distributions(few["pairs"], few["summary"]),
        draw_directions(few["pairs"], few["discrimination"], few["summary"]),
    ]
    for figure in drawn:
        with context(style.STYLE, after_reset=True):
            FigureCanvasAgg(figure).draw()
        assert f"{pairs} pair" in title_of(figure)
        assert not any(UNKNOWN.search(text.get_text()) for text in visible_texts(figure))
    assert few["pairs"]["low"].isna().all() == (len(set(patients)) == 1)
    found = {"few": Findings(few["summary"], few["discrimination"])}
    claim = perturbation_claim(Subject("paper", Training(), "breast", "few", True), found)
    assert claim.verdict == ("inconclusive" if pairs < 36 else "supported")


def test_pairs_without_an_effect_are_said_to_have_none():
    unknown = tables()["pairs"].assign(reverse_effect_expression_matched=np.nan)
    figure = draw_directions(unknown, tables()["discrimination"], tables()["summary"])
    assert_readable(figure)
    left, right = figure.axes
    assert left.get_title("left") == "no pair has both effects\nknown"
    assert min(ax.get_position().height for ax in (left, right)) > 0.5


def test_doses_show_the_strongest_of_six_inputs_and_those_named():
    pairs = tables()["pairs"]
    named = tuple(pairs.nsmallest(1, "effect_expression_matched")[["input", "output"]].iloc[0])
    titles = [ax.get_title("left") for ax in doses([named]).axes if ax.get_title("left")]
    assert len(titles) == 7 and titles[-1].startswith(f"{named[0]} → {named[1]}")
    assert not any("cannot respond" in title for title in titles)
    shut = pairs.assign(unmoved=(pairs[["input", "output"]] == named).all(axis=1))
    figure = draw_doses(tables()["levels"], shut, tables()["summary"], [named])
    marked = [ax.get_title("left") for ax in figure.axes if "cannot" in ax.get_title("left")]
    assert marked == [titles[-1] + "\ncannot respond"]
    inputs = [title.split(" → ")[0] for title in titles[:6]]
    assert len(set(inputs)) == 6
    beyond = pairs["sign"] * (pairs["slope"] - pairs["slope_expression_matched"])
    best = pairs.loc[beyond.idxmax()]
    assert titles[0].startswith(f"{best['input']} → {best['output']}")
    line = doses([named]).axes[0].lines[0]
    levels = tables()["levels"].query("direction == 'forward' and kind == 'matched'")
    own = levels[(levels["input"] == best["input"]) & (levels["output"] == best["output"])]
    np.testing.assert_allclose(line.get_ydata(), own["change"])


def test_distributions_print_the_means_that_are_tested():
    figure = DRAWN["distributions"]()
    summary = tables()["summary"].query("unit == 'inputs'")
    for ax, direction in zip(figure.axes, ("forward", "reverse"), strict=False):
        own = summary[summary["direction"] == direction].set_index("control")
        means = [
            own["matched"]["expression_matched"],
            *own["reference"][["unmatched", "random", "expression_matched"]],
        ]
        printed = [float(text.get_text().replace("−", "-")) for text in ax.texts]
        assert printed == [float(f"{mean:.2g}") for mean in means]


def test_directions_count_pairs_whose_forward_effect_is_the_greater():
    left, right = DRAWN["directions"]().axes
    pairs = tables()["pairs"]
    stronger = (
        pairs["effect_expression_matched"] > pairs["reverse_effect_expression_matched"]
    ).mean()
    title = title_of(DRAWN["directions"]())
    assert f"forward effect larger in {stronger:.0%} of {len(pairs)} pairs" in title
    drawn = [line for line in left.lines if line.get_alpha() == 0.4]
    assert sum(len(line.get_xdata()) for line in drawn) == len(pairs)
    drawn = {round(line.get_xdata()[0], 9) for line in right.lines if len(line.get_xdata()) == 1}
    assert set(tables()["discrimination"]["auroc"].round(9)) <= drawn


def test_pairs_have_the_colour_of_their_model():
    few, blue = tables(), "#08306B"
    figures = [
        draw_doses(few["levels"], few["pairs"], few["summary"], colour=blue),
        draw_distributions(few["pairs"], few["summary"], blue),
        draw_directions(few["pairs"], few["discrimination"], few["summary"], blue),
    ]
    for figure in figures:
        drawn = {line.get_color() for ax in figure.axes for line in ax.lines}
        assert blue in drawn and MODEL_COLOURS[0] not in drawn


def test_pairs_beyond_the_axes_are_triangles_and_counted():
    pairs = tables()["pairs"].reset_index(drop=True)
    columns = ["effect_expression_matched", "reverse_effect_expression_matched"]
    pairs[columns] = np.linspace(-1, 1, len(pairs))[:, None] * [1, -1]
    pairs.loc[0, columns] = [50.0, 0.0]
    left = draw_directions(pairs, tables()["discrimination"], tables()["summary"]).axes[0]
    triangles = {line.get_marker(): line.get_xydata().tolist() for line in left.lines
                 if line.get_marker() in "<>^v"}  # fmt: skip
    assert triangles == {">": [[left.get_xlim()[1], 0.0]]}
    assert left.get_title("left") == f"{len(pairs)} pairs;\n1 pair beyond the axes (triangles)"


def test_responses_are_centred_on_no_change_and_one_that_cannot_be_is_marked():
    figure = DRAWN["maps"]()
    panels = [ax for ax in figure.axes if ax.get_aspect() == 1]
    assert len(panels) == 9 and all(ax.yaxis_inverted() for ax in panels)
    low, high = panels[5].collections[0].get_clim()
    assert low == -high < 0
    assert panels[3].get_title() == "CXCL1 in the neighbours"
    marked = [ax for ax in panels if "cannot respond" in ax.get_xlabel()]
    assert marked == panels[1:3]  # prediction and response of the first pair
    assert panels[1].collections[0].get_array() is None
    title = title_of(figure)
    assert title.startswith("0 of 2 responses hardly differ from spot to spot; 1 output cannot")
    scales = {panel.collections[0].get_clim() for panel in (panels[5], panels[8])}
    assert scales == {(low, high)}  # responses are compared: one scale


def test_a_response_of_0_from_a_prediction_that_is_not_has_a_scale_of_0_alone():
    figure = draw_response_maps(maps_like(2).iloc[280:].assign(response=0.0))
    assert figure.axes[2].collections[0].colorbar.ax.get_yticks().tolist() == [0]


def test_noise_on_a_response_looks_like_noise():
    """The colours span the size of the response, not the hundredth of it that differs."""
    maps = maps_like(1)
    maps = maps.assign(low=1.0, response=1 + 0.01 * maps["input_neighbours"])
    figure = draw_response_maps(maps)
    low, high = figure.axes[2].collections[0].get_clim()
    assert low == -high and 1 < high < 1.01
    assert figure.axes[2].get_title().endswith("\n1.0 to 1.0")
    assert title_of(figure).startswith("The response hardly differs from spot to spot")
