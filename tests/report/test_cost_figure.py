"""Scores against costs: what is drawn, and names that do not overlap."""

import numpy as np
import pandas as pd
import pytest

from sagefm.common.io import write_table
from sagefm.report.cost_figure import (
    SCORES,
    committed_costs,
    costs_and_scores,
    draw_costs,
    spread,
)

NAMES = ["pca", "mofa", "sagefm-light", "hops"]


PEERS = pd.DataFrame(
    {
        "representation": [*NAMES[:3], "pca"],
        "spots": [3481, 3481, 3481, 20_000],
        "processor_seconds": [7.0, 40.0, 4.0, 30.0],
    }
)


def scores_of(names: list[str], first: float) -> dict[str, pd.DataFrame]:
    """Tables of a run in which each name scores 0.1 more than the one before."""
    tables = {}
    for name, (rows, columns, _) in SCORES.items():
        values = dict.fromkeys(columns, first + 0.1 * np.arange(len(names)))
        scored = pd.DataFrame({"representation": names, "centred": False, **rows, **values})
        other = scored.assign(centred=True, **dict.fromkeys(columns, 0.9))
        tables[name] = pd.concat([scored, other])
    return tables


@pytest.fixture
def table() -> pd.DataFrame:
    return costs_and_scores(PEERS, scores_of(NAMES, 0.2))


def test_what_the_demo_lacks_has_the_scores_of_the_light_run(tmp_path):
    write_table(PEERS, tmp_path / "bench/peers.tsv")
    for run, names, first in (("demo", ["pca", "mofa"], 0.2), ("light", NAMES, 0.5)):
        for name, scored in scores_of(names, first).items():
            write_table(scored, tmp_path / run / f"{name}.tsv")
    found = committed_costs(tmp_path).groupby("representation")["value"].first()
    assert found.to_dict() == pytest.approx({"pca": 0.2, "mofa": 0.3, "sagefm-light": 0.7})


def test_what_is_timed_and_scored_has_a_row_a_score(table):
    assert len(table) == 3 * len(SCORES)
    (light,) = (
        table[table["representation"] == "sagefm-light"].drop_duplicates("value").itertuples()
    )
    assert (light.seconds, light.value, light.spots) == (4.0, 0.4, 3481)


def test_the_title_names_what_is_ahead(table):
    figure = draw_costs(table)
    assert figure.get_suptitle() == "model light has the highest means; 3,481 spots on one core"
    names = {text.get_text() for text in figure.axes[0].texts}
    assert names == {"PCA", "MOFA", "model light"}


def test_names_are_moved_apart_no_further_than_they_must():
    apart = np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(spread(apart, 1), apart)
    np.testing.assert_allclose(spread(np.array([1.0, 1.0, 5.0]), 1), [0.5, 1.5, 5.0])
    assert np.diff(spread(np.array([0, 0.1, 0.2, 0.25, 3]), 0.5)).min() >= 0.5 - 1e-12
