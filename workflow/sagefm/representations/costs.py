"""Run time and memory of the jobs that computed representations."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd


def costs_table(
    benchmarks: Mapping[str, str | Path],
    trainings: Mapping[str, str | Path],
    differs: Mapping[str, str],
) -> pd.DataFrame:
    """Return one row per representation: name, seconds, peak_mib, training_seconds, differs.

    Parameters
    ----------
    benchmarks
        Snakemake's benchmark file of the job that wrote each representation. It covers the whole
        job, with its imports. Peak memory is that of the process, in MiB, sampled.
    trainings
        `training.json` for representations by a model trained in this run. Training time is not
        part of `seconds`; it is missing for all others.
    differs
        For published methods, settings that differ from the authors' (`registry.differs`); missing
        for all others.
    """
    rows = []
    for name, path in benchmarks.items():
        job = pd.read_csv(path, sep="\t", na_values="-").iloc[0]
        trained = trainings.get(name)
        rows.append(
            {
                "representation": name,
                "seconds": job["s"],
                "peak_mib": job["max_rss"],
                "training_seconds": json.loads(Path(trained).read_text())["seconds"]
                if trained
                else None,
                "differs": differs.get(name) or None,
            }
        )
    return pd.DataFrame(rows)
