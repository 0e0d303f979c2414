"""Scores of a user's embedding equal those of the chapters' own functions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sagefm
from sagefm.annotation.by_patient import patient_table
from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.cohorts.panel import harmonise
from sagefm.common.errors import InputError
from sagefm.common.h5ad import write_h5ad
from sagefm.common.io import read_table
from sagefm.exports.command import main
from sagefm.exports.labelled import read_sections, representation_of, spots_of
from sagefm.exports.prepared import Source
from sagefm.exports.scored import _baselines
from sagefm.networks.recipe import PAPER_PANEL
from sagefm.representations.represent import represent_entry
from sagefm.sections.cohort import Cohort
from sagefm.sections.genes import read_panel
from support import helpers

SAMPLES = ("heart-1", "heart-2", "heart-4")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    """Three sections with halves as labels, and an embedding that knows them but for noise."""
    folder = tmp_path_factory.mktemp("sections")
    rng, paths = np.random.default_rng(0), []
    for sample in SAMPLES:
        section = helpers.demo_section(sample)
        y = section.obsm["spatial"][:, 1]
        upper = y > np.median(y)
        section.obs["region"] = np.where(upper, "upper", "lower").astype(object)
        section.obs.loc[section.obs_names[::6], "region"] = None
        section.obs["donor"] = f"donor {sample[-1]}"
        noise = rng.normal(size=(section.n_obs, 4))
        section.obsm["X_mine"] = noise + 1.5 * upper[:, None]
        paths.append(folder / f"{sample}.h5ad")
        section.write_h5ad(paths[-1])
    return paths


def test_the_command_writes_the_rows_of_the_tables(tmp_path, files, capsys):
    given = [*map(str, files), "--obsm", "X_mine", "--label", "region", "--patient", "donor"]
    out = tmp_path / "scores.tsv"
    assert main(["score", *given, "--baselines", "pca", "depth", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "ari_within_sections" in said and said.endswith("held out patients\n")
    table = read_table(out)
    assert [*table["representation"].unique()] == ["X_mine", "pca", "depth"]
    wide = table.pivot(index="metric", columns="representation", values="value")
    assert wide.notna().all(axis=None)
    assert wide.loc["patient_balanced_accuracy", "X_mine"] > 0.8
    assert wide.loc["ari_within_sections", "X_mine"] > 0.4
    assert (wide.loc["ari_within_sections"].drop("X_mine") < 0.4).all()
    intervals = table.set_index(["representation", "metric"]).loc["X_mine"]
    assert intervals.loc["ari_within_sections", "n_patients"] == 3
    assert pd.isna(intervals.loc["total", "low"])

    adata, key = read_sections(files)
    spots = spots_of(adata, label="region", patient="donor", library_key=key)
    mine = representation_of("X_mine", adata.obsm["X_mine"].astype(np.float32), spots)
    found, _ = annotate_task(mine, spots, AnnotationPlan(["held_out_patients"], ["logistic"]))
    patients = patient_table(found.assign(representation="X_mine"), {}, 5)
    expected = patients["patient_balanced_accuracy"].mean()
    assert wide.loc["patient_balanced_accuracy", "X_mine"] == pytest.approx(expected)


def test_a_baselines_rows_are_those_of_the_spots_in_whatever_order(files):
    """Sections whose spots come in random order are taken apart and put back together."""
    adata, key = read_sections(files[:2])
    adata = adata[np.random.default_rng(1).permutation(adata.n_obs)].copy()
    depth = []
    for name in adata.obs[key].cat.categories:
        own = adata[adata.obs[key] == name]
        depth.append(pd.Series(np.log1p(np.asarray(own.X.sum(axis=1)).ravel()), own.obs_names))
    adata.obsm["X_mine"] = pd.concat(depth).loc[adata.obs_names].to_numpy()[:, None]
    spots = spots_of(adata, label="region", patient="donor", library_key=key)
    (found,) = _baselines(adata, spots, Source(None, key, None, None), ["depth"], 0)
    # On the paper's genes instead of all: nearly the same depth, spot by spot.
    assert np.corrcoef(found.values[:, 0], adata.obsm["X_mine"][:, 0])[0, 1] > 0.99


def test_a_baseline_is_that_of_a_run_whatever_the_seed(files, tmp_path):
    """A run has seeds of its own, which exact components do not depend on."""
    adata, key = read_sections(files)
    spots = spots_of(adata, label="region", patient="donor", library_key=key)
    (found,) = _baselines(adata, spots, Source(None, key, None, None), ["niche_channels"], 0)
    paths = []
    for sample in SAMPLES:
        paths.append(tmp_path / f"{sample}.h5ad")
        section = helpers.demo_section(sample)
        write_h5ad(harmonise(section, read_panel(PAPER_PANEL))[0], paths[-1])
    run, _ = represent_entry("niche_channels", {}, Cohort(tuple(paths), ()), 9001)
    np.testing.assert_allclose(found.values, run, atol=1e-3)


BAD = {
    "no embedding": ({"obsm": "X_mie"}, r"no obsm\['X_mie'\]. Fix: correct `obsm`; did you mean"),
    "no label": ({"label": "regions"}, "no column `regions`"),
    "no baseline": ({"baselines": ["pcaa"]}, "pcaa"),
    "not finite": ({"obsm": "X_nan"}, "not a finite table of spots by features"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_scored_ends_in_one_sentence(files, case):
    changes, words = BAD[case]
    adata, _ = read_sections(files[:1])
    adata.obsm["X_nan"] = np.full((adata.n_obs, 2), np.nan)
    given = {"obsm": "X_mine", "label": "region", "baselines": ["depth"]} | changes
    with pytest.raises(InputError, match=words):
        sagefm.score_embedding(adata, **given)
