"""The GPU check, run on the CPU by the same code."""

import pytest
import torch

from bench import gpu
from bench.limits import product_rate
from bench.parts import screen
from bench.table import Table
from sagefm.networks.device import one_thread
from support import small


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    return small.write_sections(tmp_path_factory.mktemp("gpu"))


@pytest.fixture(autouse=True)
def alone():
    """Threads of small products only wait for one another."""
    with one_thread():
        yield


def test_the_cpu_passes_its_own_check(sections, monkeypatch):
    monkeypatch.setattr(screen, "product_rate", lambda device: product_rate(128, device))
    monkeypatch.setattr(gpu, "BATCHES", (16,))
    monkeypatch.setattr(gpu, "TOLERANCES", {"fp32": 1e-5, "bf16": 3e-2})
    monkeypatch.setattr(gpu, "names", lambda: ("gcn", "light"))
    table = Table()
    assert gpu.check(sections, torch.device("cpu"), small.WIDTHS, 0.01, table) == []
    rows = {row["name"]: row["value"] for row in table.rows}
    for network in gpu.names():
        for what in ("embedding", "prediction", "gradients"):
            assert rows[f"{network}_{what}_fp32"] <= 1e-5
    assert rows["gcn_perturbation_fp32"] <= 1e-5
    for name in ("resumption", "resident_resumption", "resident_masks", "resident_inputs"):
        assert rows[name] == 0
    for name in (
        "step_batch_16_fp32",
        "train_batch_16_bf16",
        "resident_batch_16_bf16",
        "embed",
        "screen",
    ):
        assert rows[name] > 0


def test_what_differs_too_much_or_is_no_number_is_named(sections):
    table = Table({"a": "<= 0.1", "b": "<= 0.1", "c": "<= 0.1"})
    for name, value in {"a": 0.05, "b": 0.2, "c": float("nan"), "d": 5}.items():
        table.add(name, value, "relative")
    assert gpu.missed(table) == ["b", "c"]
    ones = torch.ones(4)
    assert gpu.difference(1.1 * ones, ones) == pytest.approx(0.1)
