"""Summaries and paired differences of handmade scores, and the claim based on them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from sagefm.clustering.claims import clustering_claim
from sagefm.clustering.figures import draw_batch_biology, fill_metrics
from sagefm.clustering.map_figures import draw_cluster_maps, draw_umap, matched_labels
from sagefm.clustering.page import METRICS
from sagefm.clustering.tables import clustering_comparisons, clustering_summary, skipped_table
from sagefm.common.claim import Subject, claims_table
from sagefm.common.errors import InputError
from sagefm.common.verdict import Training
from sagefm.representations.catalogue import REGISTERED
from sagefm.stats.paired import sign_flip
from support.clustered import COSTS, MEANS, SECTIONS, scores_like, with_more
from support.drawn import assert_readable, title_of

REFERENCES = REGISTERED.references()


@pytest.fixture
def scores() -> pd.DataFrame:
    return scores_like()


def pick(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def of_patients(scores, groups):
    """The same sections, but of fewer patients: `groups` maps a section to its patient."""
    return scores.assign(patient=scores["section"].map(groups))


def test_intervals_are_students_over_patients_of_seed_means(scores):
    row = pick(
        clustering_summary(scores, COSTS), representation="pca", metric="ari", over="patients"
    )
    values = scores.query("representation == 'pca' and metric == 'ari' and scope == 'section'")
    means = values.groupby("section")["value"].mean()
    low, high = stats.t.interval(0.95, 7, means.mean(), stats.sem(means))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((means.mean(), low, high))
    assert (row["n"], row["n_sections"], row["seeds"], row["spots"]) == (8, 8, 2, 800)
    assert row["seconds"] == 3 and not row["transductive"] and not row["spatial"]


def test_sections_of_a_patient_count_once(scores):
    """Three sections of P and five of Q: the mean of two means, not of eight values."""
    two = of_patients(scores, {name: "P" if name in "ABC" else "Q" for name in SECTIONS})
    row = pick(clustering_summary(two, COSTS), representation="pca", metric="ari", over="patients")
    own = two.query("representation == 'pca' and metric == 'ari' and scope == 'section'")
    means = own.groupby("patient")["value"].mean()
    low, high = stats.t.interval(0.95, 1, means.mean(), stats.sem(means))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((means.mean(), low, high))
    assert means.mean() != pytest.approx(own["value"].mean())
    assert (row["n"], row["n_sections"], row["spots"]) == (2, 8, 800)
    where = {"metric": "ari", "representation": "sagefm-paper", "reference": "mofa"}
    pair = pick(clustering_comparisons(two, REFERENCES), **where)
    assert (pair["n"], pair["n_sections"], pair["better_in"]) == (2, 8, 2)
    assert pair["p"] == pair["smallest_p"] == 0.5


def test_metrics_of_the_pooled_cohort_vary_over_seeds_alone(scores):
    table = clustering_summary(scores, COSTS)
    pooled = pick(table, representation="mofa", clustering="integration")
    assert (pooled["over"], pooled["n"], pooled["spots"]) == ("seeds", 2, 800)
    assert pooled["n_sections"] == 0
    assert pooled["mean"] == pytest.approx(0.305) and pooled["transductive"]
    # One cohort has no interval, however many seeds there are.
    assert np.isnan(pooled["low"]) and np.isnan(pooled["high"])
    assert (pooled["seed_low"], pooled["seed_high"]) == pytest.approx((0.3, 0.31))
    where = {"metric": "purity", "factor": "label", "centred": True}
    purity = pick(table, representation="mofa", **where)
    assert (purity["over"], purity["n"], purity["seeds"]) == ("patients", 8, 1)
    assert purity["spots"] == 800


def test_the_spread_over_seeds_is_of_means_over_patients(scores):
    """Sections of a patient count once, for every seed; patients differ more than seeds do."""
    two = of_patients(scores, {name: "P" if name in "ABC" else "Q" for name in SECTIONS})
    rng = np.random.default_rng(1)
    two = two.assign(value=two["value"] + 0.05 * rng.normal(size=len(two)))
    row = pick(clustering_summary(two, COSTS), representation="pca", metric="ari", over="patients")
    own = two.query("representation == 'pca' and metric == 'ari' and scope == 'section'")
    means = own.groupby(["seed", "patient"])["value"].mean().groupby("seed").mean()
    expected = means.std(), means.min(), means.max()
    assert (row["seed_sd"], row["seed_low"], row["seed_high"]) == pytest.approx(expected)
    assert row["mean"] == pytest.approx(means.mean()) and row["seeds"] == 2
    once = clustering_summary(two[two["seed"] == 0], COSTS)
    assert once[["seed_sd", "seed_low", "seed_high"]].isna().all(axis=None)


def test_a_single_section_has_no_interval(scores):
    alone = scores[scores["section"] == "A"]
    row = pick(clustering_summary(alone, COSTS), representation="pca", metric="ari")
    assert np.isnan(row["low"]) and np.isnan(row["high"]) and row["mean"] > 0


def test_other_spots_are_refused(scores):
    one = (scores["representation"] == "pca") & (scores["metric"] == "ari")
    with pytest.raises(InputError, match="different spots"):
        clustering_summary(scores.assign(spots=scores["spots"].mask(one, 90)), COSTS)


def test_differences_are_paired_by_patient(scores):
    table = clustering_comparisons(scores, REFERENCES)
    where = {"metric": "ari", "representation": "sagefm-paper"}
    row = pick(table, reference="mofa", **where)
    wide = (
        scores.query("metric == 'ari' and scope == 'section'")
        .groupby(["section", "representation"])["value"].mean().unstack()
    )  # fmt: skip
    difference = (wide["sagefm-paper"] - wide["mofa"]).to_numpy()
    assert row["difference"] == pytest.approx(difference.mean())
    assert row["p"] == row["smallest_p"] == sign_flip(difference) == 2 / 2**8
    assert (row["better_in"], row["n"]) == (8, 8)
    # Two references beaten everywhere: 3 of its own comparisons, 12 of the metric's.
    assert row["p_holm_own"] == pytest.approx(3 * 2 / 2**8)
    family = table[(table["metric"] == "ari") & (table["scope"] == "section")]
    assert len(family) == 2 * 3 + 3 * 2 and row["p_holm"] == pytest.approx(12 * 2 / 2**8)
    assert not table["clustering"].eq("integration").any()


def test_lower_is_better_for_davies_bouldin(scores):
    row = pick(
        clustering_comparisons(scores, REFERENCES),
        metric="davies_bouldin_pcs", representation="sagefm-paper", reference="pca",
    )  # fmt: skip
    assert row["difference"] < 0 and row["better_in"] == 8


def test_lower_is_better_for_batch(scores):
    where = {"representation": "sagefm-paper", "reference": "pca", "centred": False}
    for metric in ("purity", "group_silhouette"):
        batch, biology = (
            pick(clustering_comparisons(scores, REFERENCES), metric=metric, factor=factor, **where)
            for factor in ("patient", "label")
        )
        assert batch["difference"] > 0 and batch["better_in"] == 0
        assert biology["difference"] > 0 and biology["better_in"] == 8


def test_sections_that_one_lacks_are_left_out_of_the_pair(scores):
    lacking = scores[~((scores["representation"] == "mofa") & (scores["section"] == "A"))]
    where = {"metric": "ari", "representation": "sagefm-paper"}
    table = clustering_comparisons(lacking, REFERENCES)
    assert pick(table, reference="mofa", **where)["n"] == 7
    assert pick(table, reference="pca", **where)["n"] == 8
    # Of a patient with another section, only the section that both have counts.
    two = of_patients(lacking, dict(zip(SECTIONS, "PPQQRRSS", strict=True)))
    row = pick(clustering_comparisons(two, REFERENCES), reference="mofa", **where)
    wide = two.query("metric == 'ari' and scope == 'section'").pivot_table(
        index="section", columns="representation", values="value"
    )
    difference = (wide["sagefm-paper"] - wide["mofa"]).to_numpy()
    assert (row["n"], row["n_sections"]) == (4, 7)
    assert row["difference"] == pytest.approx(
        np.mean([difference[1], *difference[2:].reshape(3, 2).mean(axis=1)])
    )


def test_without_references_nothing_is_compared(scores):
    table = clustering_comparisons(
        scores[scores["representation"].str.startswith("sagefm")], REFERENCES
    )
    assert not len(table) and "p_holm_own" in table


def test_what_was_skipped_is_named_once():
    one = pd.DataFrame([{"scope": "section", "section": "A", "factor": None, "reason": "why"}])
    assert len(skipped_table([one, one])) == 1


def claim(scores):
    summary, comparisons = (
        clustering_summary(scores, COSTS),
        clustering_comparisons(scores, REFERENCES),
    )
    subject = Subject(
        "paper", Training(), "breast", "a breast cohort", True, "8 of 8 patients seen"
    )
    found = clustering_claim(subject, ["paper", "wide"], summary, comparisons)
    assert len(claims_table([found])) == 1
    return found


def test_a_claim_says_what_it_rests_on(scores):
    banksy = scores[scores["representation"] == "pca"].assign(representation="banksy")
    found = claim(pd.concat([scores, banksy], ignore_index=True))
    assert found.verdict == "inconclusive"
    assert "significantly below neighbour mean" in found.reason
    assert "PCA" in found.baseline and found.obtained.startswith("mean ARI 0.5")
    assert "8 patients, 8 sections, 800 labelled spots, 2 seeds, 8 of 8 patients seen" in found.n
    assert "(Holm p 0.031), better in 8 of 8 patients" in found.reason
    assert "smallest possible uncorrected p is 0.0078" in found.reason
    assert "better than MOFA on average, not tested: Davies-Bouldin" in found.reason
    assert "best of the models: model wide" in found.reason


def test_labels_themselves_are_not_the_best_of_all(scores):
    ceiling = scores[scores["representation"] == "pca"].assign(representation="labels", value=1.0)
    found = claim(pd.concat([scores, ceiling], ignore_index=True))
    assert "the labels" not in found.reason


def test_without_labels_nothing_is_claimed(scores):
    found = claim(scores[scores["factor"] != "label"])
    assert (found.verdict, found.reason) == ("not computed", "no section has labels to score")


def test_clusters_are_matched_one_to_one():
    truth = np.array(["a", "a", "b", "b", "b", None], dtype=object)
    assert matched_labels(truth, np.array([1, 1, 0, 0, 2, 2])) == {1: "a", 0: "b"}


def texts(figure) -> str:
    found = [text.get_text() for ax in figure.axes for text in [*ax.get_yticklabels(), ax.title]]
    found += [ax.get_title(loc="left") for ax in figure.axes]
    return "\n".join([*found, figure.get_suptitle()])


def test_the_figures_show_every_representation(scores):
    summary = clustering_summary(scores, COSTS)
    metrics = Figure()
    fill_metrics(metrics, summary, METRICS)
    names = {REGISTERED.title(name) for name in MEANS}
    assert {"PCA", "MOFA", "neighbour mean", "model paper"} < names
    assert all(name in texts(metrics) for name in names)
    assert title_of(metrics).endswith("8 patients, 8 sections, 800 spots, 2 seeds")
    batch = draw_batch_biology(summary)
    assert title_of(batch).endswith("8 patients, 800 spots; filled: not centred; hollow: centred")
    (legend,) = batch.legends
    assert {text.get_text() for text in legend.get_texts()} == names
    drawn = {
        (line.get_color(), line.get_marker())
        for line in batch.axes[0].lines
        if line.get_label()[0] != "_"
    }
    assert len(drawn) == len(MEANS)  # those of one colour differ in their markers
    assert_readable(draw_batch_biology(with_more(summary, 16)))
    unlabelled = draw_batch_biology(summary[summary["factor"] != "label"])
    assert "no biology is known" in unlabelled.get_suptitle()


def test_long_intervals_do_not_hide_the_means(scores):
    summary = clustering_summary(scores, COSTS)
    noisy = summary.assign(low=summary["low"] - 50, high=summary["high"] + 50)
    figure = Figure()
    fill_metrics(figure, noisy, METRICS)
    ax = figure.axes[0]
    left, right = ax.get_xlim()
    means = noisy.query("scope == 'section' and metric == 'ari'")["mean"]
    assert left < means.min() and means.max() < right < left + 5 * (means.max() - means.min())
    ends = {
        line.get_marker(): line.get_xdata()[0] for line in ax.lines if line.get_marker() in "<>"
    }
    assert ends == {"<": left, ">": right}  # a triangle where an interval goes on


def test_maps_and_umap_do_without_labels():
    rng = np.random.default_rng(0)
    spots = pd.DataFrame(
        {"sample": np.repeat(["one", "two"], 20), "spot": np.arange(40), "x_pixels": rng.random(40),
         "y_pixels": rng.random(40), "label": None, "kmeans_section": rng.integers(3, size=40)}
    )  # fmt: skip
    assert "no section" in draw_cluster_maps({"x": spots}, {}).get_suptitle()
    labelled = spots.assign(label=["a", "b"] * 10 + [None] * 20)
    maps = draw_cluster_maps({"x": labelled, "y": labelled}, {})
    assert [ax.get_title() for ax in maps.axes] == ["labels", "x", "y"]
    layout = spots.assign(
        representation="x", patient="P", umap_1=spots["x_pixels"], umap_2=spots["y_pixels"]
    )
    assert [ax.get_ylabel() for ax in draw_umap(layout, {}).axes] == ["by patient"]
    both = draw_umap(layout.assign(label=labelled["label"]), {})
    assert [ax.get_ylabel() for ax in both.axes] == ["by label", "by patient"]


def test_comparisons_say_who_was_fitted_on_the_spots():
    scores = scores_like()
    scores["transductive"] = scores["representation"] != "sagefm-paper"
    found = clustering_comparisons(scores, REFERENCES)
    model = found["representation"] == "sagefm-paper"
    assert not found.loc[model, "transductive"].any() and found.loc[~model, "transductive"].all()
    assert found["reference_transductive"].all()
