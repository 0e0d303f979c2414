"""Programmes of a model: their gene sets, their labels, and their stability across fits."""

from math import comb

import numpy as np
import pandas as pd
import pytest
import torch

import sagefm
from sagefm.common.errors import InputError
from sagefm.exports.prepared import write_section
from sagefm.exports.programme_figures import draw_programmes
from sagefm.exports.programmes_on_tissue import (
    label_summary,
    matched_values,
    refit,
    section_profile,
    stability,
)
from sagefm.sections.section import sections_of
from support import helpers, model_folders

RECIPES = {
    "light": {"network": "light", "normalisation": "log1p_cp10k", "graph": {"kind": "star"}},
    "paper": {"network": "gcn", "normalisation": "log1p", "graph": {"kind": "knn_clique"}},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return model_folders.write_models(folder, model_folders.small_panel(), RECIPES)


@pytest.fixture
def light(models):
    """A light model on 300 genes that reads the first 100; 5 of them rise with programme 3."""
    model = sagefm.load(models / "light", device="cpu")
    network = model.network
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for channel in (network.centre, network.neighbours):
            channel.zero_()
            channel[:100] = 0.01 * torch.randn(100, 20, generator=generator)
        network.fc_gene.weight.copy_(0.01 * torch.randn(300, 20, generator=generator))
        network.fc_gene.weight[:5, 3] = 1.0
        network.fc_gene.weight[200:, 3] = 2.0  # genes that the programmes are not made of
    return model


def test_a_planted_set_is_the_first_of_its_programme(light):
    genes = list(light.genes)
    sets = {"planted": [*genes[:6], "NOT_HERE"], "other": genes[50:60], "outside": genes[250:260]}
    table = sagefm.programme_sets(light, sets, top=5)
    assert len(table) == 20 * 2 * 2  # `outside` has no gene of the universe
    row = table[(table["programme"] == 3) & (table["direction"] == "rises")].iloc[0]
    assert row["set"] == "planted" and (row["n_set"], row["n_overlap"]) == (6, 5)
    assert row["p"] == pytest.approx(comb(6, 5) / comb(100, 5))
    assert set(row["genes"].split("; ")) == set(genes[:5])
    assert table["q"].ge(table["p"]).all() and row["q"] == table["q"].min()


def test_gene_sets_come_from_files_or_with_the_package(light, tmp_path, repo):
    genes = list(light.genes)
    (tmp_path / "s.gmt").write_text("planted\tpage\t" + "\t".join(genes[:6]) + "\n")
    rows = [*(f"planted\t{gene}" for gene in genes[:6]), f"other\t{genes[50]}"]
    (tmp_path / "s.tsv").write_text("\n".join(["set\tgene", *rows]) + "\n")
    of_gmt = sagefm.programme_sets(light, tmp_path / "s.gmt", top=5)
    assert of_gmt.equals(sagefm.programme_sets(light, {"planted": genes[:6]}, top=5))
    of_table = sagefm.programme_sets(light, str(tmp_path / "s.tsv"), top=5)
    assert set(of_table["set"]) == {"planted", "other"}
    bundled = sagefm.programme_sets(sagefm.load("light", device="cpu"))
    assert bundled["set"].nunique() == 50 + 4
    first = bundled[bundled["programme"] == 7].iloc[0]  # its first genes are collagens
    assert first["set"] == "HALLMARK_EPITHELIAL_MESENCHYMAL_TRANSITION" and first["q"] < 1e-6


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"gene_sets": {"a": ["NOT_HERE"]}}, "no gene set has a gene of the programmes. Fix: "),
        ({"top": 0}, "`top` is 0, but must be at least 1. Fix: "),
        ({"gene_sets": "nowhere.gmt"}, "nowhere.gmt: cannot be read"),
    ],
)
def test_what_cannot_be_tested_is_refused(light, keys, words):
    with pytest.raises(InputError, match=words):
        sagefm.programme_sets(light, **keys)


def test_a_network_without_programmes_has_no_sets(models):
    with pytest.raises(InputError, match="network `gcn` has no programmes"):
        sagefm.programme_sets(sagefm.load(models / "paper", device="cpu"))


@pytest.fixture
def shuffled(light, models):
    """The same model with its programmes in another order, half of them turned."""
    other = sagefm.load(models / "light", device="cpu")
    order = torch.from_numpy(np.random.default_rng(1).permutation(20))
    signs = torch.tensor([1.0, -1.0]).repeat(10)
    with torch.no_grad():
        for name, weights in light.network.state_dict().items():
            other.network.state_dict()[name].copy_(weights[:, order] * signs)
    return other


def test_another_fit_is_matched_to_the_reference(light, shuffled):
    found = stability(light, {"same": shuffled})
    assert [*found["programme"]] == [*range(20)]
    np.testing.assert_allclose(found["correlation"], 1, atol=1e-6)
    adata = helpers.demo_section("heart-1")
    expected = sagefm.embed(adata.copy(), light).obsm["X_sagefm"]
    values = matched_values(adata, shuffled, light)
    np.testing.assert_allclose(values, expected, atol=1e-5)


def test_a_fit_to_the_same_sections_is_the_same_and_to_others_is_not(light, tmp_path):
    names = list(light.genes)
    files = []
    for sample in ("heart-1", "heart-2", "heart-3"):
        adata = sagefm.read(helpers.REPO / f"resources/demo/st/{sample}.h5ad", light)
        files.append((tmp_path / f"{sample}.h5ad", tmp_path / f"{sample}.npz"))
        write_section(adata, *files[-1], light.recipe, "Spatial Transcriptomics")
    one, two, three = sections_of(*zip(*files, strict=True))
    fit = refit(light, [one, two])
    assert [*fit.genes] == names and fit.network.centre.any()
    found = stability(fit, {"same": refit(light, [two, one]), "other": refit(light, [three])})
    lowest = found.groupby("fit")["correlation"].min()
    assert lowest["same"] > 0.999 and lowest["other"] < 0.9


def test_a_section_by_label():
    """Two halves of a grid: one programme tells them apart, one is a chessboard, one constant."""
    y, x = np.mgrid[:6, :8].reshape(2, -1)
    values = np.stack([x < 4, (x + y) % 2, np.zeros(48)], axis=1).astype(float)
    labels = pd.Series(np.where(x < 4, "left", "right").astype(object))
    labels[(x == 7) & (y < 4)] = "few"
    with pytest.warns(UserWarning, match="constant"):
        by_label, spread = section_profile(values, labels, np.stack([x, y], axis=1) * 100.0)
    table = by_label.pivot(index="programme", columns="label", values="value")
    assert [*table.columns] == ["left", "right"]  # four spots are too few
    np.testing.assert_allclose(table.loc[0], [1, -1])
    np.testing.assert_allclose(table.loc[1:], 0, atol=1e-12)
    assert set(by_label.loc[by_label["label"] == "right", "n_spots"]) == {20}
    spread = spread.set_index("programme")
    np.testing.assert_allclose(spread["label_share"], [1, 0, np.nan], atol=1e-12)
    assert spread.loc[0, "moran_i"] > 0.7 and spread.loc[1, "moran_i"] < 0.1
    assert np.isnan(spread.loc[2, "moran_i"])


def test_labels_over_patients():
    table = pd.DataFrame(
        [("a", 0, "x", 1.0), ("a", 0, "y", 0.0), ("b", 0, "x", -1.0), ("b", 0, "y", 2.0)],
        columns=["patient", "programme", "label", "value"],
    )
    x, y = label_summary(table).to_dict("records")
    assert (x["value"], x["n_patients"], x["n_highest"]) == (0, 2, 1)
    assert (y["value"], y["n_highest"]) == (1, 1)


def test_the_figure_has_a_row_for_each_programme():
    summary = pd.DataFrame({"programme": [0, 1], "rises": ["A; B; C; D", "E; F; G; H"]})
    rows = [(0, "cancer", -1.0), (0, "fat", 1.0), (1, "cancer", 2.0), (1, "fat", 0.0)]
    labels = pd.DataFrame(rows, columns=["programme", "label", "value"])
    fits = pd.DataFrame({"programme": [0, 1, 0], "correlation": [1, 0.9, 0.5]})
    heat, _, dots = draw_programmes(summary, labels, fits).axes
    # The programme that is highest in the first class comes first.
    assert [tick.get_text() for tick in heat.get_yticklabels()] == ["E, F, G   1", "A, B, C   0"]
    np.testing.assert_array_equal(heat.images[0].get_array(), [[2, 0], [-1, 1]])
    (fits,) = dots.lines
    assert fits.get_xydata().tolist() == [[1, 1], [0.9, 0], [0.5, 1]]
