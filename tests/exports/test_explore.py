"""The cohort file for viewers: every result of a spot in its place, and drawn by the tools."""

from dataclasses import replace

import anndata
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from sagefm.annotation.predict import AnnotationPlan, annotate_task
from sagefm.clustering.cluster import cluster_representation
from sagefm.clustering.scopes import Settings
from sagefm.clustering.umap import umap_table
from sagefm.common.errors import InputError
from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.exports.explore import explore_cohort, side_by_side
from sagefm.representations.files import Representation
from sagefm.sections.cohort import cohort_obs, cohort_spatial
from support import cohorts

SPOTS = cohorts.SPOTS
N = SPOTS * len(cohorts.SAMPLES)
IMAGE = np.arange(20 * 10 * 3).reshape(20, 10, 3).astype(np.uint8)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Three samples, the second with labels, the third with an image."""
    cohort = cohorts.write_cohort(tmp_path_factory.mktemp("explore"))
    for path in cohort.samples:
        adata = read_h5ad(path)
        adata.var["in_source"] = np.arange(adata.n_vars) >= (30 if path.stem == "heart-1" else 0)
        adata.obs["n_counts"] = np.asarray(adata.X.sum(axis=1)).ravel()
        if path.stem == "heart-1":
            scale = 20 / (adata.obsm["spatial"][:, 1].max() + 1)
            factors = {"tissue_hires_scalef": scale, "spot_diameter_fullres": 77.0}
            library = {"images": {"hires": IMAGE}, "scalefactors": factors}
            adata.uns["spatial"] = {"heart-1": library}
        write_h5ad(adata, path)
    return cohort


def representation(cohort, name="sagefm-paper", features=6, seed=0) -> Representation:
    values = np.random.default_rng(seed).normal(size=(N, features)).astype(np.float32)
    spatial = cohort_spatial(cohort.samples)
    return Representation(name, values, cohorts.described(cohort), spatial, False, True)


@pytest.fixture(scope="module")
def found(cohort):
    """What a run finds of two representations."""
    names = ("sagefm-paper", "pca")
    own = {name: representation(cohort, name, seed=i) for i, name in enumerate(names)}
    settings = Settings(
        factors=["label"],
        drop=[],
        min_label_spots=5,
        seeds=1,
        restarts=1,
        clusters=4,
        resolutions=[1.0],
        fixed_resolution=1.0,
        neighbours=5,
        components=3,
        sparse_components=3,
        silhouette_spots=100,
        integration_spots=100,
    )
    obs = cohort_obs(cohort.samples)
    labels = obs[["sample", "spot"]].reset_index(drop=True).astype(str).assign(patient="A")
    labels["patient"] = labels["sample"]
    labels[["x_pixels", "y_pixels"]] = cohort_spatial(cohort.samples)
    labels["label"] = np.where(np.arange(N) % 3, "stroma", "tumour")
    labels.loc[:9, "label"] = None
    plan = AnnotationPlan(
        ["random_spots", "held_out_patients"], ["logistic", "knn"], [False, True], 1
    )
    predictions = {name: annotate_task(one, labels, plan)[0] for name, one in own.items()}
    for table in predictions.values():  # so that one taken for another shows
        shown = (table["protocol"] == "held_out_patients") & (table["classifier"] == "logistic")
        table.loc[~shown | table["centred"], "predicted"] = "not asked for"
    return {
        "representations": own,
        "clusters": {
            name: cluster_representation(one, settings).clusters for name, one in own.items()
        },
        "labels": labels,
        "predictions": {"tumour": predictions},
        "umap": umap_table(own.values(), 3, 5, 50, 0),
    }


@pytest.fixture(scope="module")
def explored(cohort, found, tmp_path_factory):
    """Written and read again."""
    depth = representation(cohort, "depth", features=1)
    adata = explore_cohort(
        cohort,
        cohorts.rows_of(cohort),
        cohorts.write_labels(cohort, tmp_path_factory.mktemp("labels") / "labels.tsv"),
        [*found["representations"].values(), depth],
        found["clusters"],
        found["predictions"],
        {"tumour": "logistic"},
        found["umap"],
        {"tumour": "#0072B2"},
    )
    path = tmp_path_factory.mktemp("h5ad") / "breast.h5ad"
    write_h5ad(adata, path)
    return anndata.read_h5ad(path)


def test_counts_and_facts(explored, cohort):
    counts = cohort.counts()
    assert explored.X.dtype == np.float32
    assert (explored.X != counts.X).nnz == 0
    assert explored.obs_names.equals(counts.obs_names)
    assert list(explored.var["n_sections"]) == [2] * 30 + [3] * (explored.n_vars - 30)
    np.testing.assert_array_equal(
        explored.obs["n_counts"], np.asarray(counts.X.sum(axis=1)).ravel()
    )
    assert {"sample", "patient", "organ", "label"} <= set(explored.obs)
    assert "array_row" in explored.obs


def test_embeddings(explored, found):
    for name, own in found["representations"].items():
        np.testing.assert_array_equal(explored.obsm[f"X_{name}"], own.values)
        layout = explored.obsm[f"X_umap_{name}"]
        drawn = found["umap"][found["umap"]["representation"] == name]
        assert np.isfinite(layout).all(axis=1).sum() == 50 == len(drawn)
        row = drawn.iloc[7]
        place = explored.obs_names.get_loc(f"{row['sample']}:{row['spot']}")
        np.testing.assert_allclose(
            layout[place], row[["umap_1", "umap_2"]].astype(float), rtol=1e-6
        )
    assert "X_depth" not in explored.obsm
    assert explored.obs["depth"].dtype == np.float32


def test_clusters(explored, found):
    own = found["clusters"]["pca"]
    for kind in ("kmeans_section", "kmeans_cohort", "leiden_section", "leiden_cohort"):
        column = explored.obsm["clusters"][f"{kind}_pca"]
        assert isinstance(column.dtype, pd.CategoricalDtype)
        np.testing.assert_array_equal(column.astype(int), own[kind].astype(int))
    assert not [column for column in explored.obsm["clusters"] if "leiden_best" in column]
    # Names of domains that agree over sections are those found in all of them together.
    shown = [column for column in explored.obs if column.startswith(("kmeans", "leiden"))]
    assert shown == ["kmeans_cohort_sagefm-paper", "kmeans_cohort_pca"]


def test_predictions_are_of_held_out_patients(explored, found):
    """By the classifier asked for, as it is, each spot once."""
    table = found["predictions"]["tumour"]["sagefm-paper"]
    held = table[
        (table["protocol"] == "held_out_patients")
        & (table["classifier"] == "logistic")
        & ~table["centred"]
    ]
    assert len(held) == N - 10
    wanted = held.set_index(held["sample"] + ":" + held["spot"])["predicted"]
    got = explored.obs["tumour_sagefm-paper"]
    assert got.isna().sum() == 10 and got.iloc[:10].isna().all()
    assert (got.dropna().astype(str) == wanted.reindex(got.dropna().index)).all()
    truth = explored.obs["tumour"].dropna().astype(str)
    assert list(truth) == list(found["labels"]["label"].dropna())
    assert "not asked for" in set(table["predicted"])


def test_a_class_has_its_probability(explored, found):
    name = "tumour_sagefm-paper"
    shares, classes = (
        explored.obsm[f"probabilities_{name}"],
        list(explored.uns["classes"]["tumour"]),
    )
    known = explored.obsm["classes"][name].notna().to_numpy()
    assert classes == ["stroma", "tumour"] and shares.dtype == np.float32
    np.testing.assert_allclose(shares[known].sum(axis=1), 1, atol=1e-3)
    assert np.isnan(shares[~known]).all()
    np.testing.assert_array_equal(explored.obs[f"{name}_probability"], shares.max(axis=1))
    table = found["predictions"]["tumour"]["sagefm-paper"]
    table = table[(table["protocol"] == "held_out_patients") & (table["classifier"] == "logistic")]
    row = table[~table["centred"]].iloc[5]
    place = explored.obs_names.get_loc(f"{row['sample']}:{row['spot']}")
    assert shares[place, 1] == pytest.approx(row["p_tumour"], abs=1e-6)


def test_log_counts_are_a_layer(explored):
    np.testing.assert_allclose(
        explored.layers["log1p"].toarray(), np.log1p(explored.X.toarray()), rtol=1e-6
    )


def test_obs_has_at_most_thirty_columns_the_headline_first(cohort, found):
    many = {f"m{i}": found["predictions"]["tumour"]["pca"] for i in range(12)}
    clusters = {f"m{i}": found["clusters"]["pca"] for i in range(12)}
    rows, tasks = cohorts.rows_of(cohort), ({"tumour": many}, {"tumour": "logistic"})
    adata = explore_cohort(cohort, rows, None, [], clusters, *tasks, headline="m7")
    assert 25 < adata.obs.shape[1] <= 30
    assert {"kmeans_cohort_m7", "tumour_m7", "tumour_m7_probability", "tumour_m0"} <= {*adata.obs}
    assert "tumour_m11" not in adata.obs and "tumour_m11" in adata.obsm["classes"]


def test_the_classifier_is_the_one_asked_for(cohort, found):
    adata = explore_cohort(
        cohort, cohorts.rows_of(cohort), None, [], {}, found["predictions"], {"tumour": "knn"}
    )
    assert set(adata.obs["tumour_pca"].dropna()) == {"not asked for"}


def test_a_class_has_one_colour_in_all_columns(explored):
    def colours(column):
        return dict(
            zip(explored.obs[column].cat.categories, explored.uns[f"{column}_colors"], strict=True)
        )

    assert set(colours("tumour")) == {"stroma", "tumour"}
    for name in ("sagefm-paper", "pca"):
        predicted = colours(f"tumour_{name}")
        assert predicted == {key: colours("tumour")[key] for key in predicted}
    assert colours("label") == {"tumour": "#0072B2"}  # of the report
    assert colours("tumour")["tumour"] == "#0072B2" != colours("tumour")["stroma"]
    patients = colours("patient")
    assert len(set(patients.values())) == len(patients) > 1


def test_a_task_without_predictions_is_left_out(cohort, found):
    empty = found["predictions"]["tumour"]["pca"].iloc[:0]
    adata = explore_cohort(
        cohort, cohorts.rows_of(cohort), None, [], {}, {"t": {"pca": empty}}, {"t": "logistic"}
    )
    assert not [column for column in adata.obs if column.startswith("t")]
    assert list(adata.obsm) == ["spatial", "X_spatial"]


def test_a_cohort_without_labels_has_the_classes_that_are_confident(cohort, found):
    spots = found["labels"][["sample", "spot"]]
    sure = np.arange(N) % 2 == 0
    table = spots.assign(predicted="tumour", confident=sure, p_tumour=0.9)
    adata = explore_cohort(
        cohort, cohorts.rows_of(cohort), None, [], {}, {"t": {"sagefm-x": table}}, {"t": "knn"}
    )
    assert "t" not in adata.obs  # there is no truth
    assert (adata.obs["t_sagefm-x"].notna() == sure).all()
    assert list(adata.obs["t_sagefm-x"].cat.categories) == ["tumour"]


def test_a_representation_of_other_spots_is_refused(cohort):
    own = representation(cohort)
    other = replace(own, obs=own.obs[::-1])
    with pytest.raises(InputError, match="its spots are not those of the cohort"):
        explore_cohort(cohort, cohorts.rows_of(cohort), None, [other], {}, {}, {})


def test_sections_lie_beside_one_another(explored):
    plane = explored.obsm["X_spatial"]
    boxes = []
    for sample in cohorts.SAMPLES:
        inside = (explored.obs["sample"] == sample).to_numpy()
        boxes.append((plane[inside].min(axis=0), plane[inside].max(axis=0)))
        # As in the section, its y downwards, on one scale: in spacings of spots.
        own = explored.obsm["spatial"][inside] * [1, -1]
        factor = np.ptp(plane[inside], axis=0) / np.ptp(own, axis=0)
        assert factor[0] == pytest.approx(factor[1], rel=1e-4)
        order = np.argsort(own[:, 1], kind="stable")
        assert (np.diff(plane[inside][order, 1]) > -1e-3).all()
    for i, (low, high) in enumerate(boxes):
        for other_low, other_high in boxes[:i]:
            assert (low > other_high).any() or (high < other_low).any()
    one = side_by_side(np.array([[0, 0], [10, 0], [0, 20.0]]), np.array(["a"] * 3))
    np.testing.assert_allclose(one, [[0, 0], [1, 0], [0, -2]])


def test_what_cellxgene_asks_of_a_file(explored):
    """Layouts named X_..., of two columns of float, without infinities; unique names; no `/`."""
    layouts = {key: value for key, value in explored.obsm.items() if key.startswith("X_")}
    assert {"X_spatial", "X_sagefm-paper"} <= set(layouts)
    for key, value in layouts.items():
        assert value.shape[0] == explored.n_obs and value.shape[1] >= 2, key
        assert value.dtype == np.float32 and not np.isinf(value).any(), key
        assert np.isfinite(value).any(), key
    assert explored.obs_names.is_unique and explored.var_names.is_unique
    assert not [name for name in (*explored.obs, *explored.obsm, *explored.uns) if "/" in name]
    for name in explored.obs.select_dtypes("category"):
        assert explored.obs[name].cat.categories.map(type).nunique() <= 1, name


@pytest.mark.parametrize("sample", cohorts.SAMPLES)
def test_scanpy_draws_a_section(explored, sample):
    """With its image, or with a blank one, and spots of the right size, without being told more."""
    import scanpy

    section = explored[explored.obs["sample"] == sample]
    (axes,) = scanpy.pl.spatial(section, color="tumour", library_id=sample, show=False)
    shown = axes.get_images()[0].get_array()
    if sample == "heart-1":
        np.testing.assert_array_equal(shown, IMAGE)
    else:
        assert (np.asarray(shown) == 255).all()
    circles = axes.collections[0]
    assert len(circles.get_paths()) in (1, SPOTS) and len(circles.get_facecolors()) == SPOTS
    plt.close("all")


def test_squidpy_draws_the_cohort(explored):
    import squidpy

    drawn = squidpy.pl.spatial_scatter(
        explored, color=["tumour_sagefm-paper"], library_key="sample", return_ax=True
    )
    assert len(drawn) == len(cohorts.SAMPLES)
    for ax in drawn:
        assert len(ax.get_images()) == 1
    plt.close("all")
