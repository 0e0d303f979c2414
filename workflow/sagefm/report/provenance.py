"""Where a run's numbers come from: config, code, data, packages."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import h5py

import sagefm

PACKAGES = (
    "anndata",
    "GraphST",
    "h5py",
    "igraph",
    "liana",
    "matplotlib",
    "mofapy2",
    "numba",
    "numpy",
    "pandas",
    "pybanksy",
    "rdata",
    "scanpy",
    "scikit-learn",
    "scipy",
    "snakemake",
    "squidpy",
    "torch",
    "torch_geometric",
    "umap-learn",
)
"""Those whose version may matter to a number; `resources/software.tsv` says what each is for."""


def config_hash(config: Mapping) -> str:
    """SHA-256 of a config as canonical JSON, defaults filled in."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def code_version(repository: str | Path) -> str:
    """The library's version and, in a git checkout, its commit (`-dirty` with changes)."""
    command = ["git", "-C", str(repository), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return sagefm.__version__
    return f"{sagefm.__version__} ({found})"


def package_versions(packages: Iterable[str] = PACKAGES) -> dict[str, str | None]:
    """Installed version of each package; None where it is not installed."""

    def installed(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    return {package: installed(package) for package in packages}


def data_checksums(samples: Sequence[str | Path]) -> dict[str, str]:
    """SHA-256 of the source of each harmonised sample, by `{cohort}/{sample}`."""
    checksums = {}
    for path in samples:
        with h5py.File(path) as file:
            facts = file["uns/provenance"]
            cohort, sample, digest = (
                facts[key][()].decode() for key in ("cohort", "sample", "source_sha256")
            )
        checksums[f"{cohort}/{sample}"] = digest
    return checksums


def provenance(config: Mapping, code: str, samples: Sequence[str | Path]) -> dict:
    """All of it: what must agree for two runs to agree."""
    return {
        "config_sha256": config_hash(config),
        "version": sagefm.__version__,
        "code": code,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": package_versions(),
        "data_sha256": data_checksums(samples),
        "config": config,
    }
