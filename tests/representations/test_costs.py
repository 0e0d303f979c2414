"""Costs of representations, from Snakemake's benchmarks and the models' training."""

import json

import pandas as pd

from sagefm.representations.costs import costs_table

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def test_costs_are_those_of_the_jobs_and_trainings(tmp_path):
    (tmp_path / "pca.tsv").write_text(f"{HEADER}12.5\t0:00:12\t800.25" + "\t1" * 7 + "\n")
    # A job too short to be measured: Snakemake writes a dash or NA.
    (tmp_path / "m.tsv").write_text(f"{HEADER}0.4\t0:00:00\t-" + "\t-" * 7 + "\n")
    (tmp_path / "training.json").write_text(json.dumps({"seconds": 90.5}))
    table = costs_table(
        {"pca": tmp_path / "pca.tsv", "sagefm-m": tmp_path / "m.tsv"},
        {"sagefm-m": tmp_path / "training.json"},
        {"pca": "epochs 3 (authors: 9)"},
    ).set_index("representation")
    assert list(table.columns) == ["seconds", "peak_mib", "training_seconds", "differs"]
    assert list(table["seconds"]) == [12.5, 0.4]
    assert table["differs"].fillna("-").to_dict() == {
        "pca": "epochs 3 (authors: 9)", "sagefm-m": "-",
    }  # fmt: skip
    assert table["peak_mib"]["pca"] == 800.25
    assert pd.isna(table["peak_mib"]["sagefm-m"])
    assert pd.isna(table["training_seconds"]["pca"])
    assert table["training_seconds"]["sagefm-m"] == 90.5
