"""Figure 4 of the paper on one page: predicted classes of spots."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from sagefm.annotation.figures import fill_annotation
from sagefm.annotation.map_figures import fill_annotation_maps, fill_confusion
from sagefm.plotting.histology import NO_TISSUES, Tissue
from sagefm.plotting.style import DOUBLE, below, beside, lettered, styled
from sagefm.plotting.tissue import most_labelled
from sagefm.representations.catalogue import REGISTERED, Catalogue


@styled
def draw_annotation_page(
    tasks: Sequence[Mapping],
    palette: Mapping[str, str],
    catalogue: Catalogue = REGISTERED,
    tissues: Mapping[str, Tissue] = NO_TISSUES,
) -> Figure:
    """Draw figure 4: accuracy, confusion and two maps of the first task; accuracy of the others.

    Parameters
    ----------
    tasks
        For each task: scores, patients, skipped, title and reported as in `draw_annotation`;
        confusion, maps and shown as in `draw_confusion` and `draw_annotation_maps`.
    palette
        Colours of the first task's labels.
    catalogue
        Names of the representations.
    tissues
        Images of the first task's sections.
    """
    heights = [_score_height(task["scores"]) for task in tasks]
    middle = 3.2
    figure = Figure(figsize=(DOUBLE, sum(heights) + middle))
    first, second, *others = below(figure, [heights[0], middle, *heights[1:]])
    _fill_scores(first, tasks[0], catalogue)
    left, right = beside(second, [1, 1])
    shown = tasks[0]["shown"]
    headline = shown[shown["role"] == "headline"]
    fill_confusion(left, tasks[0]["confusion"], headline, "confusion", catalogue)
    maps = tasks[0]["maps"]
    chosen = most_labelled(maps, [])[:2]
    own = maps[maps["sample"].isin(chosen)]
    fill_annotation_maps(right, own, shown, "maps", palette, 1, 2, catalogue, tissues)
    for part, task in zip(others, tasks[1:], strict=True):
        _fill_scores(part, task, catalogue)
    return lettered(figure, first, left, right, *others)


def _as_it_is(scores: pd.DataFrame) -> pd.DataFrame:
    """Select scores of representations that are not centred, or all if there are none."""
    plain = scores[~scores["centred"].astype(bool)]
    return plain if plain["representation"].nunique() > 1 else scores


def _score_height(scores: pd.DataFrame) -> float:
    return 0.2 * (_as_it_is(scores)["representation"].nunique() - 1) + 1.3


def _fill_scores(figure: FigureBase, task: Mapping, catalogue: Catalogue) -> None:
    scores = _as_it_is(task["scores"])
    fill_annotation(
        figure,
        scores,
        task["patients"],
        task["skipped"],
        task["title"],
        task["reported"],
        catalogue,
    )
