"""The growth bench: which sizes are measured, and from which sections."""

import pytest

from bench import growth
from bench.measured import Measured
from sagefm.common.io import write_table
from support import small


class FakeSection:
    """A section of as many spots as the bench's are."""

    def n_spots(self) -> int:
        return growth.SPOTS


def linear(gb: float):
    """In place of `measured`: memory and time in proportion to sections."""
    return lambda work, part: Measured(None, 10.0 * len(part), gb * len(part))


def test_what_comes_next_is_on_the_line_of_the_last_two():
    rows = [{"spots": spots, "peak_gb": gb} for spots, gb in ((1, 9.0), (3, 1.0), (10, 1.7))]
    assert growth.expected(rows[:1], "peak_gb", 100) == 0
    assert growth.expected(rows, "peak_gb", 30) == pytest.approx(1.7 + 0.1 * 20)
    assert growth.expected(rows[:2], "peak_gb", 30) == 1.0  # less with more spots: not below 0


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"peak_gb": 9, "processor_seconds": 999}, [1000, 3000, 10_000]),
        ({"peak_gb": 0.5, "processor_seconds": 999}, [1000, 3000]),
        ({"peak_gb": 9, "processor_seconds": 50}, [1000, 3000]),
    ],
    ids=str,
)
def test_a_size_beyond_a_limit_is_left_out(monkeypatch, capsys, limits, expected):
    monkeypatch.setattr(growth, "measured", linear(0.1))
    sections = [FakeSection()] * 10
    rows = list(growth.measure("one", print, sections, (1000, 3000, 10_000), limits))
    assert [row["spots"] for row in rows] == expected
    assert rows[1]["processor_seconds"] == 30 and rows[1]["peak_gb"] == pytest.approx(0.3)
    assert ("one: 10000 spots left out" in capsys.readouterr().out) == (len(expected) == 2)


def test_sections_have_one_size_and_names_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setattr(growth, "SPOTS", 60)
    monkeypatch.setattr(growth, "GENES", 400)
    monkeypatch.setattr(growth, "DISTINCT", 2)
    monkeypatch.setattr(growth, "COUNTS", 500)
    panel = growth.read_panel(growth.RESOURCES / "panel/sagefm_genes.txt")[:300]
    sections = growth.make_sections(5, panel, tmp_path)
    assert [section.n_spots() for section in sections] == [60] * 5
    assert len({section.key for section in sections}) == 5
    assert len({section.counts_path.resolve() for section in sections}) <= 2
    growth.alone(growth.batches, sections[:2])


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("stages"))


@pytest.mark.parametrize("name", growth.STAGES)
def test_each_stage_does_its_work(name, sections):
    growth.STAGES[name](sections)


def test_a_stage_measured_again_replaces_its_rows(tmp_path):
    path = tmp_path / "growth.tsv"
    rows = [{"stage": stage, "spots": 1000, "peak_gb": 1.0} for stage in ("PCA", "recovery")]
    write_table(growth.merged(rows, path), path)
    again = [{"stage": "PCA", "spots": 3000, "peak_gb": 2.0}]
    found = growth.merged(again, path)
    assert found.to_numpy().tolist() == [["recovery", 1000, 1.0], ["PCA", 3000, 2.0]]
