"""Imputation of genes removed from whole sections: scores against a plain dense computation."""

import runpy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from sklearn.metrics import r2_score

from sagefm.common.h5ad import read_h5ad, write_h5ad
from sagefm.common.io import read_table, write_table
from sagefm.graphs.neighbourhoods import load_graph
from sagefm.imputation.figures import LEAST_R2, draw_imputation, errors_compared
from sagefm.imputation.score import ImputationPlan, score_section, score_sections
from sagefm.imputation.tables import METRICS, REFERENCE, SETTINGS, summarise_imputation
from sagefm.networks.base import build_network
from sagefm.plotting.colours import model_colours
from sagefm.sections.masks import gene_mask
from sagefm.sections.section import draw_rows
from support import small
from support.drawn import assert_readable, title_of
from support.models import fitted, save_model

SPOTS, GENES, UNKNOWN = 40, 120, 7
PLAN = ImputationPlan(shares=(0.2, 0.6), repeats=2, seed=3, batch_size=16)
FACTS = [
    {"sample": "heart-1", "patient": "P1", "patient_seen": True},
    {"sample": "heart-2", "patient": "P1", "patient_seen": True},
    {"sample": "SPA147", "patient": "SPA147", "patient_seen": pd.NA},
]
COLOURS = model_colours(["paper", "strict", "scaled"])
KINDS = {"gcn": ("mean", "log1p"), "two_channel": ("channels", "log1p_cp10k")}


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    """Real patches; their last genes are taken for genes that the source never had."""
    names = [fact["sample"] for fact in FACTS]
    sections = small.write_sections(tmp_path_factory.mktemp("sections"), names, SPOTS, GENES)
    for section in sections:
        adata = read_h5ad(section.counts_path)
        adata.var["in_source"] = np.arange(GENES) < GENES - UNKNOWN
        counts = adata.X.toarray()
        counts[:, GENES - UNKNOWN :] = 0
        adata.X = type(adata.X)(counts)
        write_h5ad(adata, section.counts_path)
    return sections


def network_of(name: str, genes: int = GENES):
    """An untrained network whose output varies from spot to spot."""
    network = build_network(name, genes, small.WIDTHS if name != "contrast" else (8,), seed=0)
    generator = torch.manual_seed(0)
    torch.nn.init.normal_(network.fc_gene.weight, std=2, generator=generator)
    if name == "contrast":
        for channel in ("centre", "neighbours"):
            getattr(network, f"{channel}_components").normal_(generator=generator)
    return network.eval()


@pytest.fixture(scope="module")
def gene_mean() -> np.ndarray:
    return np.random.default_rng(0).random(GENES)


def scores_of(sections, name, gene_mean, plan=PLAN, section=0):
    model = fitted(network_of(name), name, normalisation=KINDS[name][1])
    return score_section(model, sections[section], gene_mean, plan)


def normalised(counts: np.ndarray, how: str) -> np.ndarray:
    if how == "log1p_cp10k":
        counts = 1e4 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.log1p(counts)


def expected(section, name, gene_mean, missing):
    """Truth and predictors, of the genes that the source has, without sagefm.imputation."""
    layout, how = KINDS[name]
    network = network_of(name)
    counts = read_h5ad(section.counts_path).X.toarray().astype(float)
    graph = load_graph(section.graph_path)
    near = np.split(graph.ego, graph.indptr[1:-1])
    truth = normalised(counts, how)
    lacking = counts.copy()
    lacking[:, missing] = 0
    lacking = normalised(lacking, how)
    lost = np.isin(np.arange(GENES), missing)
    hidden = small.normalised(counts, how, np.broadcast_to(lost, counts.shape))

    def run(centre, others):
        around = np.stack([others[spots[1:]].mean(axis=0) for spots in near])
        n = len(near[0])
        mean = (centre + (n - 1) * around) / n
        inputs = [mean] if layout == "mean" else [centre, around]
        embed = getattr(network, f"embed_{layout}")
        with torch.inference_mode():
            tensors = [torch.from_numpy(x.astype(np.float32)) for x in inputs]
            return network.decode(embed(*tensors)).numpy(), around

    known = missing[missing < GENES - UNKNOWN]
    centre_only, around = run(hidden, truth)
    predicted = {
        ("systematic", "model"): run(lacking, lacking)[0],
        ("centre_only", "model"): centre_only,
        ("centre_only", "neighbour_mean"): around,
    }
    visible = np.setdiff1d(np.arange(GENES - UNKNOWN), missing)
    usual = gene_mean[visible].sum()
    own = counts[:, visible]
    if how == "log1p_cp10k":  # scaled to what these genes make up in the training means
        share = np.expm1(gene_mean[visible]).sum() / np.expm1(gene_mean).sum()
        own = 1e4 * share * own / np.maximum(own.sum(axis=1, keepdims=True), 1)
    level = np.log1p(own).sum(axis=1) / usual
    for setting in PLAN.settings:
        predicted[setting, "gene_mean_depth"] = level[:, None] * gene_mean
        predicted[setting, "gene_mean"] = np.broadcast_to(gene_mean, truth.shape)
        predicted[setting, "zero"] = np.zeros_like(truth)
    return truth[:, known], {key: values[:, known] for key, values in predicted.items()}


@pytest.mark.parametrize("name", KINDS)
def test_scores_are_those_of_a_dense_computation(sections, name, gene_mean):
    table = scores_of(sections, name, gene_mean).set_index(["share", "repeat"]).sort_index()
    assert len(table) == 2 * 2 * sum(len(SETTINGS[setting]) for setting in PLAN.settings)
    for share, repeat in table.index.unique():
        found = table.loc[(share, repeat)].set_index(["setting", "predictor"])
        missing = PLAN.genes(share, repeat, GENES)
        truth, predicted = expected(sections[0], name, gene_mean, missing)
        assert set(predicted) == set(found.index)
        for key, values in predicted.items():
            own, error = found.loc[key], values - truth
            r = [
                stats.pearsonr(x, y).statistic
                for x, y in zip(truth.T, values.T, strict=True)
                if np.ptp(x) > 1e-5 and np.ptp(y) > 1e-5
            ]
            varying = (np.ptp(truth, axis=0) > 0).sum()
            spread = truth.var(axis=1)
            assert (own["n_spots"], own["n_genes"]) == truth.shape
            assert own["mse"] == pytest.approx(np.square(error).mean(), rel=1e-4)
            assert own["rmse"] == pytest.approx(own["mse"] ** 0.5)
            assert own["r2"] == pytest.approx(r2_score(truth.ravel(), values.ravel()), rel=1e-4)
            by_spot = (1 - error.var(axis=1) / spread).mean()
            assert own["r2_spot"] == pytest.approx(by_spot, rel=1e-3, abs=1e-4)
            # A gene that is predicted the same everywhere counts as 0, for all the same genes.
            shared = [*r, *[0] * (varying - len(r))]
            assert own["median_pearson"] == pytest.approx(np.median(shared), abs=1e-4)
            assert own["mean_pearson"] == pytest.approx(sum(r) / varying, abs=1e-4)
            assert own["constant"] == np.mean(np.ptp(values, axis=0) < 1e-5)


def test_genes_are_nested_and_the_same_for_everyone():
    sets = {share: ImputationPlan([], seed=1).genes(share, 0, 1000) for share in (0.1, 0.5, 0.9)}
    assert [len(genes) for genes in sets.values()] == [100, 500, 900]
    assert set(sets[0.1]) < set(sets[0.5]) < set(sets[0.9])
    for genes in sets.values():
        assert (np.diff(genes) > 0).all()
    others = (
        ImputationPlan([], seed=1).genes(0.5, 1, 1000),
        ImputationPlan([], seed=2).genes(0.5, 0, 1000),
    )
    for other in others:  # half of another set by chance
        assert 200 < len(set(other) & set(sets[0.5])) < 300


def test_batches_do_not_matter(sections, gene_mean):
    whole = scores_of(sections, "gcn", gene_mean, ImputationPlan((0.6,), batch_size=1000))
    parts = scores_of(sections, "gcn", gene_mean, ImputationPlan((0.6,), batch_size=7))
    pd.testing.assert_frame_equal(whole, parts, rtol=1e-4)


def test_some_spots_stand_for_all(sections, gene_mean):
    plan = ImputationPlan((0.6,), spots=12)
    rows = [draw_rows(section, plan.spots, plan.seed) for section in sections]
    assert all(len(mine) == 12 and (np.diff(mine) > 0).all() for mine in rows)
    assert not np.array_equal(rows[0], rows[1])
    assert len(draw_rows(sections[0], 1000, plan.seed)) == SPOTS
    some = scores_of(sections, "gcn", gene_mean, plan)
    truth, predicted = expected(sections[0], "gcn", gene_mean, plan.genes(0.6, 0, GENES))
    error = (predicted["systematic", "model"] - truth)[rows[0]]
    assert some["mse"][0] == pytest.approx(np.square(error).mean(), rel=1e-4)
    assert (some["n_spots"] == 12).all()


def test_a_contrast_network_says_nothing_of_what_a_section_lacks(sections, gene_mean):
    model = fitted(network_of("contrast"), "contrast", normalisation="log1p_cp10k")
    table = score_section(model, sections[0], gene_mean, PLAN)
    wide = table.pivot(index=["setting", "share", "repeat"], columns="predictor", values="mse")
    np.testing.assert_array_equal(wide.loc["systematic", "model"], wide.loc["systematic", "zero"])
    assert (wide.loc["centre_only", "model"] != wide.loc["centre_only", "zero"]).all()


RELEASED = ImputationPlan((0.3,), settings=("as_released",), seed=3, batch_size=16)


@pytest.mark.parametrize(
    ("name", "kind"), [("gcn", "knn_clique"), ("two_channel", "knn_clique"), ("gcn", "star")]
)
def test_genes_drawn_as_released_are_missing_in_all_spots_of_their_subgraph(
    sections, gene_mean, name, kind
):
    """Against a subgraph at a time through the network's general path."""
    model = fitted(network_of(name), name, kind=kind)
    table = score_section(model, sections[0], gene_mean, RELEASED).set_index("predictor")
    x = np.log1p(read_h5ad(sections[0].counts_path).X.toarray()).astype(np.float32)
    graph = load_graph(sections[0].graph_path)
    errors, count = dict.fromkeys(table.index, 0.0), 0
    for spot in range(SPOTS):
        mask = np.zeros(GENES, dtype=bool)
        gene_mask(3, 1, sections[0].key, spot, GENES, 0.3, mask)
        nodes, edges, centre = graph.subgraphs(np.array([spot]))
        lacking = np.where(mask, 0, x[nodes])
        with torch.inference_mode():
            if name == "gcn":
                given = torch.from_numpy(lacking), torch.from_numpy(edges), torch.from_numpy(centre)
                embedding = model.network.embed_subgraphs(*given)
            else:
                others = np.delete(lacking, centre, axis=0).mean(axis=0, keepdims=True)
                own = torch.from_numpy(lacking[centre]), torch.from_numpy(others)
                embedding = model.network.embed_channels(*own)
            predicted = model.network.decode(embedding).numpy()[0]
        seen = ~mask & (np.arange(GENES) < GENES - UNKNOWN)
        level = x[spot, seen].sum() / gene_mean[seen].sum()
        guesses = {
            "model": predicted,
            "gene_mean": gene_mean,
            "gene_mean_depth": level * gene_mean,
            "zero": np.zeros(GENES),
        }
        for predictor, values in guesses.items():  # absent genes are scored: their truth is 0
            errors[predictor] += np.square(values - x[spot])[mask].sum()
        count += mask.sum()
    assert (table["n_genes"] == GENES).all()
    for predictor, error in errors.items():
        assert table.loc[predictor, "mse"] == pytest.approx(error / count, rel=1e-4)


@pytest.mark.parametrize("name", ["contrast", "two_channel"])
def test_only_models_on_log1p_that_see_no_other_spots_are_scored_as_released(
    sections, gene_mean, name
):
    model = fitted(network_of(name), name, normalisation="log1p_cp10k")
    plan = ImputationPlan((0.3,), settings=("systematic", "as_released"))
    assert set(score_section(model, sections[0], gene_mean, plan)["setting"]) == {"systematic"}


@pytest.fixture(scope="module")
def samples(sections, gene_mean) -> pd.DataFrame:
    tables = score_sections(fitted(network_of("gcn")), sections, FACTS, gene_mean, PLAN)
    return pd.concat(tables, ignore_index=True)


def patients_like(patients: int) -> pd.DataFrame:
    """Scores of two sections a patient, two repeats, one share."""
    rng = np.random.default_rng(patients)
    rows = [
        {"setting": setting, "predictor": predictor, "share": 0.5, "repeat": repeat,
         "patient": f"P{patient}", "sample": f"P{patient}-{section}",
         "patient_seen": patient < 2 if patient < 5 else pd.NA, "n_spots": 10 + section,
         **{metric: rng.normal(patient, 1) for metric in METRICS}}
        for setting in PLAN.settings
        for predictor in SETTINGS[setting]
        for repeat in range(2)
        for patient in range(patients)
        for section in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_patients_are_what_is_counted():
    samples = patients_like(6)
    table = summarise_imputation(samples).set_index(["setting", "predictor", "metric"])
    own = samples.groupby(["setting", "predictor", "patient"])[[*METRICS]].mean()
    for key, row in table.iterrows():
        *who, metric = key
        values = own.loc[tuple(who)][metric].to_numpy()
        interval = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
        assert (row["mean"], row["low"], row["high"]) == pytest.approx((values.mean(), *interval))
        assert (row["n_patients"], row["n_patients_seen"], row["n_samples"]) == (6, 2, 12)
        assert row["n_patients_unknown"] == 1
        assert row["n_spots"] == 6 * (10 + 11)
        if who[1] == REFERENCE:
            assert np.isnan(row["difference"]) and np.isnan(row["p"])
            continue
        difference = values - own.loc[(who[0], REFERENCE)][metric].to_numpy()
        exact = stats.permutation_test(
            (difference,), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert row["difference"] == pytest.approx(difference.mean())
        assert row["p"] == pytest.approx(exact.pvalue)
        assert row["smallest_p"] == 2 / 2**6
        better = difference > 0 if metric.startswith(("r2", "median", "mean")) else difference < 0
        assert row["better_in"] == better.sum()


def test_a_sample_without_a_patient_is_one(samples):
    table = summarise_imputation(samples)
    assert (table["n_patients"].where(table["mean"].notna(), 2) == 2).all()
    assert (table["n_samples"] == 3).all()
    wanted = {"setting": "systematic", "predictor": "model", "share": 0.2, "metric": "mse"}
    row = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)].iloc[0]
    model = samples[
        (samples["setting"] == "systematic")
        & (samples["predictor"] == "model")
        & (samples["share"] == 0.2)
    ]
    hearts = model.loc[model["patient"] == "P1", "mse"].mean()
    breast = model.loc[model["sample"] == "SPA147", "mse"].mean()
    assert row["mean"] == pytest.approx((hearts + breast) / 2)


def test_shares_are_a_family_of_tests():
    samples = pd.concat([patients_like(8).assign(share=share) for share in (0.1, 0.5)])
    table = summarise_imputation(samples)
    known = table[table["p"].notna()]
    np.testing.assert_allclose(known["p_holm"], np.minimum(2 * known["p"], 1))


def summaries(samples: pd.DataFrame) -> pd.DataFrame:
    """Summaries of three models, two of them on one scale."""
    return summaries_of(samples, {"paper": "log1p", "strict": "log1p", "scaled": "log1p_cp10k"})


def summaries_of(samples: pd.DataFrame, scales: dict[str, str]) -> pd.DataFrame:
    """Summaries of models, by name with their scale."""
    return pd.concat(
        [
            summarise_imputation(samples).assign(model=model, cohort="breast", normalisation=scale)
            for model, scale in scales.items()
        ],
        ignore_index=True,
    )


def test_the_figure_tells_models_settings_and_scales_apart(samples):
    figure = draw_imputation(summaries(samples), COLOURS)
    axes = figure.axes
    assert len(axes) == 3 * 4
    titles = [ax.get_title("left") for ax in axes[:4]]
    assert len(set(titles)) == 4 and titles[0].startswith("log1p of counts")
    lines = [ax.get_lines() for ax in axes[:4]]
    # Two models and the baselines on the first scale; one model on the second.
    assert [len(mine) for mine in lines] == [5, 6, 4, 5]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0] == "paper (1 of 2 patients seen, 1 unknown)"
    assert [name.split()[0] for name in names[:3]] == ["paper", "strict", "scaled"]
    assert len(names) == len(set(names)) == 7
    shares = samples["share"].nunique()
    none = f"lower at 0 and higher at 0 of {shares} shares"
    assert errors_compared(summaries(samples)).endswith(
        f": paper {none}; strict {none}; scaled {none}"
    )
    better = summaries(samples)
    better.loc[better["model"] == "strict", ["difference", "p_holm"]] = [-0.1, 0.01]
    better.loc[better["model"] == "scaled", ["difference", "p_holm"]] = [0.1, 0.01]
    assert errors_compared(better).endswith(
        f": paper {none}; strict lower at {shares} and higher at 0 of {shares} shares; "
        f"scaled lower at 0 and higher at {shares} of {shares} shares"
    )
    assert "strict lower at" in title_of(draw_imputation(better, COLOURS))
    top = summaries(samples).query("model == 'paper' and metric == 'mse' and predictor == 'model'")
    drawn = lines[0][-2].get_ydata()
    np.testing.assert_allclose(drawn, top[top["setting"] == "systematic"]["mean"])


def test_the_figure_has_room_for_long_names(samples):
    names = [f"SAGE-FM (recipe number {number})" for number in range(5)]
    scales = dict(zip(names, ["log1p"] * 3 + ["log1p_cp10k"] * 2, strict=True))
    drawn = samples[samples["setting"] == "systematic"].assign(setting="as_released")
    table = summaries_of(pd.concat([samples, drawn]), scales)
    figure = draw_imputation(table, model_colours(names))
    assert len(figure.axes) >= 3 * 5
    assert_readable(figure)


def test_what_is_below_the_axis_of_r2_is_a_triangle_at_its_end(samples):
    table = summaries(samples)
    own = (table["metric"] == "r2") & (table["model"] == "scaled")
    table.loc[own & (table["predictor"] == "model"), ["mean", "low", "high"]] = [-3.0, -4.0, -2.0]
    panels = draw_imputation(table, COLOURS).axes[4:8]
    own = [line for ax in panels for line in ax.lines if line.get_color() == COLOURS["scaled"]]
    triangles = [line for line in own if line.get_marker() == "v" and not line.get_clip_on()]
    assert len(triangles) == 2  # in both settings of the model's scale
    for line in triangles:
        assert len(line.get_xdata()) == samples["share"].nunique()
        assert set(line.get_ydata()) == {LEAST_R2}


def test_the_scripts_score_and_draw(sections, samples, gene_mean, tmp_path, repo):
    save_model(tmp_path, fitted(network_of("gcn")))
    means = pd.DataFrame({"gene": [f"g{i}" for i in range(GENES)], "mean": gene_mean})
    write_table(means, tmp_path / "gene_means.tsv")
    rows = [{"cohort": "demo", "dataset": "d", "organ": "Heart", **fact} for fact in FACTS]
    split = pd.DataFrame(rows).assign(cohort="other", group="x", part="train")
    write_table(split, tmp_path / "split.tsv")
    job = SimpleNamespace(
        input=SimpleNamespace(
            checkpoint=tmp_path / "best.pt",
            gene_means=tmp_path / "gene_means.tsv",
            split=tmp_path / "split.tsv",
            samples=[section.counts_path for section in sections],
            graphs=[sections[0].graph_path.parent],
            tables=[tmp_path / "summary.tsv"],
        ),
        output=SimpleNamespace(
            samples=tmp_path / "samples.tsv",
            summary=tmp_path / "summary.tsv",
            pdf=tmp_path / "out.pdf",
            png=tmp_path / "out.png",
        ),
        params=SimpleNamespace(
            titles={"paper": "SAGE-FM"},
            colours=model_colours(["SAGE-FM"]),
            rows=rows,
            plan={"shares": [0.2, 0.6], "repeats": 2, "seed": 3, "spots": None},
        ),
        resources=SimpleNamespace(device="cpu"),
        threads=1,
        wildcards=SimpleNamespace(model="paper", cohort="demo"),
        rule="imputation",
        log=[tmp_path / "log"],
    )
    for script in ("imputation/score", "imputation/figure"):
        path = repo / f"workflow/scripts/{script}.py"
        runpy.run_path(str(path), init_globals={"snakemake": job})
    found = read_table(tmp_path / "samples.tsv", dtype={"patient": str})
    assert (found["model"] == "paper").all() and (found["normalisation"] == "log1p").all()
    np.testing.assert_allclose(found["mse"], samples["mse"], rtol=1e-4)
    assert len(read_table(tmp_path / "summary.tsv")) == 2 * 9 * len(METRICS)
    assert job.output.png.stat().st_size > 1000
