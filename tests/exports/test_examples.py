"""The examples of README and documentation run as printed, on the files that they name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import anndata
import numpy as np
import pytest
import torch

from sagefm.networks.base import build_network
from support import helpers

PAGES = ("README.md", "docs/one-section.md", "docs/light.md")
DONORS = ("SPA120", "SPA124", "SPA130", "SPA136")
SPOTS = 80


def blocks(language: str, about: str) -> dict[str, str]:
    """The fenced blocks of a language that name a thing, by page and number."""
    found = {}
    for page in PAGES:
        text = (helpers.REPO / page).read_text()
        own = re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.M | re.S)
        found |= {f"{page}-{i}": block for i, block in enumerate(own) if about in block}
    return found


IN_PYTHON = blocks("python", "import sagefm")
TRAINS = {name for name, block in IN_PYTHON.items() if "finetune" in block}
IN_SHELL = blocks("sh", "sagefm annotate")


def section(sample: str) -> anndata.AnnData:
    """Some spots of a bundled section, with all that the examples say `obs` and `obsm` have."""
    own = helpers.demo_section(sample)[:SPOTS].copy()
    upper = own.obsm["spatial"][:, 1] > np.median(own.obsm["spatial"][:, 1])
    own.obs["region"] = np.where(upper, "upper", "lower")
    own.obs["patient"], own.obs["slide"] = f"patient of {sample}", sample
    own.obsm["X_mine"] = np.random.default_rng(0).normal(size=(own.n_obs, 5)) + upper[:, None]
    return own


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working directory with the files that the examples read, and the commands on the path."""
    (tmp_path / "outs").symlink_to(helpers.REPO / "resources/demo/visium/tnbc_396A/outs")
    for number, sample in enumerate(DONORS):
        for name in ("labelled", "section"):
            section(sample).write_h5ad(tmp_path / f"{name}-{number}.h5ad")
    section(DONORS[0]).write_h5ad(tmp_path / "section.h5ad")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def shell(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "block", [pytest.param(n, marks=[pytest.mark.slow] * (n in TRAINS)) for n in IN_PYTHON]
)
def test_python(folder, block):
    """`labelled` and `sections` are several sections in one AnnData, as the page says."""
    several = anndata.concat([section(sample) for sample in DONORS], index_unique="-")
    names = {"labelled": several, "sections": several.copy()}
    exec(compile(IN_PYTHON[block], block, "exec"), names)
    embedded = names["adata"]
    assert embedded.obsm["X_sagefm"].shape == (embedded.n_obs, 20)
    if block in TRAINS:
        assert set(embedded.obs["sagefm_label"].dropna()) <= {"upper", "lower"}
        assert names["sections"].obs["sagefm_domain"].notna().all()
        assert (folder / "models/mine/best.pt").is_file()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("block", IN_SHELL)
def test_commands(folder, block):
    done = shell(IN_SHELL[block])
    assert done.returncode == 0, done.stdout + done.stderr
    named = set(anndata.read_h5ad(folder / "out.h5ad").obs)
    assert "sagefm_domain" in named
    written = {"scores.tsv", "domains.pdf", "markers.tsv", "models/mine/best.pt"}
    assert {name for name in written if not (folder / name).is_file()} == set()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_make_embed(folder, panel):
    """Both calls of the page, the second with a checkpoint as the authors released theirs.

    The Makefile has nothing to build.
    """
    own = helpers.demo_section(DONORS[0])
    helpers.write_tenx_h5(own, folder / "section.h5")
    helpers.write_positions(own, folder / "spatial/tissue_positions.csv", header=True)
    network = build_network("gcn", len(panel), (32, 16, 32), seed=0)
    (folder / "checkpoints").mkdir()
    torch.save({"model_state_dict": network.state_dict()}, folder / "checkpoints/sagefm.pt")
    (folder / "Makefile").symlink_to(helpers.REPO / "Makefile")
    (folder / ".venv").symlink_to(sys.prefix)
    (calls,) = blocks("sh", "make embed IN=section.h5").values()
    done = shell(f'make() {{ command make ENV= "$@"; }}\n{calls}')
    assert done.returncode == 0, done.stdout + done.stderr
    assert anndata.read_h5ad(folder / "section.h5ad").obsm["X_sagefm"].shape[1] == 20
    assert "predicted" in anndata.read_h5ad(folder / "out.h5ad").layers


def test_there_are_examples():
    assert {name.rpartition("-")[0] for name in IN_PYTHON} == set(PAGES)
    assert len(IN_SHELL) == 1
