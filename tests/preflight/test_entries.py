"""A key that the rest of its entry leaves unused is refused, as it would have no effect."""

import pytest

from sagefm.common.errors import InputError
from support.configs import check, good_config

pytestmark = pytest.mark.usefixtures("good_files")


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        ({"kind": "knn_clique", "rings": 2}, "kind `knn_clique` does not read `rings`"),
        ({"kind": "grid", "size": 7}, "kind `grid` does not read `size`"),
        ({"kind": "radius", "corners": True}, "kind `radius` does not read `corners`"),
        ({"kind": "star", "radius_spacings": 2}, "kind `star` does not read `radius_spacings`"),
    ],
)
def test_a_graph_is_read_by_its_kind(graph, words):
    config = good_config()
    config["graphs"]["own"] = graph
    with pytest.raises(InputError, match=f"config, at graphs.own: {words}. Fix: take it out"):
        check(config)


def test_a_key_at_its_default_does_no_harm():
    config = good_config()
    config["graphs"]["own"] = {"kind": "grid", "rings": 2, "corners": True, "size": 15}
    check(config)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({"path": "labels.tsv"}, "source `cohort` does not read `path`"),
        (
            {"source": "module_scores", "gene_sets": "labels.tsv", "column": "x"},
            "source `module_scores` does not read `column`",
        ),
        (
            {"source": "table", "path": "labels.tsv", "margin": 0.5},
            "source `table` does not read `margin`",
        ),
    ],
)
def test_labels_are_read_by_their_source(labels, words):
    config = good_config() | {"tasks": {"t": {"cohort": "breast", "labels": labels}}}
    config["cohorts"]["breast"]["labels"] = "labels.tsv"
    with pytest.raises(InputError, match=f"config, at tasks.t.labels: {words}"):
        check(config)


@pytest.mark.parametrize("chapter", ["perturbation", "screen"])
def test_a_chapter_about_pairs_needs_some(chapter):
    config = good_config() | {chapter: {"cohorts": ["breast"]}}
    with pytest.raises(
        InputError, match=f"{chapter}.cohorts: this chapter needs pairs, but `perturbation"
    ):
        check(config)
