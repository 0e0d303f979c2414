"""A small run of the whole workflow, in a copy of the repository with a small config.

In the copy, a test can edit the library or the config, and results stay out of the repository.
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from anndata import AnnData

from sagefm.common.h5ad import read_h5ad
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import save_checkpoint
from support import small

REPO = Path(__file__).resolve().parents[2]
WIDTHS = [32, 16, 16, 16, 32]
GENES, MISSING = 400, 5
"""Number of genes in the small panel, and number of these that no section has."""

SHEET = ["sample", "source", "path_or_id", "organ", "patient", "technology", "dataset"]
SAMPLES = {
    "atlas": {"heart-1": "heart-CN73", "SPA141": "her2st-C", "SPA147": "her2st-B"},
    "breast": {"SPA142": "her2st-C", "SPA148": "her2st-B"},
}
METHODS = {
    "pca": {"components": 5},
    "neighbour_mean": {"components": 5},
    "mofa": {"factors": 3, "n_top_genes": 100},
}
_SMALL = {"pretrain_on": ["atlas"], "widths": WIDTHS, "compute": {"device": "cpu"}}
CONFIG = {
    "run": "small",
    "panel": "panel.txt",
    "cohorts": {
        "atlas": {"samples": "atlas.tsv", "title": "a heart and two breast sections"},
        "breast": {"samples": "breast.tsv", "labels": "resources/demo/labels.tsv"},
    },
    "graphs": {"knn15": {"kind": "knn_clique"}, "ring1": {"kind": "grid", "corners": True}},
    "models": {
        "paper": {**_SMALL, "training": {"epochs": 2, "order": "as_released"}},
        "rings": {**_SMALL, "graph": "ring1", "training": {"epochs": 2}},
        "release": {"pretrain_on": ["atlas"], "released": {"path": "release.pt"}},
    },
    "representations": {
        "cohorts": ["breast"],
        "components": 5,
        "methods": {
            **METHODS,
            "depth": {"file": "depth.py", "unit": 1000},
            "elsewhere": {"h5ad": {"breast": "elsewhere.h5ad"}, "obsm": "X_own"},
        },
    },
    "claims": {"models": ["paper", "release"]},
    "recovery": {"cohorts": ["breast"]},
    "imputation": {
        "cohorts": ["breast"],
        "models": ["paper", "rings"],
        "shares": [0.3],
        "spots": 40,
        "complete": ["breast"],
    },
    "perturbation": {
        "cohorts": ["breast"],
        "models": ["paper", "rings"],
        "spots": 20,
        "levels": 3,
        "controls": 3,
        "pairs": {"mine": {"source": "table", "path": "pairs.tsv"}},
    },
    "screen": {
        "cohorts": ["breast"],
        "models": ["paper", "rings"],
        "context": "label",
        "spots": 6,
        "jacobian_spots": 6,
        "inputs": "inputs.txt",
        "top": 5,
        "permutations": 20,
    },
    "clustering": {
        "cohorts": ["breast"],
        "seeds": 2,
        "resolutions": [0.5, 1.0],
        "components": 3,
        "umap_spots": 200,
        "drop": ["undetermined"],
    },
    "tasks": {
        "pathology": {
            "cohort": "breast",
            "claim": "annotation",
            "drop": ["undetermined"],
            "repeats": 1,
            "centred": [False, True],
        },
        "modules": {
            "cohort": "breast",
            "claim": "subtypes",
            "labels": {"source": "module_scores", "gene_sets": "sets.tsv"},
            "representations": ["pca", "mofa", "sagefm-paper"],
            "repeats": 1,
            "predict": ["atlas"],
            "confidence": 0.3,  # low, for every spot to have a class
        },
    },
}
METHOD = '''"""A method of one file: the depth of each spot."""

from dataclasses import dataclass

from sagefm.representations.method import option

SPATIAL = False
TRANSDUCTIVE = False
SOURCE = "a test"


@dataclass(frozen=True)
class Options:
    """What the config may set."""

    unit: int = option(1, "Counts that count as one.")


def represent(cohort, options, seed):
    """Counts of each spot: float32 (spots, 1)."""
    import numpy as np

    return np.asarray(cohort.counts().X.sum(axis=1), np.float32) / options.unit
'''
"""A user's file that defines a representation; the config also has an entry for it."""


def row(sample: str, path: str, patient: str = "", **more: str) -> dict[str, str]:
    """A sheet's row for a bundled section, or for a file in the same format."""
    organ = "Heart" if patient.startswith("heart") else "Breast"
    return {
        "sample": sample,
        "source": "local",
        "path_or_id": path,
        "organ": organ,
        "patient": patient,
        "technology": "Spatial Transcriptomics",
        "dataset": "asp" if organ == "Heart" else "her2st",
        **more,
    }


def write_sheet(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a sheet of samples."""
    lines = ["\t".join(SHEET), *("\t".join(row[column] for column in SHEET) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_config(folder: Path, config: dict) -> None:
    """Write a run's config where the Snakefile looks for it."""
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def prepare(folder: Path) -> Path:
    """Copy the workflow to a new folder, with a small panel, two sheets and a checkpoint."""
    folder.mkdir(parents=True)
    for name in ("Snakefile", "CITATION.cff"):
        shutil.copy2(REPO / name, folder)
    for name in ("workflow", "profiles", "envs"):
        shutil.copytree(REPO / name, folder / name)
    shutil.copytree(
        REPO / "resources", folder / "resources", ignore=shutil.ignore_patterns("*.h5ad")
    )
    for section in (REPO / "resources/demo/st").iterdir():
        (folder / "resources/demo/st" / section.name).symlink_to(section)
    (folder / "config").mkdir()
    write_config(folder, CONFIG)
    genes = [*small.patch(genes=GENES - MISSING).var_names]
    genes[MISSING:MISSING] = [f"NOGENE{i}" for i in range(MISSING)]
    (folder / "panel.txt").write_text("\n".join(genes) + "\n")
    for cohort, samples in SAMPLES.items():
        rows = [row(name, f"resources/demo/st/{name}.h5ad", p) for name, p in samples.items()]
        write_sheet(folder / f"{cohort}.tsv", rows)
    (folder / "depth.py").write_text(METHOD)
    # One section more than the cohort has, for the test that adds it.
    write_matrix(folder / "elsewhere.h5ad", [*SAMPLES["breast"], "SPA136"])
    starts = {"first": 20, "second": 40}
    sets = [f"{name}\t{gene}" for name, i in starts.items() for gene in genes[i : i + 15]]
    (folder / "sets.tsv").write_text("\n".join(["set\tgene", *sets]) + "\n")
    pairs = [f"{genes[i]}\t{genes[i + step]}" for i in range(20, 40) for step in (30, 40)]
    (folder / "pairs.tsv").write_text("\n".join(["input\toutput", *pairs]) + "\n")
    (folder / "inputs.txt").write_text("\n".join(genes[20:45]) + "\n")
    save_checkpoint(folder / "release.pt", build_network("gcn", GENES, tuple(WIDTHS), seed=1))
    return folder


FINISHED = "results/small/report.zip"
"""Last file written by a run."""


def finish(folder: Path) -> Path:
    """Run the whole workflow in a prepared folder."""
    done = snakemake(folder)
    assert done.returncode == 0, done.stdout
    return folder


def pretend(folder: Path) -> None:
    """Make the jobs of a prepared folder write empty files; their code is compared as usual."""
    for script in (folder / "workflow/scripts").rglob("*.py"):
        work = textwrap.indent(script.read_text(), "    ")
        script.write_text(f"def work():\n{work}\n{EMPTY}")
    archive = folder / "workflow/sagefm/report/archive.py"
    archive.write_text(f"{archive.read_text()}\n{EMPTY_ARCHIVE}")


EMPTY = """
import os

for path in snakemake.output:
    if os.path.splitext(path)[1]:
        open(path, "w").close()
    else:
        os.makedirs(path)
"""
EMPTY_ARCHIVE = """
def pack_report(archive, *_):
    open(archive, "w").close()
"""


def write_matrix(path: Path, samples: Iterable[str]) -> None:
    """Write an embedding computed elsewhere: each spot's array position, last spot first."""
    names = [
        f"{sample}:{spot}"
        for sample in samples
        for spot in read_h5ad(REPO / f"resources/demo/st/{sample}.h5ad").obs_names
    ][::-1]
    places = [name.rpartition(":")[2].split("x") for name in names]
    AnnData(obs=pd.DataFrame(index=names), obsm={"X_own": np.array(places, np.float32)}).write_h5ad(
        path
    )


def snakemake(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a prepared folder as a user does, with both streams in `stdout`.

    It uses the folder's copy of the library, which a test may have edited. `options` are passed to
    `subprocess.run`.
    """
    environment = options.pop("env", os.environ)
    paths = [str(folder / "workflow"), *filter(None, [environment.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "snakemake", "--snakefile", folder / "Snakefile"]
    command += ["--directory", folder, "--cores", "2", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=1500,
        env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
        **options,
    )


def jobs(printed: str) -> dict[str, int]:
    """Number of jobs of each rule in Snakemake's table; empty if there is nothing to do."""
    table = re.search(r"^job +count\n[- ]+\n((?:\w+ +\d+\n)+)", printed, re.M)
    found = dict(line.split() for line in table[1].splitlines()) if table else {}
    return {rule: int(count) for rule, count in found.items()}


def would_run(folder: Path) -> dict[str, int]:
    """Number of jobs of each rule that the next start would run."""
    done = snakemake(folder, "--dry-run")
    assert done.returncode == 0, done.stdout
    return {name: n for name, n in jobs(done.stdout).items() if name not in {"all", "total"}}


@contextmanager
def edited(path: Path, old: str, new: str) -> Iterator[None]:
    """Change a file temporarily, then restore its content and its time."""
    stat, text = path.stat(), path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        yield
    finally:
        path.write_text(text)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
