"""Domains across sections: shared names, a stable number, and markers tested over patients."""

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import sagefm
from sagefm.common.errors import InputError
from sagefm.common.io import read_table
from sagefm.exports.command import main
from sagefm.exports.domained import domain_markers
from support import helpers


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    """Sections of three patients with an embedding of two groups, apart by a gene of their own."""
    folder = tmp_path_factory.mktemp("sections")
    rng, paths = np.random.default_rng(0), []
    for sample in ("heart-1", "heart-2", "heart-4"):
        section = helpers.demo_section(sample)[:, :400].copy()
        inner = np.arange(section.n_obs) % 3 == 0
        counts = section.X.toarray().astype(np.int32)
        counts[:, 7] += rng.poisson(np.where(inner, 30, 1))
        section.X = sp.csr_matrix(counts)
        section.obs["donor"] = f"donor {sample[-1]}"
        section.obsm["X_mine"] = rng.normal(size=(section.n_obs, 3)) / 4 + 5 * inner[:, None]
        paths.append(folder / f"{sample}.h5ad")
        section.write_h5ad(paths[-1])
    return paths


def test_the_command(tmp_path, files, capsys):
    out = tmp_path / "o.h5ad"
    words = ["domains", *map(str, files), str(out), "--obsm", "X_mine", "--patient", "donor"]
    words += ["--figure", str(tmp_path / "c.pdf"), "--markers", str(tmp_path / "m.tsv")]
    assert main(words) == 0
    assert f"{out}: 2 domains (adjusted Rand index between fits 1.00)" in capsys.readouterr().out
    written = anndata.read_h5ad(out)
    inner = written.obsm["X_mine"].mean(axis=1) > 2.5
    assert (written.obs["sagefm_domain"].astype(str) == np.where(inner, "2", "1")).all()
    assert written.obs["section"].nunique() == 3
    markers = read_table(tmp_path / "m.tsv", dtype={"domain": str})
    best = markers[markers["domain"] == "2"].iloc[0]
    assert best["gene"] == written.var_names[7] and best["p"] < 0.05
    assert best["log2_fold_change"] > 2
    stability = written.uns["sagefm_domains"]["stability"]
    assert stability["number"].tolist() == [*range(2, 16)]
    assert (tmp_path / "c.png").stat().st_size > 0 and (tmp_path / "c.pdf").stat().st_size > 0


def test_too_few_patients_are_said(files):
    adata = anndata.read_h5ad(files[0])
    sagefm.domains(adata, obsm="X_mine", numbers=[2])
    found = adata.uns["sagefm_domains"]
    assert found["number"] == 2 and found["markers"].empty
    assert found["note"].startswith("no markers of 1, 2: fewer than 3 patients have 5 spots")


def test_a_domain_of_few_patients_has_no_markers_and_others_have():
    rng = np.random.default_rng(0)
    patients = np.repeat(["a", "b", "c", "d"], 30)
    names = np.tile(np.repeat(["1", "2"], 15), 4)
    names[:8] = "3"
    domain = pd.Categorical(names, ["1", "2", "3"])
    counts = sp.csr_matrix(rng.poisson(5, size=(120, 60)).astype(np.int32))
    markers, note = domain_markers(counts, [f"g{i}" for i in range(60)], domain, patients)
    assert {*markers["domain"]} == {"1", "2"}
    assert note.startswith("no markers of 3: fewer than 3 patients")


def test_centring_takes_a_sections_shift_away(files):
    adata = anndata.concat([anndata.read_h5ad(file) for file in files], label="slide")
    adata.obs_names_make_unique()
    adata.obsm["X_mine"] += 40 * np.array(adata.obs["slide"].cat.codes)[:, None]
    keys = {"obsm": "X_mine", "library_key": "slide", "numbers": [2]}
    apart = sagefm.domains(adata.copy(), **keys).obs
    assert pd.crosstab(apart["slide"], apart["sagefm_domain"]).gt(0).sum().min() < 3
    together = sagefm.domains(adata.copy(), centred=True, **keys).obs
    assert pd.crosstab(together["slide"], together["sagefm_domain"]).gt(0).all(axis=None)


BAD = {
    "no embedding": ({"obsm": "X_mie"}, r"no obsm\['X_mie'\]. Fix: embed the sections first"),
    "no layer": ({"layer": "raw"}, r"no layers\['raw'\]. Fix: correct `layer`"),
    "too many": ({"numbers": [5000]}, "spots are too few for 5000 domains. Fix: choose smaller"),
    "no patient": ({"patient": "who"}, "no column `who`. Fix: correct `patient`"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_changes_nothing(files, case):
    changes, words = BAD[case]
    adata = anndata.read_h5ad(files[0])
    with pytest.raises(InputError, match=words):
        sagefm.domains(adata, **{"obsm": "X_mine", "numbers": [2]} | changes)
    assert "sagefm_domain" not in adata.obs


def test_a_model_or_an_embedding(tmp_path, files, capsys):
    assert main(["domains", str(files[0]), str(tmp_path / "o.h5ad")]) == 1
    assert "give --model to embed the sections, or --obsm" in capsys.readouterr().err
