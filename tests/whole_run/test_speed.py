"""The speed bench: its table, and that its measurements run."""

import pandas as pd
import pytest

from bench import registry
from bench.measured import measured
from bench.pretraining import step_times
from bench.table import Table
from support import small


def test_parts_measured_again_keep_the_rows_of_the_others(tmp_path):
    path = tmp_path / "bench.tsv"
    for values in ({"a": 1.0, "b": None}, {"a": 2.0}):
        table = Table()
        for name, value in values.items():
            table.add(name, value, "ratio", "why")
        table.write(path)
    rows = pd.read_csv(path, sep="\t").set_index("name")
    assert list(rows) == ["value", "unit", "limit", "ratio", "detail"]
    assert rows["value"].to_dict() == pytest.approx({"a": 2.0, "b": float("nan")}, nan_ok=True)


def test_a_whole_table_leaves_no_row_of_what_is_measured_no_more(tmp_path):
    path = tmp_path / "scale.tsv"
    for name in ("gone", "measured"):
        table = Table()
        table.add(name, 1.0, "ratio")
        table.write(path, whole=True)
    assert pd.read_csv(path, sep="\t")["name"].tolist() == ["measured"]


def test_a_target_is_shown_beside_its_value(capsys):
    Table(registry.load("dryrun").TARGETS).add("dryrun_416_s", 7.5, "s")
    assert "7.5" in (shown := capsys.readouterr().out)
    assert "<= 10" in shown


@pytest.mark.slow
def test_every_part_of_a_step_is_timed(tmp_path):
    sections = small.write_sections(tmp_path)
    times = measured(step_times, sections, "fp32", 1).result
    assert all(0 < seconds < 60 for seconds in times)
    assert times.products < times.released


def test_an_unknown_part_is_told(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["speed.py", "fp16"])
    from bench.speed import main

    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert "fp16" in error
    assert all(part in error for part in registry.names())
