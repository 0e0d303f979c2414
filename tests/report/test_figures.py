"""Figures: drawn from realistic tables, labelled, distinguishable in colour, reproducible."""

import json
import runpy
from types import SimpleNamespace

import jinja2
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from sagefm.cohorts.figures import MOST_ROWS, draw_qc
from sagefm.common.io import write_table
from sagefm.imputation.tables import SETTINGS
from sagefm.networks.registry import SQUARED_ERROR, describe
from sagefm.plotting import style
from sagefm.plotting.beyond import beyond_words
from sagefm.plotting.histology import write_tissues
from sagefm.recovery.figures import draw_recovered
from sagefm.recovery.gene_figures import draw_correlation_by_detection, draw_maps
from sagefm.recovery.predictors import PREDICTORS, RANKED, ROLES
from sagefm.recovery.strata_figures import draw_strata
from sagefm.representations.figures import draw_coherence
from sagefm.training.figures import draw_training
from support.drawn import assert_readable, title_of, write_image
from support.recovered import maps_like, recovery_like

SCRIPTS = {
    "qc": "cohorts/qc_figure",
    "training": "training/figure",
    "recovered": "recovery/figure",
    "strata": "recovery/strata_figure",
    "detection": "recovery/detection_figure",
    "maps": "recovery/maps_figure",
    "coherence": "representations/figure",
}
CAPTIONS = {
    "qc": "cohorts/qc",
    "training": "training/training",
    "recovered": "recovery/recovered",
    "strata": "recovery/strata",
    "detection": "recovery/detection",
    "maps": "recovery/maps",
    "coherence": "representations/coherence",
}


def qc_like(sections: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    spots = rng.integers(200, 700, sections)
    return pd.DataFrame(
        {
            "cohort": "breast",
            "sample": [f"S{i}" for i in range(sections)],
            "patient": ["A", *[None] * (sections - 1)],
            "organ": ["Breast", *["Heart"] * (sections - 1)],
            "spots_source": spots + np.arange(sections),
            "spots_kept": spots,
            "genes_panel": 12500,
            "genes_missing": 2058,
            "median_counts": rng.uniform(1000, 8000, sections),
            "median_genes": rng.uniform(700, 4000, sections),
            "median_mito_share": np.nan,
        }
    )


def history_like(epochs: int = 12) -> pd.DataFrame:
    epoch = np.arange(1, epochs + 1)
    return pd.DataFrame(
        {
            "epoch": epoch,
            "train_loss": 0.07 + 0.03 / epoch,
            "validation_loss": 0.072 + 0.02 / epoch,
            "validation_mse": 0.073 + 0.02 / epoch,
            "learning_rate": 5e-5,
            "seconds": 6.0,
            "spots_per_second": 500.0 + epoch,
        }
    )


TRAINED = {
    "parameters": 31405790,
    "train_samples": 13,
    "train_spots": 3191,
    "validation_samples": 2,
    "validation_spots": 744,
    "epochs": 12,
    "best_epoch": 12,
    "converged": False,
    "best_validation_loss": 0.0737,
    "best_validation_mse": 0.0747,
    "loss": "squared error",
    "device": "cpu",
    "threads": 2,
    "validation_mse_neighbour_mean": 0.076,
}


def coherence_like(samples: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    rows = [
        {
            "cohort": "breast",
            "sample": f"S{sample}",
            "representation": name,
            "components": 50,
            "mean_moran_i": rng.normal(level, 0.03),
            "median_moran_i": level,
            "n_spots": 400,
        }
        for name, level in {"pca": 0.1, "neighbour_mean": 0.5, "sagefm-paper": 0.6}.items()
        for sample in range(samples)
    ]
    return pd.DataFrame(rows)


def two_models() -> pd.DataFrame:
    summary, _ = recovery_like()
    return pd.concat([summary, summary.assign(model="strict")], ignore_index=True)


DRAWN = {
    "qc": lambda: draw_qc(qc_like()),
    "qc of a large cohort": lambda: draw_qc(qc_like(MOST_ROWS + 1)),
    "training": lambda: draw_training(history_like(), TRAINED, "paper", SQUARED_ERROR),
    "training of one epoch": lambda: draw_training(
        history_like(1), TRAINED, "paper", SQUARED_ERROR
    ),
    "recovered": lambda: draw_recovered(two_models(), 0.91),
    "strata": lambda: draw_strata(two_models()),
    "detection": lambda: draw_correlation_by_detection(recovery_like()[1]),
    "maps": lambda: draw_maps(maps_like()),
    "maps of one gene": lambda: draw_maps(maps_like(1)),
    "coherence": lambda: draw_coherence(coherence_like()),
    "coherence of one sample": lambda: draw_coherence(coherence_like(1)),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN.keys())
def test_a_figure_is_labelled_readable_and_equal_twice(draw, tmp_path):
    written = []
    for turn in "ab":
        figure = draw()
        pdf, png = tmp_path / f"{turn}.pdf", tmp_path / f"{turn}.png"
        style.save(figure, pdf, png)
        written.append((pdf.read_bytes(), png.read_bytes()))
    assert written[0] == written[1]
    assert written[0][0].startswith(b"%PDF") and written[0][1].startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png", "b.pdf", "b.png"]

    assert figure.get_figwidth() <= style.DOUBLE
    assert_readable(figure)
    titles = [figure.get_suptitle(), *(ax.get_title("left") for ax in figure.axes)]
    assert any(character.isdigit() for character in "".join(titles)), "no n is given"


@pytest.mark.parametrize("name", ["qc", "training", "recovered", "strata", "detection"])
def test_the_outer_axes_say_what_they_show(name):
    axes = DRAWN[name]().axes
    bottom = max(ax.get_subplotspec().rowspan.stop for ax in axes)
    for ax in axes:
        if ax.get_subplotspec().rowspan.stop == bottom:
            assert ax.get_xlabel()


def test_training_without_an_untrained_reference():
    known = {key: value for key, value in TRAINED.items() if not key.endswith("neighbour_mean")}
    multinomial = describe("contrast").loss
    given = [(known, SQUARED_ERROR), (TRAINED, SQUARED_ERROR), (TRAINED, multinomial)]
    axes = [draw_training(history_like(), s, "paper", loss).axes[0] for s, loss in given]
    assert [len(ax.lines) for ax in axes] == [3, 4, 3]
    assert [ax.get_ylabel().split()[0] for ax in axes] == ["mean", "mean", "nats"]


def test_predictors_that_do_not_vary_have_no_dot():
    summary, genes = recovery_like()
    constant = summary[summary["predictor"] == "zero"]
    assert constant["median_pearson"].isna().all() and (constant["recovered_p05"] == 0).all()
    controls = {name for name, role in ROLES.items() if role == "control"}
    for ax in draw_recovered(summary, 0.91).axes:
        finite = {
            line.get_color() for line in ax.lines if np.isfinite(line.get_xdata()).any()
        } & set(style.PREDICTOR_COLOURS.values())
        assert finite == {style.PREDICTOR_COLOURS[name] for name in {*RANKED, *controls}}
    (legend,) = draw_correlation_by_detection(genes).legends
    entries = [text.get_text() for text in legend.get_texts()]
    assert len(entries) == len({*RANKED, *controls})
    assert (
        entries[0] == "model (199; 199)"
    )  # the shut output has no correlation, and is counted out


def test_genes_that_the_model_holds_constant_do_not_count_as_its_success():
    genes = recovery_like()[1].copy()
    genes.loc[genes["predictor"] == "model", ["pearson", "within_pearson"]] = np.nan
    few = genes["gene"].isin(["GENE190", "GENE191"]) & (genes["predictor"] == "model")
    genes.loc[few, ["pearson", "within_pearson"]] = 0.999
    figure = draw_correlation_by_detection(genes)
    assert figure.axes[0].get_title("left") == "pooled: model above in 1% of 200 genes"
    assert "1% of genes within sections, 1% pooled" in title_of(figure)


def test_each_model_has_its_own_blue():
    blues = {"paper": "#0072B2", "strict": "#08306B"}
    panels = draw_recovered(two_models(), 0.91, blues), draw_strata(two_models(), blues)
    for figure, columns in zip(panels, (2, 4), strict=True):
        marks = [{line.get_color() for line in ax.lines} & {*blues.values()} for ax in figure.axes]
        assert marks == [{colour} for colour in blues.values() for _ in range(columns)]
        (legend,) = figure.legends
        drawn = [line.get_color() for line in legend.findobj(Line2D)]
        assert drawn[:2] == [*blues.values()] and not {*blues.values()} & {*drawn[2:]}
    detection = draw_correlation_by_detection(recovery_like()[1], "#08306B")
    training = draw_training(history_like(), TRAINED, "paper", SQUARED_ERROR, "#08306B")
    for figure in (detection, training):
        drawn = {line.get_color() for line in figure.axes[0].lines}
        assert "#08306B" in drawn and style.PREDICTOR_COLOURS["model"] not in drawn


def test_models_of_one_cohort_stand_together():
    models = [two_models().assign(cohort=cohort) for cohort in ("atlas", "breast")]
    mixed = pd.concat(models).sort_values("model", kind="stable")
    titles = [ax.get_title("left").split(": ")[0] for ax in draw_recovered(mixed, 0.91).axes[::2]]
    names = [(cohort, model) for cohort in ("atlas", "breast") for model in ("paper", "strict")]
    assert titles == [style.group_title(pair) for pair in names]


def test_the_error_of_the_neighbour_mean_is_the_unit():
    relative = draw_strata(recovery_like()[0]).axes[1]
    colour = style.PREDICTOR_COLOURS["neighbour_mean"]
    (line,) = [line for line in relative.lines if line.get_color() == colour]
    filled = line.get_ydata()[np.isfinite(line.get_ydata())]
    assert len(filled) > 2
    np.testing.assert_allclose(filled, 1)


def test_intervals_of_two_patients_are_not_drawn():
    summary = recovery_like()[0]
    whole = summary["stratum_kind"] == "all"
    lines = [
        sum(len(line.get_xdata()) == 2 and line.get_lw() == 0.8 for line in ax.lines)
        for n in (2, 3)
        for ax in draw_recovered(summary[whole].assign(patients_n=n), 0.91).axes[:1]
    ]
    assert lines[0] == 0 < lines[1]


def test_genes_outside_the_axis_are_counted():
    genes = recovery_like()[1].copy()
    genes.loc[(genes["predictor"] == "model") & (genes["gene"] == "GENE7"), "pearson"] = -1.0
    figure = draw_correlation_by_detection(genes)
    triangles = [{line.get_marker(): line.get_ydata() for line in ax.lines} for ax in figure.axes]
    assert triangles[0]["v"] == [figure.axes[0].get_ylim()[0]] and "v" not in triangles[1]
    for ax, found in zip(figure.axes, triangles, strict=True):
        number = sum(len(found[marker]) for marker in "v^" if marker in found)
        words = f"\n{beyond_words(number, 'gene')}" if number else "genes"
        assert ax.get_title("left").endswith(words)
    assert figure.axes[0].get_ylim()[0] > -0.5


def test_maps_run_downwards_with_a_colour_scale_for_the_truth_and_one_for_predictions():
    figure = draw_maps(maps_like(3))
    panels = figure.axes[:9]
    assert all(ax.get_aspect() == 1 for ax in panels)
    assert all(ax.yaxis_inverted() for ax in panels)
    limits = [ax.collections[0].get_clim() for ax in panels]
    assert limits[3:6] == limits[6:9] != limits[0:3]
    assert limits[0] == (0, 1) and limits[1] != limits[2]


def test_a_gene_of_few_spots_is_on_the_scale_of_those_spots():
    """The 99th percentile of all spots would be 0, and any count off the scale."""
    maps = maps_like(1)
    maps["truth"] = np.where(np.arange(len(maps)) < 2, [0.7, 1.4] * (len(maps) // 2), 0.0)
    bar = draw_maps(maps).axes[0].collections[0]
    assert 1.3 < bar.get_clim()[1] <= 1.4
    assert bar.colorbar.extend == "max"  # the highest is beyond the 99th percentile, and marked


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


# Machado, Oliveira and Fernandes (2009), severity 1: doi:10.1109/TVCG.2009.113
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


@pytest.mark.parametrize("vision", [np.eye(3), DEUTERANOPIA], ids=["full", "deuteranopia"])
def test_predictors_are_told_apart(vision):
    drawn = {*PREDICTORS, *(name for own in SETTINGS.values() for name in own)}
    assert set(style.PREDICTOR_COLOURS) == drawn == set(style.PREDICTOR_NAMES)
    assert len(set(style.PREDICTOR_MARKERS.values())) == len(drawn)
    seen = [
        np.clip(vision @ linear(c), 0, 1) ** (1 / 2.2) for c in style.PREDICTOR_COLOURS.values()
    ]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(distances) > 0.1


def test_the_readers_own_settings_change_nothing(tmp_path):
    import matplotlib as mpl

    written = []
    for settings in ({}, {"font.size": 30, "axes.facecolor": "red"}):
        with mpl.rc_context(settings):
            style.save(draw_coherence(coherence_like()), tmp_path / "x.pdf", tmp_path / "x.png")
        written.append((tmp_path / "x.png").read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_scripts_draw_from_files(name, repo, tmp_path):
    summary, genes = recovery_like()
    tables = {
        "qc": qc_like(),
        "detection": genes,
        "maps": maps_like(),
        "coherence": coherence_like(),
        "history": history_like(),
        "summary": summary,
    }
    for key, table in tables.items():
        write_table(table, tmp_path / f"{key}.tsv.gz")
    (tmp_path / "training.json").write_text(json.dumps(TRAINED))
    rows = [{"sample": "S1", "technology": "Visium"}]
    write_tissues(tmp_path / "tissues.h5", [write_image(tmp_path / "S1.h5ad")], rows)
    inputs = SimpleNamespace(
        table=tmp_path / f"{name}.tsv.gz",
        tables=[tmp_path / "summary.tsv.gz"],
        reported=repo / "resources/reported.tsv",
        history=tmp_path / "history.tsv.gz",
        summary=tmp_path / "training.json",
        tissues=tmp_path / "tissues.h5",
    )
    output = SimpleNamespace(pdf=tmp_path / "out.pdf", png=tmp_path / "out.png")
    job = SimpleNamespace(input=inputs, output=output, rule=name, log=[tmp_path / "log"])
    job.wildcards, job.params = (
        SimpleNamespace(model="paper"),
        SimpleNamespace(
            network="gcn",
            catalogue={},
            titles={"paper": "SAGE-FM (ours)"},
            title="SAGE-FM (ours)",
            colours={"SAGE-FM (ours)": "#3F8FD0"},
            colour="#3F8FD0",
            organs=["Breast"],
        ),
    )
    script = repo / f"workflow/scripts/{SCRIPTS[name]}.py"
    runpy.run_path(str(script), init_globals={"snakemake": job})
    assert output.pdf.stat().st_size > 1000 and output.png.stat().st_size > 1000
    assert len(script.read_text().splitlines()) < 40


PERTURBED = [f"perturbation/{kind}" for kind in ("doses", "distributions", "directions", "maps")]


@pytest.mark.parametrize(
    "name",
    [*CAPTIONS.values(), "report/workflow", "imputation/imputation", "screen/screen", *PERTURBED],
)
def test_captions_are_sound_rst(name, repo, tmp_path):
    (tmp_path / "demo/overview").mkdir(parents=True)
    (tmp_path / "demo/overview/summary.html").write_text("<p>What held.</p>")
    config = {
        "results": str(tmp_path),
        "run": "demo",
        "cohorts": {"atlas": {"title": None}, "breast": {"title": "labelled"}},
        "models": {"paper": {"title": "the recipe"}, "strict": {"title": None}},
        "split": {"seed": 1},
        "recovery": {"seed": 2},
        "imputation": {"settings": ["systematic", "as_released"]},
        "perturbation": {"spots": 80, "levels_over": "scored", "hidden": "table"},
    }
    names = {"cohort": "breast", "model": "paper", "pairs": "hallmark"}
    params = {"named": [["A", "B"]], "title": "SAGE-FM"}
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    text = environment.from_string((repo / f"workflow/report/{name}.rst").read_text()).render(
        snakemake={"wildcards": names, "config": config, "params": params}
    )
    strict = {"halt_level": 2, "report_level": 2}  # a warning is an error
    body = publish_parts(text, writer="html", settings_overrides=strict)["body"]
    assert "<p>" in body and "{{" not in body
