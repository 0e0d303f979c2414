"""The parts of the speed bench on tiny sections, and its refusal to measure a busy machine."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench import registry, speed
from bench.limits import product_rate
from bench.machine import processor, why_busy
from bench.parts import (
    batches,
    embedding,
    graphs,
    ingest,
    kernels,
    recovery,
    representations,
    screen,
)
from bench.table import Table
from support import helpers, small
from whole_run.test_measured import is_running

CPUINFO = "model name\t: EPYC Test\nflags\t\t: fpu avx2 amx_bf16 avx512f\n"


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("parts"))


def row_of(table: Table, name: str) -> dict:
    """The row of a name, whose value, limit and ratio are as they should be."""
    row = next(row for row in table.rows if row["name"] == name)
    assert 0 < row["value"] < math.inf
    assert 0 < row["limit"] < math.inf
    return row


def test_ratios_are_fractions_of_the_limit_of_rates_and_of_times():
    table = Table()
    table.add("rate", 50, "spots/s", limit=200)
    table.add("time", 4, "s", limit=1)
    table.add("alone", 4, "s")
    table.add("missing", None, "s", limit=1)
    assert [row["ratio"] for row in table.rows] == [0.25, 0.25, None, None]


def test_every_stage_has_a_row_with_a_limit(sections, monkeypatch):
    monkeypatch.setattr(screen, "product_rate", lambda device: product_rate(128, device))
    table = Table()
    batches.measure_sections(sections, table)
    embedding.measure_section(sections[0], small.WIDTHS, table)
    recovery.measure_sections(sections, small.WIDTHS, table)
    screen.measure_section(sections[0], small.WIDTHS, table)
    graphs.measure_places(helpers.demo_section("heart-1").obsm["spatial"][:60], table)
    for name in ("batches", "embedding", "predicting", "recovery", "screen", "graphs"):
        row_of(table, name)


def test_untrained_representations_are_found_in_their_registry(sections, monkeypatch):
    options = representations.read_options
    few = {"components": 4, "n_top_genes": 50}
    monkeypatch.setattr(representations, "read_options", lambda name, _: options(name, few))
    monkeypatch.setattr(representations, "names", lambda: ["depth", "pca", "niche_pca"])
    table = Table()
    representations.measure_sections(sections, table)
    assert [row["name"] for row in table.rows] == [
        "representation_pca", "representation_niche_pca",
    ]  # fmt: skip
    row_of(table, "representation_pca")


def test_ingestion_is_held_against_a_bare_read(tmp_path):
    section = small.patch()
    path = tmp_path / "a.h5ad"
    section.write_h5ad(path)
    table = Table()
    ingest.measure_files([path], list(section.var_names), table)
    assert row_of(table, "ingest")["ratio"] < 1
    assert ingest.read_bare(path) > section.X.data.nbytes


@pytest.mark.parametrize("there", [True, False])
def test_products_are_held_against_the_faster_library(monkeypatch, there):
    monkeypatch.setattr(kernels, "has_onednn", lambda: there)
    if there:  # a stand-in, where the build has no oneDNN
        blas = {name: (pair[0], pair[0]) for name, pair in kernels.PRODUCTS.items()}
        monkeypatch.setattr(kernels, "PRODUCTS", blas)
    table = Table()
    kernels.measure_layer("a layer", 64, 32, table)
    for product in ("output", "input gradient", "weight gradient"):
        row = row_of(table, f"a layer, {product}")
        assert row["ratio"] <= 1
        assert ("oneDNN" in row["detail"]) == there


def test_a_part_is_a_file(monkeypatch, tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "TARGETS = {'mine': '>= 2'}\ndef measure(options, table): table.add('mine', 3, 's')\n"
    )
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    monkeypatch.setattr("bench.parts.__path__", [str(tmp_path)])
    assert registry.names() == ["mine"]
    registry.measure("mine", None, Table())
    assert ">= 2" in capsys.readouterr().out


def test_all_parts_have_what_a_part_has():
    assert len(registry.names()) >= 13
    for name in registry.names():
        part = registry.load(name)
        assert part.__doc__
        assert isinstance(part.TARGETS, dict)
        assert callable(part.measure)


def test_a_processor_is_named_with_what_products_use():
    assert processor(CPUINFO, 2) == "EPYC Test (avx2, avx512f, amx_bf16), 2 cores"
    assert processor("", 1) == "unknown processor, 1 cores"


@pytest.mark.parametrize(
    ("load", "seconds", "sentence"),
    [
        (0.5, [1, 1.05, 1.02], ""),
        (3.0, [1, 1, 1], "busy: a load of 3.0 on 2 cores"),
        (0.1, [1, 1.5, 1], "up to 1.50 times as long"),
    ],
)
def test_a_busy_machine_is_noticed(load, seconds, sentence):
    found = why_busy(load, 2, seconds)
    assert found.endswith(sentence)
    assert bool(found) == bool(sentence)


@pytest.mark.parametrize("forced", [False, True])
def test_on_a_busy_machine_only_an_option_lets_it_measure(monkeypatch, tmp_path, capsys, forced):
    monkeypatch.setattr("sys.argv", ["speed.py", "graphs", *(["--busy"] if forced else [])])
    monkeypatch.setattr(speed, "busy_now", lambda: "the machine is busy")
    monkeypatch.setattr(speed, "REPO", tmp_path)
    if not forced:
        with pytest.raises(SystemExit, match=r"the machine is busy\. Fix: wait .* `--busy`"):
            speed.main()
        return
    speed.main()
    shown = capsys.readouterr().out
    assert "the machine is busy" in shown
    assert "graphs" in (tmp_path / "results/bench/bench.tsv").read_text()


PARENT = """
import subprocess, sys
from bench.measured import end_with_parent
child = subprocess.Popen(["sleep", "600"], preexec_fn=end_with_parent)
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_that_is_measured_ends_with_the_bench(number):
    path = str(Path(registry.__file__).parents[1])
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout
    child = parent.stdout.readline().strip()
    parent.send_signal(number)
    parent.wait(10)
    ended = time.monotonic()
    while is_running(child):
        assert time.monotonic() - ended < 20
        time.sleep(0.05)
