"""Recovery of hidden genes: every number against a plain, dense computation."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from sagefm.common.h5ad import read_h5ad
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.networks.base import build_network
from sagefm.recovery.comparisons import HEADLINES, compare, recovery_by_patient
from sagefm.recovery.predictors import (
    DEPTH_DEGREE,
    EXPRESSION,
    PREDICTORS,
    RANKED,
    depth_terms,
    predictions,
)
from sagefm.recovery.score import MAP_PERCENTILES, recover, recovery_maps
from sagefm.recovery.sums import DETECTION_BINS
from sagefm.recovery.tables import gene_table, genes_to_map, recovery_summary
from sagefm.sections.batches import Batches
from sagefm.stats.correlation import Moments, benjamini_hochberg, spot_scores
from sagefm.stats.partial import Covariates
from support import small
from support.models import fitted

SPOTS, GENES = 40, 120
NAMES = [f"gene{i}" for i in range(GENES)]
FACTS = [
    {"sample": "heart-1", "patient": "P1", "organ": "Heart", "patient_seen": True},
    {"sample": "heart-2", "patient": "P1", "organ": "Heart", "patient_seen": True},
    {"sample": "SPA147", "patient": "SPA147", "organ": "Breast", "patient_seen": None},
]


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    """Three real patches of two organs."""
    samples = [fact["sample"] for fact in FACTS]
    return small.write_sections(tmp_path_factory.mktemp("sections"), samples, SPOTS, GENES)


@pytest.fixture(scope="module")
def network():
    """An untrained network whose output varies from spot to spot."""
    network = build_network("gcn", GENES, small.WIDTHS, seed=0)
    torch.nn.init.normal_(network.fc_gene.weight, std=2, generator=torch.manual_seed(0))
    return network.eval()


@pytest.fixture(scope="module")
def model(network):
    return fitted(network)


@pytest.fixture(scope="module")
def template(sections, model) -> Batches:
    return model.batches(sections, batch_size=16, mask_share=0.3, seed=5)


@pytest.fixture(scope="module")
def gene_mean(sections) -> np.ndarray:
    """Of the first section alone, as if it had been the one trained on."""
    return np.log1p(read_h5ad(sections[0].counts_path).X.toarray()).mean(axis=0)


@pytest.fixture(scope="module")
def dense(sections, network, template, gene_mean) -> list[tuple]:
    """Of each section truth, mask and the predictors by name, computed without any stream."""
    found = []
    for section in sections:
        counts = read_h5ad(section.counts_path).X.toarray().astype(float)
        truth = np.log1p(counts)
        batches = replace(template, sections=[section])
        mask = np.concatenate([batch.mask.numpy() for batch in batches.epoch(0)])
        graph = load_graph(section.graph_path)
        near = np.split(graph.ego, graph.indptr[1:-1])
        assert all(spots[0] == i for i, spots in enumerate(near))
        mean = np.stack([truth[spots].sum(axis=0) for spots in near])
        mean = (mean - mask * truth) / len(near[0])
        with torch.inference_mode():
            inputs = torch.from_numpy(mean.astype(np.float32))
            model = network.decode(network.embed_mean(inputs)).numpy()
        shown = np.ma.array(truth, mask=mask).mean(axis=0).filled(0)
        predicted = {
            "model": model,
            "neighbour_mean": np.stack([truth[spots[1:]].mean(axis=0) for spots in near]),
            "sample_gene_mean": np.broadcast_to(shown, truth.shape),
            "gene_mean": np.broadcast_to(gene_mean, truth.shape),
            "zero": np.zeros_like(truth),
        }
        depth = counts.sum(axis=1)
        noise = np.random.default_rng([5, section.key]).random(len(truth))
        blind = {
            "visible_depth": np.log1p((counts * ~mask).sum(axis=1)),
            "neighbour_depth": np.log1p([depth[spots[1:]].mean() for spots in near]),
            "random": noise,
        }
        for name, values in blind.items():
            predicted[name] = np.broadcast_to(values[:, None], truth.shape)
        found.append((truth, mask, predicted))
    return found


@pytest.fixture(scope="module")
def recovery(sections, model, template, gene_mean, tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    settings = (model, sections, template, gene_mean, FACTS)
    return recover(*settings, rank_spots=10_000, scratch=scratch)


@pytest.fixture(scope="module")
def genes(recovery) -> pd.DataFrame:
    return gene_table(recovery, NAMES)


@pytest.fixture(scope="module")
def summary(recovery, genes) -> pd.DataFrame:
    return recovery_summary(recovery, genes)


def pooled(dense, predictor, chosen=(0, 1, 2)):
    """Truth, prediction and mask of some sections, one above the other."""
    parts = [(t, p[predictor], m) for t, m, p in (dense[i] for i in chosen)]
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def by_gene(dense, predictor, how, chosen=(0, 1, 2)):
    """A correlation and its p for every gene; NaN where a side varies by rounding alone."""
    truth, predicted, mask = pooled(dense, predictor, chosen)
    result = np.full((2, GENES), np.nan)
    for g in range(GENES):
        x, y = truth[mask[:, g], g], predicted[mask[:, g], g]
        if all(np.var(side) > 1e-10 * np.mean(np.square(side)) for side in (x, y)):
            result[:, g] = how(x, y)
    return result


def of(table, predictor, **stratum):
    """A predictor's rows of a table, in one stratum."""
    found = table[table["predictor"] == predictor]
    for column, value in stratum.items():
        found = found[found[column] == value]
    return found


def test_predictions_are_the_plain_ones(sections, model, template, gene_mean, dense):
    for section, (truth, mask, expected) in zip(sections, dense, strict=True):
        batches = replace(template, sections=[section])
        parts = list(predictions(model, batches, gene_mean))
        assert [len(part[0]) for part in parts] == [16, 16, 8]
        np.testing.assert_allclose(np.concatenate([part[0] for part in parts]), truth, atol=1e-6)
        depth = stats.zscore(np.log1p(np.expm1(truth).sum(axis=1)))
        expected_terms = np.stack([depth, depth**2, depth**3], axis=1)
        np.testing.assert_allclose(np.concatenate([part[4] for part in parts]), expected_terms)
        np.testing.assert_array_equal(np.concatenate([part[1] for part in parts]), mask)
        stack = np.concatenate([part[2] for part in parts], axis=1)
        for i, predictor in enumerate(EXPRESSION):
            np.testing.assert_allclose(stack[i], expected[predictor], rtol=1e-4, atol=1e-5)
        blind = np.concatenate([part[3] for part in parts], axis=1)
        for values, predictor in zip(blind, PREDICTORS[len(EXPRESSION) :], strict=True):
            np.testing.assert_allclose(values, expected[predictor][:, 0])


def test_no_baseline_sees_what_is_hidden(sections, model, template, gene_mean, tmp_path):
    """Counts changed where they are hidden change the truth, and no prediction of that spot."""
    section, batches = sections[0], replace(template, sections=sections[:1])
    truth, mask, before, blind, _ = next(predictions(model, batches, gene_mean))
    changed = read_h5ad(section.counts_path)
    counts = changed.X.toarray()
    counts[0, mask[0]] += 50
    changed.X = type(changed.X)(counts)
    path = tmp_path / section.cohort / Path(section.counts_path).name
    path.parent.mkdir()
    changed.write_h5ad(path)
    moved = replace(batches, sections=[replace(section, counts_path=path)])
    other, same, after, still, _ = next(predictions(model, moved, gene_mean))
    np.testing.assert_array_equal(same, mask)
    assert (other[0, mask[0]] > truth[0, mask[0]]).all()
    np.testing.assert_allclose(after[:, 0], before[:, 0], atol=1e-5)
    np.testing.assert_array_equal(still[:, 0], blind[:, 0])


def test_r2_of_a_spot_is_the_papers(dense):
    truth, mask, predicted = dense[0]
    names = list(predicted)
    r2, mse = spot_scores(truth, np.stack([predicted[name] for name in names]), mask)
    assert r2.shape == mse.shape == (len(names), SPOTS)
    for i, name in enumerate(names):
        for spot in range(SPOTS):
            x, y = truth[spot, mask[spot]], predicted[name][spot, mask[spot]]
            assert r2[i, spot] == pytest.approx(1 - np.var(x - y) / np.var(x), abs=1e-5)
            assert mse[i, spot] == pytest.approx(np.mean((x - y) ** 2), rel=1e-5)
    assert r2[names.index("zero")] == pytest.approx(0, abs=1e-9)
    shifted = spot_scores(truth, truth[None] + 1, mask)
    assert shifted[0] == pytest.approx(1)  # an offset costs R2 nothing, the error all
    assert shifted[1] == pytest.approx(1)


@pytest.mark.filterwarnings("error")
def test_a_spot_whose_truth_is_constant_has_no_r2():
    truth, mask = np.zeros((2, 6)), np.ones((2, 6), bool)
    r2, mse = spot_scores(truth, np.ones((1, 2, 6)), mask)
    assert np.isnan(r2).all()
    assert mse == pytest.approx(1)


@pytest.mark.parametrize("predictor", RANKED)
def test_correlations_over_all_samples(genes, dense, predictor):
    own = of(genes, predictor)
    assert list(own["gene"]) == NAMES
    r, p = by_gene(dense, predictor, stats.pearsonr)
    assert np.isfinite(r).sum() > GENES / 2
    np.testing.assert_allclose(own["pearson"], r, atol=1e-5)
    np.testing.assert_allclose(own["pearson_p"], p, rtol=1e-2, atol=1e-6)
    np.testing.assert_allclose(own["pearson_q"], benjamini_hochberg(p), rtol=1e-2, atol=1e-6)
    truth, predicted, mask = pooled(dense, predictor)
    np.testing.assert_array_equal(own["n"], mask.sum(axis=0))
    squares = np.where(mask, (truth - predicted) ** 2, 0).sum(axis=0)
    np.testing.assert_allclose(own["mse"], squares / mask.sum(axis=0), rtol=1e-3, atol=1e-5)
    shares = (mask & (truth > 0)).sum(axis=0) / mask.sum(axis=0)
    np.testing.assert_allclose(own["detection_rate"], shares)


def test_ranks_over_all_samples(genes, sections, model, template, gene_mean):
    """Of the very values that are streamed, rounded as they are: that decides which are tied."""
    parts = []
    for section in sections:
        batches = replace(template, sections=[section])
        parts += predictions(model, batches, gene_mean)
    truth, mask = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    stack = np.concatenate([part[2] for part in parts], axis=1).round(5)
    for i, predictor in enumerate(RANKED):
        own = of(genes, predictor)
        for g in range(GENES):
            x, y = truth[mask[:, g], g], stack[i, mask[:, g], g]
            if np.ptp(x) == 0 or np.ptp(y) == 0:
                assert np.isnan(own["spearman"].iloc[g])
                continue
            expected = stats.spearmanr(x, y)
            assert own["spearman"].iloc[g] == pytest.approx(expected.statistic, abs=1e-9)
            assert own["spearman_p"].iloc[g] == pytest.approx(expected.pvalue, rel=1e-6)
        np.testing.assert_array_equal(own["spearman_n"], own["n"])


def test_correlations_within_samples(genes, dense):
    parts = np.array([by_gene(dense, "model", stats.pearsonr, [i]) for i in range(3)])
    r, p = parts[:, 0], parts[:, 1]
    defined = np.isfinite(r).sum(axis=0)
    own = of(genes, "model")
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(own["within_pearson"], np.nansum(r, axis=0) / defined, atol=1e-4)
        hits = ((r > 0) & (p < 0.05)).sum(axis=0)
        np.testing.assert_allclose(own["within_share_p05"], hits / defined)


@pytest.mark.parametrize(
    ("stratum", "chosen"),
    [
        (("all", "all"), (0, 1, 2)),
        (("organ", "Heart"), (0, 1)),
        (("organ", "Breast"), (2,)),
        (("patients", "seen"), (0, 1)),
        (("patients", "unknown"), (2,)),
    ],
)
def test_summary_of_a_stratum(summary, dense, stratum, chosen):
    kind, value = stratum
    for predictor in PREDICTORS:
        found = of(summary, predictor, stratum_kind=kind, stratum=value)
        assert len(found) == 1
        row = found.iloc[0]
        truth, predicted, mask = pooled(dense, predictor, chosen)
        r, p = by_gene(dense, predictor, stats.pearsonr, chosen)
        tested = [np.ptp(truth[mask[:, g], g]) > 0 for g in range(GENES)]
        assert row["n_samples"] == len(chosen)
        assert row["n_spots"] == SPOTS * len(chosen)
        # A sample whose patient is not named is a patient of its own.
        assert row["n_patients"] == len({FACTS[i]["patient"] for i in chosen})
        assert row["n_genes"] == GENES
        assert row["n_genes_tested"] == sum(tested)
        assert row["n_genes_constant"] == (tested & np.isnan(r)).sum()
        hits = ((r > 0) & (p < 0.05)).sum()
        assert row["recovered_p05"] == pytest.approx(hits / sum(tested))
        hits = ((r > 0) & (benjamini_hochberg(p) < 0.05)).sum()
        assert row["recovered_bh"] == pytest.approx(hits / sum(tested))
        if np.isfinite(r).any():
            assert row["median_pearson"] == pytest.approx(np.nanmedian(r), abs=1e-5)
        if predictor not in EXPRESSION:  # of a depth or a random number there is no error
            assert row[["mse", "rmse", "r2_spot_mean", "r2_spot_median"]].isna().all()
            continue
        mse = np.square(truth - predicted)[mask].mean()
        assert row["mse"] == pytest.approx(mse, rel=1e-4)
        assert row["rmse"] == pytest.approx(mse**0.5, rel=1e-4)
        spots = [
            1 - np.var(x[m] - y[m]) / np.var(x[m])
            for x, y, m in zip(truth, predicted, mask, strict=True)
        ]
        assert row["r2_spot_mean"] == pytest.approx(np.mean(spots), abs=1e-4)
        assert row["r2_spot_median"] == pytest.approx(np.median(spots), abs=1e-4)


def partial(x, y, z):
    """Correlation of the residuals on a cubic in z, and its p with n - 5 degrees of freedom."""
    rest = [side - np.poly1d(np.polyfit(z, side, 3))(z) for side in (x, y)]
    left = [np.var(own) / np.var(side) for own, side in zip(rest, (x, y), strict=True)]
    if len(x) <= 5 or min(left) < 1e-8:
        return np.nan, np.nan
    r = stats.pearsonr(*rest).statistic
    with np.errstate(divide="ignore"):
        t = r * np.sqrt((len(x) - 5) / (1 - r**2))
    return r, 2 * stats.t.sf(abs(t), len(x) - 5)


@pytest.fixture(scope="module")
def slow_within(dense) -> dict[str, np.ndarray]:
    """Plain and given depth: r and p of each section, predictor and gene (3, P, 2, genes)."""
    found = {"plain": [], "given": []}
    for i, (truth, mask, predicted) in enumerate(dense):
        depth = np.log1p(np.expm1(truth).sum(axis=1))
        plain = np.array([by_gene(dense, name, stats.pearsonr, [i]) for name in PREDICTORS])
        given = np.full(plain.shape, np.nan)
        for p, name in enumerate(PREDICTORS):
            for g in np.flatnonzero(np.isfinite(plain[p, 0])):
                rows = mask[:, g]
                given[p, :, g] = partial(truth[rows, g], predicted[name][rows, g], depth[rows])
        found["plain"].append(plain)
        found["given"].append(given)
    return {kind: np.array(parts) for kind, parts in found.items()}


def expected_within(found, tested):
    """Median over genes of mean over sections, and share recovered, of the same of all."""
    r, p = found[:, :, 0], found[:, :, 1]
    shown = np.isfinite(r).any(axis=(0, 2))  # predictors that vary
    shared = np.isfinite(r[:, shown]).all(axis=1)
    means = np.full(r.shape[1:], np.nan)
    for g in np.flatnonzero(shared.any(axis=0)):
        means[shown, g] = r[shared[:, g]][:, shown, g].mean(axis=0)
    with np.errstate(invalid="ignore"):
        hits = ((r > 0) & (p < 0.05)).sum(axis=0) / tested.sum(axis=0)
    return [np.nanmedian(row) if np.isfinite(row).any() else np.nan for row in means], hits


def test_what_is_shared_by_all_predictors(summary, genes, dense, slow_within):
    tested = np.array([[np.ptp(t[m[:, g], g]) > 0 for g in range(GENES)] for t, m, _ in dense])
    whole = summary[summary["stratum_kind"] == "all"].set_index("predictor").loc[[*PREDICTORS]]
    both = {
        "plain": ("median_within_pearson_shared", "recovered_within_shared"),
        "given": ("within_given_depth", "share_given_depth"),
    }
    for kind, (median, share) in both.items():
        medians, hits = expected_within(slow_within[kind], tested)
        assert np.isfinite(medians).sum() == 5  # the model, two baselines' and controls' vary
        np.testing.assert_allclose(whole[median], medians, atol=2e-5)
        pooled_tested = tested.any(axis=0)
        expected = np.nan_to_num(hits)[:, pooled_tested].mean(axis=1)
        np.testing.assert_allclose(whole[share], expected, atol=1e-9)
    r = np.array([by_gene(dense, name, stats.pearsonr)[0] for name in PREDICTORS])
    varies = np.isfinite(r).any(axis=1)
    shared = np.isfinite(r[varies]).all(axis=0)
    assert whole["n_genes_shared"].eq(shared.sum()).all() and shared.sum() > 20
    for i, name in enumerate(PREDICTORS):
        found = whole.loc[name, "median_pearson_shared"]
        assert found == pytest.approx(np.median(r[i, shared]), abs=1e-5, nan_ok=True)
    np.testing.assert_array_equal(whole["recovered_shared"], whole["recovered_p05"])


def test_samples_have_the_headlines_of_their_own(recovery, dense, slow_within):
    samples = pd.DataFrame(recovery.samples)
    for number, (truth, mask, _) in enumerate(dense):
        own = samples[samples["sample"] == FACTS[number]["sample"]].set_index("predictor")
        tested = np.array([np.ptp(truth[mask[:, g], g]) > 0 for g in range(GENES)])[None]
        plain, given = (slow_within[kind][[number]] for kind in ("plain", "given"))
        medians, hits = expected_within(plain, tested)
        np.testing.assert_allclose(own["median_pearson_shared"], medians, atol=2e-5)
        expected = hits[:, tested[0]].mean(axis=1)
        np.testing.assert_allclose(own["recovered_shared"], expected, atol=1e-9)
        medians, hits = expected_within(given, tested)
        np.testing.assert_allclose(own["within_given_depth"], medians, atol=2e-5)
        expected = hits[:, tested[0]].mean(axis=1)
        np.testing.assert_allclose(own["share_given_depth"], expected, atol=1e-9)


def test_patients_are_means_of_their_samples_and_are_compared_in_pairs(recovery):
    samples = pd.DataFrame(recovery.samples)
    patients = recovery_by_patient(samples)
    assert len(patients) == 2 * len(PREDICTORS)
    model = patients[patients["predictor"] == "model"].set_index("patient")
    assert model["n_samples"].to_dict() == {"P1": 2, "SPA147": 1}
    own = of(samples, "model")
    first = own[own["patient"] == "P1"]
    for metric in HEADLINES:
        assert model.loc["P1", metric] == pytest.approx(first[metric].mean())
    table = compare(patients)
    # The others are constant within a sample: nothing to compare.
    varying = {"neighbour_mean", "visible_depth", "neighbour_depth", "random"}
    assert set(table["baseline"]) == varying
    assert len(table) == len(varying) * len(HEADLINES)
    for row in table.itertuples():
        other = patients[patients["predictor"] == row.baseline].set_index("patient")
        assert row.difference == pytest.approx((model[row.metric] - other[row.metric]).mean())
        assert row.n_patients == 2 and row.smallest_p == 0.5
        assert row.p_holm >= row.p


@pytest.mark.parametrize("rate", [0.05, 0.5, 3, 30])
def test_depth_alone_recovers_nothing_given_depth(rate):
    """Counts drawn from depth alone: what knows the depth recovers each gene, but none given it."""
    rng = np.random.default_rng(0)
    spots, genes = 4000, 60
    level = rng.gamma(2, 1, spots)
    counts = rng.poisson(rate * level[:, None], (spots, genes))
    noisy = np.maximum(level + rng.normal(0, 0.3, spots), 0.01)
    blind = np.stack([noisy, np.log(noisy)])[:, :, None]
    mask = rng.random(counts.shape) < 0.3
    batch = np.log1p(counts), np.broadcast_to(blind, (2, spots, genes)), mask
    moments, given = Moments.zeros(2, genes), Covariates.zeros(DEPTH_DEGREE, 2, genes)
    moments.add(*batch)
    given.add(*batch, depth_terms(counts.sum(axis=1)))
    assert (np.median(moments.pearson(), axis=1) > 0.15).all()
    assert (np.abs(np.median(given.partial(moments), axis=1)) < 0.02).all()


def test_strata_add_up(summary):
    for predictor in PREDICTORS:
        own = of(summary, predictor)
        whole = own[own["stratum_kind"] == "all"].iloc[0]
        for kind in ("organ", "patients"):
            part = own[own["stratum_kind"] == kind]
            assert part["n_spots"].sum() == whole["n_spots"]
            assert part["n_samples"].sum() == whole["n_samples"]
            if predictor not in EXPRESSION:
                continue
            # As many hidden entries in each patch, within a percent or two.
            mean = np.average(part["mse"], weights=part["n_spots"])
            assert mean == pytest.approx(whole["mse"], rel=0.02)
        bins = own[own["stratum_kind"] == "detection"]
        assert len(bins) == len(DETECTION_BINS) - 1
        for column in ("n_genes_tested", "n_genes_constant"):
            assert bins[column].sum() == whole[column]
        hits = (bins["recovered_p05"] * bins["n_genes_tested"]).sum()
        assert hits == pytest.approx(whole["recovered_p05"] * whole["n_genes_tested"])


def test_strata_over_patients_are_means_of_their_sections(summary, dense):
    """The first patient has two sections, the other one; each section by scipy, gene by gene."""
    found = summary.set_index(["stratum_kind", "stratum", "predictor"])
    values = {}
    for fact, (truth, mask, predicted) in zip(FACTS, dense, strict=True):
        inside = {"all": np.ones(GENES, dtype=bool)}
        detection = (mask & (truth > 0)).sum(axis=0) / mask.sum(axis=0)
        inside["0.3-1"] = detection > 0.3
        for stratum, chosen in inside.items():
            hits = tested = 0
            squares, unit = [], []
            for gene in np.flatnonzero(chosen):
                own = mask[:, gene]
                x, y = truth[own, gene], predicted["model"][own, gene]
                squares.append(np.square(x - y))
                unit.append(np.square(x - predicted["neighbour_mean"][own, gene]))
                if np.ptp(x) > 0:
                    tested += 1
                    r, p = stats.pearsonr(x, y) if np.ptp(y) > 0 else (0, 1)
                    hits += r > 0 and p < 0.05
            ratio = np.concatenate(squares).mean() / np.concatenate(unit).mean()
            values.setdefault((stratum, fact["patient"]), []).append((hits / tested, ratio))
    for kind, stratum in (("all", "all"), ("detection", "0.3-1")):
        row = found.loc[kind, stratum, "model"]
        means = [np.mean(values[stratum, name], axis=0) for name in ("P1", "SPA147")]
        names = ("patients_recovered", "patients_relative_mse")
        for name, own in zip(names, np.transpose(means), strict=True):
            assert row[name] == pytest.approx(own.mean(), rel=1e-4)
            reach = stats.t.ppf(0.975, 1) * np.std(own, ddof=1) / np.sqrt(2)
            assert row[f"{name}_high"] == pytest.approx(own.mean() + reach, rel=1e-3)
        assert row["patients_n"] == 2
    unseen = found.loc["patients", "unknown", "model"]
    assert unseen["patients_n"] == 1 and np.isnan(unseen["patients_recovered_low"])


def test_constant_predictors_recover_none_and_are_counted(summary, genes):
    for predictor in ("gene_mean", "zero"):
        row = of(summary, predictor, stratum_kind="all").iloc[0]
        assert row["recovered_p05"] == row["recovered_bh"] == row["recovered_spearman_p05"] == 0
        assert row["n_genes_constant"] == row["n_genes_tested"] > 0
        assert of(genes, predictor)[["pearson", "spearman"]].isna().all(axis=None)
    # The mean of a sample is constant within it, and says nothing there.
    assert of(genes, "sample_gene_mean")["within_pearson"].isna().all()
    assert of(summary, "sample_gene_mean", stratum_kind="all")["recovered_within_p05"].item() == 0
    assert of(summary, "model", stratum_kind="all")["n_genes_constant"].item() < GENES


def test_rows_of_samples_and_spots(recovery, sections, dense):
    samples = pd.DataFrame(recovery.samples)
    assert len(samples) == len(FACTS) * len(PREDICTORS)
    for i, fact in enumerate(FACTS):
        truth, mask, predicted = dense[i]
        rows = samples[samples["sample"] == fact["sample"]].set_index("predictor")
        assert rows["n_spots"].eq(SPOTS).all()
        assert rows["mse"].drop([*EXPRESSION]).isna().all()
        for predictor in EXPRESSION:
            mse = np.square(truth - predicted[predictor])[mask].mean()
            assert rows.loc[predictor, "mse"] == pytest.approx(mse, rel=1e-4)
        assert all(seen is fact["patient_seen"] for seen in rows["patient_seen"])
    spots = pd.concat(recovery.spots)
    assert len(spots) == len(FACTS) * SPOTS * len(EXPRESSION)
    for section in sections:
        own = spots[(spots["sample"] == section.sample) & (spots["predictor"] == "model")]
        assert own["spot"].tolist() == read_h5ad(section.counts_path).obs_names.tolist()


def test_the_general_path_gives_the_same(sections, model, template, gene_mean, genes, tmp_path):
    """A clique as an explicit graph: the layout is another, every number the same."""
    other = replace(template, layout="subgraphs")
    again = recover(model, sections, other, gene_mean, FACTS, 10_000, tmp_path)
    table = gene_table(again, NAMES)
    for column in ("pearson", "mse", "within_pearson"):
        np.testing.assert_allclose(table[column], genes[column], atol=2e-4)


def test_fewer_spots_are_ranked_evenly(sections, model, template, gene_mean, genes, tmp_path):
    settings = (model, sections, template, gene_mean, FACTS)
    few = recover(*settings, rank_spots=30, scratch=tmp_path)
    table = gene_table(few, NAMES)
    whole = of(genes, "model")["n"].sum()
    ranked = of(table, "model")["spearman_n"].sum()
    assert 0.2 < ranked / whole < 0.3  # 30 of 120 spots
    np.testing.assert_array_equal(table["pearson"], genes["pearson"])
    bytes_held = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert bytes_held <= 17 * (30 + len(sections)) * GENES
    (tmp_path / "again").mkdir()
    again = recover(*settings, rank_spots=30, scratch=tmp_path / "again")
    np.testing.assert_array_equal(again.spearman, few.spearman)


def test_genes_to_map_stand_for_good_and_bad():
    count = 101
    own = pd.DataFrame(
        {
            "gene": [f"g{i}" for i in range(count)],
            "predictor": "model",
            "pearson": np.linspace(-0.2, 0.8, count),
            "detection_rate": 0.5,
        }
    )
    own.loc[100, "detection_rate"] = 0.01  # the best, but too rare to be seen on a map
    own.loc[0, "pearson"] = np.nan
    other = own.assign(predictor="neighbour_mean", pearson=-own["pearson"])
    chosen = genes_to_map(pd.concat([own, other], ignore_index=True))
    assert list(chosen["position"]) == list(MAP_PERCENTILES)
    assert chosen["gene"].iloc[0] == "g99"
    assert chosen["gene"].iloc[3] == "g50"
    assert (chosen["gene"] == "g" + chosen["column"].astype(str)).all()
    assert chosen["pearson"].is_monotonic_decreasing
    rare = own.assign(detection_rate=0.01)
    assert genes_to_map(rare)["gene"].iloc[0] == "g100"  # of rare genes, if there are no others
    assert genes_to_map(own.iloc[50:52])["gene"].is_unique


def test_maps_hide_the_genes_they_show(sections, model, template, gene_mean, genes, dense):
    chosen = genes_to_map(genes)
    maps = recovery_maps(model, sections[0], template, chosen, gene_mean)
    assert len(maps) == SPOTS * len(chosen)
    truth, _, predicted = dense[0]
    for gene in chosen.itertuples():
        own = maps[maps["gene"] == gene.gene]
        assert own["spot"].tolist() == read_h5ad(sections[0].counts_path).obs_names.tolist()
        np.testing.assert_allclose(own["truth"], truth[:, gene.column], atol=1e-6)
        near = predicted["neighbour_mean"][:, gene.column]
        np.testing.assert_allclose(own["neighbour_mean"], near, atol=1e-5)
    hidden = replace(template, sections=sections[:1], always_hidden=tuple(chosen["column"]))
    for _, mask, *_ in predictions(model, hidden, gene_mean):
        assert mask[:, chosen["column"]].all()


def test_genes_that_a_section_did_not_measure_are_not_scored(settings_of_absent, tmp_path):
    model, sections, template, gene_mean, absent = settings_of_absent
    for every_gene in (False, True):
        scratch = tmp_path / str(every_gene)
        scratch.mkdir()
        settings = model, sections, template, gene_mean, FACTS[:1], 10_000, scratch
        found = recover(*settings, every_gene=every_gene)
        n = found.strata["all", "all"].n
        assert (n[absent] > 0).all() == every_gene and (n[~absent] > 0).all()
        assert (found.spearman_n[absent] > 0).all() == every_gene


@pytest.fixture
def settings_of_absent(sections, model, template, gene_mean, tmp_path):
    """One section whose first genes its source lacks."""
    section = sections[0]
    changed = read_h5ad(section.counts_path)
    absent = np.arange(GENES) < GENES // 4
    changed.var["in_source"] = changed.var["measured"] = ~absent
    path = tmp_path / section.cohort / Path(section.counts_path).name
    path.parent.mkdir()
    changed.write_h5ad(path)
    own = [replace(section, counts_path=path)]
    return model, own, replace(template, sections=own), gene_mean, absent


def test_genes_to_map_are_those_of_the_section():
    table = pd.DataFrame({"gene": ["a", "b"], "pearson": [0.9, 0.1]})
    table = table.assign(predictor="model", detection_rate=1.0)
    assert set(genes_to_map(table)["gene"]) == {"a", "b"}
    chosen = genes_to_map(table, ["b"])
    assert chosen[["gene", "column"]].to_numpy().tolist() == [["b", 1]]
