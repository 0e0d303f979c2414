"""The section viewer: the content of its page, and the sampling of a large cohort."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from anndata import AnnData

from sagefm.exports import viewer
from sagefm.exports.explore import held_out
from sagefm.exports.viewer_responses import add_responses, shown_responses
from support import browser

SPOTS = 12


@pytest.fixture
def adata() -> AnnData:
    """Two sections of six spots, of which the first has an image."""
    obs = pd.DataFrame(
        {
            "sample": ["A"] * 6 + ["B"] * 6,
            "patient": ["P"] * SPOTS,
            "spot": [f"s{i}" for i in range(SPOTS)],
            "label": ["tumour", "stroma", None] * 4,
        }
    )
    obs.index = obs["sample"] + ":" + obs["spot"]
    clusters = pd.DataFrame(
        {
            "kmeans_section_pca": pd.Categorical([str(i % 3) for i in range(SPOTS)]),
            "leiden_section_pca": pd.Categorical(["0"] * SPOTS),
        },
        index=obs.index,
    )
    one = np.c_[np.tile(np.arange(3), 2) * 10.0, np.repeat(np.arange(2), 3) * 10.0]
    image = np.full((20, 40, 3), 200, dtype=np.uint8)
    image[:10] = 90

    def library(pixels: np.ndarray) -> dict:
        return {"images": {"hires": pixels}, "scalefactors": {"tissue_hires_scalef": 0.5}}

    return AnnData(
        np.zeros((SPOTS, 1), dtype=np.float32),
        obs=obs,
        obsm={
            "spatial": np.r_[one, one + 100],
            "X_umap_pca": np.ones((SPOTS, 2)),
            "clusters": clusters,
        },
        uns={"spatial": {"A": library(image), "B": library(np.full((4, 4, 3), 255))}},
    )


@pytest.fixture
def predictions(adata) -> pd.DataFrame:
    held = adata.obs[["sample", "spot"]].iloc[:6].reset_index(drop=True)
    held = held.assign(
        **{"classifier": "logistic", "protocol": "held_out_patients", "centred": False},
        **{"truth": ["tumour", "stroma"] * 3, "predicted": "tumour"},
        **{"p_tumour": 0.754, "p_stroma": 0.246},
    )
    other = held.assign(protocol="random_spots", predicted="stroma")
    return pd.concat([other, held], ignore_index=True)


@pytest.fixture
def pages(adata, predictions) -> viewer.Pages:
    return viewer.collect_spots(
        adata,
        {"pathology": {"pca": predictions}},
        {"pathology": "logistic"},
        {"tumour": "#AA0000"},
        {"A": "Visium", "B": ""},
    )


def test_each_patient_has_a_section_before_a_second_of_any():
    spots = dict.fromkeys("abcd", viewer.MOST_SPOTS // 2)
    patients = {"a": "P", "b": "P", "c": "Q", "d": "R"}
    assert viewer.shown_samples(spots, patients) == ["a", "c"]
    few = dict.fromkeys("abcd", 10)
    assert viewer.shown_samples(few, patients) == list("abcd")
    assert viewer.shown_samples({"a": 10**6}, {"a": "P"}) == ["a"]


def test_a_sampled_cohort_says_so():
    spots = {"a": 10, "b": 30}
    assert "Shown: 1 section, 10 spots, of 2 sections, 40 spots;" in viewer.note("T", ["a"], spots)
    whole = viewer.note("<T>", ["a", "b"], spots)
    assert "Shown: 2 sections, 40 spots." in whole and "&lt;T&gt;" in whole


def test_genes_are_the_most_variable_and_those_named():
    values = sp.csr_matrix(np.array([[0, 5, 1, 1], [9, 5, 2, 1]], dtype=np.float32))
    assert viewer.shown_genes(values, [3], most=1).tolist() == [0, 3]
    assert viewer.shown_genes(values, [0], most=2).tolist() == [0, 2]


def test_places_are_micrometres_where_the_technology_is_known(pages):
    assert pages.columns["x"][:6].tolist() == [0, 100, 200] * 2
    assert pages.columns["y"][:6].tolist() == [0, 0, 0, -100, -100, -100]
    assert pages.columns["x"][6:].tolist() == [0, 1, 2] * 2  # spot spacings
    assert [one["pitch"] for one in pages.facts["sections"]] == [100, 0]


def test_an_image_lies_where_its_spots_are(pages):
    one, two = (section["picture"] for section in pages.facts["sections"])
    assert two is None  # a blank one is not shown
    assert one["url"].startswith("data:image/jpeg;base64,")
    # 40 x 20 pixels at half of full resolution, whose spots are 10 pixels, 100 micrometres, apart.
    assert (one["x"], one["y"], one["w"], one["h"]) == (0, 0, 800, 400)


def test_a_section_without_labels_shows_the_classes_that_are_confident(adata):
    table = adata.obs[["sample", "spot"]].reset_index(drop=True)
    table = table.assign(predicted="stroma", confident=[True, False] * 6, p_stroma=0.6)
    found = viewer.collect_spots(adata, {"t": {"x": table}}, {"t": "logistic"}, {}, {})
    assert [name for name, _ in found.facts["classes"]["t"]] == ["stroma"]
    assert found.columns["class|t|x"].tolist() == [0, viewer.NONE] * 6
    assert (found.columns["truth|t"] == viewer.NONE).all()
    assert (found.columns["probability|t|x"] == 60).all()
    doubtful = {"t": {"x": table.assign(confident=False)}}
    assert "t" not in viewer.collect_spots(adata, doubtful, {"t": "knn"}, {}, {}).facts["tasks"]


def test_classes_are_those_predicted_while_the_patient_was_held_out(pages, predictions):
    names = [name for name, _ in pages.facts["classes"]["pathology"]]
    assert names == ["stroma", "tumour"]
    assert pages.facts["classes"]["pathology"][1][1] == "#AA0000"
    codes = pages.columns["class|pathology|pca"]
    assert codes.tolist() == [1] * 6 + [viewer.NONE] * 6
    assert pages.columns["truth|pathology"][:2].tolist() == [1, 0]
    assert pages.columns["probability|pathology|pca"].tolist() == [75] * 6 + [0] * 6
    assert len(held_out(predictions, "pca", "logistic")) == 6
    assert held_out(predictions, "pca", "knn").empty


def test_labels_and_clusters_are_codes_and_no_label_is_none(pages):
    assert pages.columns["label"].tolist() == [1, 0, viewer.NONE] * 4
    assert pages.columns["cluster|pca"].tolist() == [0, 1, 2] * 4
    assert pages.facts["clusterings"] == ["pca"]


def test_a_gene_is_measured_and_predicted_in_one_scale(pages):
    measured, predicted = np.full((SPOTS, 1), 1.0), np.full((SPOTS, 1), 2.0)
    viewer.add_genes(pages, ["CXCL12"], measured, predicted)
    assert pages.facts["genes"] == {"CXCL12": 2.0}
    assert set(pages.columns["predicted|CXCL12"]) == {255}
    assert set(pages.columns["measured|CXCL12"]) == {128}


def about_page(predictor: str) -> dict:
    """Facts that a page needs besides those of `pages`: no names for readers, no first choices."""
    spots = [f"s{i}" for i in range(SPOTS)]
    return {"spots": spots, "predictor": predictor, "names": {}, "first": {}}


def test_the_page_is_one_file_without_requests(pages, repo, tmp_path):
    viewer.add_genes(pages, ["G"], np.ones((SPOTS, 1)), np.ones((SPOTS, 1)))
    pages.facts |= about_page("paper")
    script = (repo / "workflow/report/exports/sections.js").read_text()
    viewer.write_page(tmp_path / "page.html", pages, script, "Sections", "<p>Shown: all.</p>")
    text = (tmp_path / "page.html").read_text()
    assert not re.findall(r"^\s*<(?:script|link)[^>]*(?:src|href)=", text, re.M)
    assert "Shown: all." in text and "<title>Sections</title>" in text


def test_a_cohort_without_labels_clusters_and_predictions_has_its_page(adata, repo, tmp_path):
    bare = adata[:, :].copy()
    bare.obs = bare.obs[["sample", "spot"]]
    del bare.obsm["clusters"]
    none = {"pca": pd.DataFrame({"classifier": []})}
    pages = viewer.collect_spots(bare, {"t": none}, {"t": "logistic"}, {}, {})
    assert pages.facts["classes"] == {} and pages.facts["tasks"] == {}
    viewer.add_genes(pages, ["G"], np.ones((SPOTS, 1)), np.ones((SPOTS, 1)))
    pages.facts |= {"spots": ["s"] * SPOTS, "predictor": "paper", "names": {}, "first": {}}
    script = (repo / "workflow/report/exports/sections.js").read_text()
    viewer.write_page(tmp_path / "page.html", pages, script, "Sections", "")
    assert (tmp_path / "page.html").stat().st_size > 1000


def test_responses_are_those_of_the_maps_on_every_section(monkeypatch):
    """The strongest and the named pairs of each table, a value for each spot of each section."""
    pairs = pd.DataFrame({"input": ["A", "B"], "output": ["Y", "Z"], "slope": [2.0, 1.0]})
    pairs = pairs.assign(sign=1, slope_expression_matched=0.0)
    asked = []

    def mapped(model, sections, genes, chosen, hidden):
        (section,) = sections
        asked.append((section, hidden))
        rows = [
            {"input": pair.input, "output": pair.output, "response": pair.slope + section}
            for pair in chosen.itertuples()
        ]
        return pd.DataFrame(rows * 3)

    monkeypatch.setattr("sagefm.exports.viewer_responses.response_map", mapped)
    tables = {"hallmark": pairs, "again": pairs.head(1)}
    hidden = {"hallmark": "downstream", "again": "table"}
    found = shown_responses(None, [0, 10], None, tables, [], hidden)
    assert list(found) == ["A \u2192 Y", "B \u2192 Z"]  # each once
    assert found["A \u2192 Y"].tolist() == [2, 2, 2, 12, 12, 12]
    assert asked[0] == (0, [["Y"], ["Z"]]) and asked[2] == (0, [["Y"]])


@pytest.mark.skipif(browser.chromium() is None, reason="Chromium is not installed")
def test_panels_fit_a_phone_and_let_the_page_scroll(pages, repo, tmp_path):
    viewer.add_genes(pages, ["G"], np.ones((SPOTS, 1)), np.ones((SPOTS, 1)))
    add_responses(pages, {"A \u2192 Y": np.full(SPOTS, 0.012, np.float32)})
    pages.facts |= about_page("a model with a long name")
    script = (repo / "workflow/report/exports/sections.js").read_text()
    viewer.write_page(tmp_path / "page.html", pages, script, "Sections", "")
    model = "Bokeh.documents[0].get_model_by_name"
    pan = f"{model}('label').toolbar.tools.find(tool => tool.type === 'PanTool').active"
    with browser.opened(tmp_path / "profile") as page:
        frames = {}
        for width in (360, 1300):
            page.resize(width, is_phone=width < 600)
            page.open(tmp_path / "page.html")
            page.wait(f"window.Bokeh?.documents.length && {model}('label').inner_width > 0")
            page.wait("document.documentElement.scrollWidth <= window.innerWidth")
            assert page.evaluate("window.innerWidth") == width
            assert page.evaluate(pan) == (width > 600)
            frames[width] = page.evaluate(f"{model}('label').frame_width")
            assert page.evaluate(f"{model}('response').frame_width") == frames[width]
        page.resize(1000)
        page.wait(f"{model}('label').frame_width > {frames[1300]}")  # two in a row, not three
        assert frames[360] < frames[1300]
        assert page.problems == []


@pytest.mark.skipif(browser.chromium() is None, reason="Chromium is not installed")
def test_each_control_changes_what_it_should(pages, repo, tmp_path):
    other = {"class|pathology|raw": pages.columns["class|pathology|pca"] // 2}
    other |= {"cluster|raw": pages.columns["cluster|pca"][::-1]}
    other |= {"truth|second": pages.columns["truth|pathology"]}
    pages.columns |= other
    pages.facts["clusterings"].append("raw")
    pages.facts["tasks"] |= {"pathology": ["pca", "raw"], "second": ["pca"]}
    pages.facts["classes"]["second"] = pages.facts["classes"]["pathology"]
    genes = np.arange(2.0 * SPOTS).reshape(SPOTS, 2)
    viewer.add_genes(pages, ["G", "H"], genes, genes / 2)
    responses = {"A \u2192 Y": np.arange(SPOTS) - 20.0, "B \u2192 Z": np.zeros(SPOTS)}
    add_responses(pages, {pair: own.astype(np.float32) for pair, own in responses.items()})
    pages.facts |= about_page("paper")
    script = (repo / "workflow/report/exports/sections.js").read_text()
    path = tmp_path / "page.html"
    viewer.write_page(path, pages, script, "Sections", "")
    model = "Bokeh.documents[0].get_model_by_name"
    with browser.opened(tmp_path / "profile") as page:
        page.open(path)
        page.wait(f"window.Bokeh?.documents.length && {model}('spots').data.label.length > 0")

        def shown(column: str) -> list:
            return page.evaluate(f"Array.from({model}('spots').data.{column})")

        def choose(control: str, value: str) -> None:
            page.evaluate(f"{model}('{control}').value = '{value}'; 1")

        def title(panel: str) -> str:
            return page.evaluate(f"{model}('{panel}').title.text")

        before = {name: shown(name) for name in ("response", "measured", "cluster", "truth")}
        assert before["response"] == [-20, -19, -18, -17, -16, -15]
        assert page.evaluate(f"[{model}('change').low, {model}('change').high]") == [-20, 20]
        palette = page.evaluate(f"{model}('change').palette")
        assert (palette[0], palette[-1]) == ("#053061", "#67001f")  # blue falls, red rises
        assert title("response") == "Change of A \u2192 Y"
        choose("pair", "B \u2192 Z")
        assert title("response") == "B \u2192 Z: cannot respond"
        assert page.evaluate(f"{model}('spots').data.response.every(Number.isNaN)")
        choose("gene", "H")
        assert shown("measured") != before["measured"] and title("predicted").startswith("H, ")
        choose("model", "raw")
        assert shown("cluster") != before["cluster"] and title("cluster") == "Clusters of raw"
        assert set(shown("predicted_class")) == {"stroma"}
        choose("task", "second")
        assert set(shown("predicted_class")) == {"-"} and shown("truth") == before["truth"]
        choose("section", "B")
        assert shown("spot") == [f"s{i}" for i in range(6, 12)]
        fill = f"{model}('label').renderers.at(-1).glyph.fill_alpha"
        page.evaluate(f"{model}('opacity').value = 0.3; 1")
        assert page.evaluate(f"{fill}.value ?? {fill}") == 0.3
        assert page.problems == []


def test_the_first_section_shown_has_labels(pages):
    assert viewer.first_labelled(pages) == "A"
    pages.columns["label"][:6] = viewer.NONE
    assert viewer.first_labelled(pages) == "B"
    del pages.columns["label"]
    assert viewer.first_labelled(pages) == "A"


@pytest.mark.skipif(browser.chromium() is None, reason="Chromium is not installed")
def test_a_bare_cohort_has_panels_of_genes_alone(adata, repo, tmp_path):
    bare = AnnData(adata.X, obs=adata.obs[["sample", "spot"]], uns=adata.uns)
    bare.obsm["spatial"] = adata.obsm["spatial"]
    pages = viewer.collect_spots(bare, {}, {}, {}, {})
    viewer.add_genes(pages, ["G"], np.ones((SPOTS, 1)), np.ones((SPOTS, 1)))
    pages.facts |= {"spots": ["s"] * SPOTS, "predictor": "paper", "names": {}, "first": {}}
    script = (repo / "workflow/report/exports/sections.js").read_text()
    viewer.write_page(tmp_path / "page.html", pages, script, "Sections", "")
    model = "Bokeh.documents[0].get_model_by_name"
    with browser.opened(tmp_path / "profile") as page:
        page.open(tmp_path / "page.html")
        page.wait(f"window.Bokeh?.documents.length && {model}('spots').data.measured.length > 0")
        there = f"name => {model}(name) !== null"
        assert page.evaluate(f"['measured', 'predicted', 'section', 'gene'].every({there})")
        assert not page.evaluate(f"['label', 'cluster', 'class', 'umap', 'model'].some({there})")
        assert page.problems == []


def test_a_page_without_perturbation_has_no_panel_for_it(pages, repo, tmp_path):
    viewer.add_genes(pages, ["G"], np.ones((SPOTS, 1)), np.ones((SPOTS, 1)))
    pages.facts |= {"spots": ["s"] * SPOTS, "predictor": "paper", "names": {}, "first": {}}
    found = []
    for responses in ({}, {"A \u2192 Y": np.ones(SPOTS, np.float32)}):
        add_responses(pages, responses)
        viewer.write_page(tmp_path / "page.html", pages, "", "Sections", "")
        found.append('"name":"response"' in (tmp_path / "page.html").read_text())
    assert found == [False, True]
