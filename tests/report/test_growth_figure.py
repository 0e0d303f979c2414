"""Growth against spots: the text of the figure."""

import pandas as pd
import pytest

from sagefm.report.growth_figure import draw_growth, write_growth


@pytest.fixture
def table() -> pd.DataFrame:
    """One stage that holds its cohort, at 80 kB a spot, and one that does not."""
    rows = []
    for spots in (1000, 10_000, 30_000):
        rows.append(("PCA", spots, spots / 100, 0.5 + 80e-6 * spots))
        rows.append(("batches", spots, (spots / 1000) ** 2, 0.75))
    return pd.DataFrame(rows, columns=["stage", "spots", "processor_seconds", "peak_gb"])


def test_the_title_has_the_most(table):
    figure = draw_growth(table)
    assert figure.get_suptitle() == "PCA takes the most memory: 2.9 GB at 30,000 spots"
    seconds, memory = figure.axes
    assert {text.get_text() for text in memory.texts} == {"PCA", "batches"}
    lines = [line.get_ydata().tolist() for line in seconds.lines]
    assert [10, 100, 300] in lines and [1, 100, 900] in lines


def test_the_figure_is_drawn_from_the_committed_table(repo, tmp_path):
    write_growth(repo / "docs/results", tmp_path / "growth.png")
    assert (tmp_path / "growth.png").stat().st_size > 10_000
