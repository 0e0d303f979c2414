"""The whole workflow on five small real sections, through Snakemake: from raw counts to report."""

import ast
import json
import re
import zipfile
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest

from sagefm.common.io import read_table
from sagefm.networks.base import build_network
from sagefm.networks.checkpoint import save_checkpoint
from sagefm.plotting.colours import PREDICTOR_NAMES
from sagefm.representations.files import read_representation
from support import runs, small

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1600)]  # the first waits for the whole run

MODELS = list(runs.CONFIG["models"])
EMBEDDED = [f"sagefm-{model}" for model in MODELS]
TRAINED = ["paper", "rings"]
REPRESENTATIONS = [*runs.CONFIG["representations"]["methods"], *(f"sagefm-{m}" for m in MODELS)]
TASKS = runs.CONFIG["tasks"]
DIRECTIONS = ("forward", "reverse")
TASK_TABLES = [
    *(f"{name}.tsv" for name in ("classes", "genes", "scores", "per_class", "confusion")),
    *(f"{name}.tsv" for name in ("patients", "comparisons", "skipped", "shown")),
    *("labels.tsv.gz", "withheld.txt", "maps.tsv.gz"),
]
PERTURBED = [
    *(f"{kind}{direction}.npz" for kind in ("", "coexpression_") for direction in DIRECTIONS),
    *("pairs.tsv", "levels.tsv.gz", "summary.tsv", "discrimination.tsv", "maps.tsv.gz"),
]
PAIRS, DROPPED = (f"perturbation/breast/mine/{name}.tsv" for name in ("pairs", "dropped"))
RULE = re.compile(r"^rule (\w+):\n((?:[ \t]+.*\n|\n)+)", re.M)
CHAPTERS = (
    "claims",
    "representations",
    "recovery",
    "imputation",
    "clustering",
    "tasks",
    "perturbation",
    "screen",
)
TARGETS = {"all", "results", "impute", "explore", "explore_zarr", "preflight"}
"""Rules that name files and do nothing."""
ON_REQUEST = {
    *("embed_untrained", "conformance", "conformance_figure", "claims_conformance"),
    "impute_sample",
    "explore_cohort",
    "explore_store",
    "label_table",
    "fetch",
    "unpack",
    "lock_data",
    "preflight_checks",
    "preflight_gpu",
}
"""Rules that the whole run does without."""


@pytest.fixture(scope="module")
def board(results) -> pd.DataFrame:
    return read_table(results / "scoreboard.tsv", dtype=str)


# What a run leaves


def test_every_output_is_there(results):
    samples = [f"{c}/{s}" for c, found in runs.SAMPLES.items() for s in found]
    expected = [f"samples/{name}.h5ad" for name in samples]
    for graph in runs.CONFIG["graphs"]:
        expected += [f"graphs/{graph}/{name}.npz" for name in samples]
        expected += [f"graphs/{graph}/{cohort}/.snakemake_timestamp" for cohort in runs.SAMPLES]
    expected += [f"cohorts/{cohort}/tissues.h5" for cohort in runs.SAMPLES]
    for model in MODELS:
        files = ("split.tsv", "best.pt", "recipe.json", "gene_means.tsv")
        expected += [f"models/{model}/{name}" for name in files]
        expected += [
            f"recovery/{model}/breast/{name}"
            for name in ("summary.tsv", "samples.tsv", "patients.tsv", "comparisons.tsv")
        ]
        tables = ("genes.tsv.gz", "spots.tsv.gz", "maps.tsv.gz")
        expected += [f"recovery/{model}/breast/{name}" for name in tables]
    # None of these models is trained on the cohort that it is scored on.
    expected += [f"models/{model}/seen/breast.tsv" for model in MODELS]
    for model in TRAINED:
        expected += [f"models/{model}/{n}" for n in ("last.pt", "history.tsv", "training.json")]
    without = [*TASKS["modules"]["representations"]]
    expected += [f"representations/breast/all-genes/{name}.h5ad" for name in REPRESENTATIONS]
    expected += [f"representations/breast/without-modules/{name}.h5ad" for name in without]
    expected.append("representations/breast/costs.tsv")
    clusters = ("scores.tsv", "clusters.tsv.gz", "skipped.tsv")
    expected += [f"clustering/breast/{r}/{name}" for r in REPRESENTATIONS for name in clusters]
    tables = ("summary.tsv", "comparisons.tsv", "skipped.tsv", "umap.tsv.gz")
    expected += [f"clustering/breast/{name}" for name in tables]
    for task, compared in (("pathology", REPRESENTATIONS), ("modules", without)):
        expected += [f"tasks/{task}/{name}" for name in TASK_TABLES]
        expected += [
            f"tasks/{task}/{r}/{n}" for r in compared for n in ("predictions.tsv.gz", "fits.tsv")
        ]
    expected += [
        f"tasks/modules/sagefm-paper/{name}"
        for name in ("reference.npz", "reference.tsv", "reliability.tsv", "calls.tsv")
    ]
    expected.append("tasks/modules/sagefm-paper/predicted/atlas.tsv.gz")
    expected.append("representations/atlas/without-modules/sagefm-paper.h5ad")
    expected += [f"qc/{cohort}.tsv" for cohort in runs.SAMPLES]
    expected += [f"cohorts/breast/{name}" for name in ("labels.tsv.gz", "labels_matched.tsv")]
    expected += [f"cohorts/{c}/genes_log1p.{s}" for c in runs.SAMPLES for s in ("npz", "tsv.gz")]
    expected += [f"perturbation/breast/mine/{name}.tsv" for name in ("pairs", "dropped")]
    for model in TRAINED:
        expected += [f"imputation/{model}/breast/{name}.tsv" for name in ("samples", "summary")]
        expected += [f"perturbation/{model}/breast/mine/{name}" for name in PERTURBED]
        screened = ("screen.h5ad", "top.tsv.gz", "scores.tsv")
        expected += [f"screen/{model}/breast/{name}" for name in screened]
    expected.append("screen/paper/breast/jacobian.h5")  # `rings` does not collapse
    chapters = ("pretraining", "recovery", "coherence", "clustering", "annotation", "perturbation")
    expected += [f"claims/{name}.tsv" for name in (*chapters, "interpretable")]
    expected += ["coherence/breast.tsv", "scoreboard.tsv", "provenance.json", "report.zip"]
    expected += ["index.html", "overview/summary.html"]
    expected += [f"sections/{cohort}.html" for cohort in runs.SAMPLES]
    expected += ["recovery/transfer.tsv"]
    expected += ["pretraining/organs.tsv", "pretraining/duplicates.tsv"]
    figures = [
        "qc_atlas",
        "qc_breast",
        "pretraining_set",
        "recovered",
        "recovery_strata",
        "coherence_breast",
    ]
    figures += [f"training_{model}" for model in TRAINED]
    figures += [f"clustering_{kind}_breast" for kind in ("metrics", "batch", "umap", "maps")]
    kinds = ("scores", "classes", "confusion", "maps")
    figures += [f"task_{task}_{kind}" for task in TASKS for kind in kinds]
    figures.append("imputation_breast")
    figures += [f"screen_{model}_breast" for model in TRAINED]
    kinds = ("doses", "distributions", "directions", "maps")
    figures += [f"perturbation_{kind}_{m}_breast_mine" for kind in kinds for m in TRAINED]
    figures += [f"recovery_{kind}_{m}_breast" for kind in ("detection", "maps") for m in MODELS]
    pages = ("overview", "recovery", "clustering", "annotation", "perturbation")
    figures += [f"figure_{number}_{name}" for number, name in enumerate(pages, start=1)]
    expected += [f"figures/palettes/{cohort}.tsv" for cohort in runs.SAMPLES]
    expected += [f"overview/{name}.tsv" for name in ("sections", "neighbourhood", "layers")]
    expected += [f"figures/{name}.{suffix}" for name in figures for suffix in ("pdf", "png")]
    expected += ["figures/scoreboard.html", "figures/methods.html", "methods.rst"]
    own = {
        str(path.relative_to(results))
        for path in results.rglob("*")
        if path.is_file()
        and path.relative_to(results).parts[0] not in ("logs", "benchmarks", "imputed", "explore")
    }
    # Nothing is missing, and nothing else is left: no temporary file, no state of a training.
    assert own == set(expected)
    empty = {name for name in own if (results / name).stat().st_size == 0}
    empty = {name for name in empty if not name.endswith(".snakemake_timestamp")}  # its own
    assert empty == {"tasks/pathology/withheld.txt"}  # whose labels are a pathologist's


def test_every_job_left_a_log_and_a_benchmark(run, results):
    text = "".join(path.read_text() for path in (run / "workflow/rules").glob("*.smk"))
    rules = {name for name, _ in RULE.findall(text)} - TARGETS - ON_REQUEST
    for kind, suffix in (("logs", "log"), ("benchmarks", "tsv")):
        found = {
            path.relative_to(results / kind).with_suffix("")
            for path in (results / kind).rglob(f"*.{suffix}")
        }
        assert {path.parts[0] for path in found} - ON_REQUEST == rules
        jobs = dict.fromkeys(rules | ON_REQUEST, 0)
        for path in found:
            jobs[path.parts[0]] += 1
        assert jobs["ingest"] == 5
        assert jobs["graph"] == 4
        assert jobs["pretrain"] == 2
        assert jobs["recovery"] == 3
        assert jobs["embed"] == 3 + 2  # two cohorts without the genes that made labels
        assert jobs["represent"] == 5 + 2
    for path in (results / "benchmarks").rglob("*.tsv"):
        assert pd.read_csv(path, sep="\t")["s"].notna().all()
    for path in (results / "logs").rglob("*.log"):
        assert "Traceback" not in path.read_text()


def test_the_scoreboard(board, results):
    columns = ["claim", "model", "reported", "obtained", "baseline", "n", "verdict", "evidence"]
    columns += ["reason", "outcome", "protocol", "plain", "figure", "score", "alternative", "lead"]
    assert list(board) == columns
    # Both models that are judged, but for the claims that only one of them was computed for.
    assert dict(board["model"].value_counts()) == {"paper": 9, "release": 7, "-": 1}
    assert list(board["verdict"]).count("proxy") == 8 + 5
    assert list(board["verdict"]).count("inconclusive") == 2  # lightweight
    lacking = board[board["verdict"] == "not computed"].set_index("model")["claim"]
    assert lacking["release"].startswith("5 ") and lacking["-"].startswith("Released embeddings")
    board = board.set_index([board["claim"].str[0], "model"])
    assert (board.loc[["2", "3", "6"], "outcome"] == "undecided").all()
    early = board["reason"].str.contains("after 2 epochs")
    assert early.xs("paper", level="model").any() and not early.xs("release", level="model").any()
    recovery = board.loc[[("2", "paper")]].iloc[0]
    patients = read_table(results / "recovery/paper/breast/patients.tsv")
    means = patients.groupby("predictor")["recovered_shared"].mean()
    assert recovery["obtained"].startswith(f"{means.pop('model'):.1%} [")
    best = PREDICTOR_NAMES[means.idxmax()]
    assert recovery["baseline"].startswith(f"{best} {means.max():.1%}")
    assert "471 spots, 2 sections, 2 of 2 patients seen in pretraining" in recovery["n"]
    assert not board.apply(lambda cells: cells.str.contains(r"\bnan\b")).any(axis=None)
    for evidence in board["evidence"]:
        assert evidence == "-" or (results / evidence).is_file()


def test_the_report_holds_the_scoreboard_and_every_figure(results, board):
    with zipfile.ZipFile(results / "report.zip") as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        report = archive.read(next(n for n in names if n.endswith("report.html"))).decode()
        content = {archive.read(name) for name in names if "/data/" in name}
    for path in (results / "figures").glob("*.png"):
        assert path.read_bytes() in content, path.name
    page = (results / "figures/scoreboard.html").read_bytes()
    assert page in content
    for claim in board["claim"]:
        assert claim.replace("<", "&lt;") in page.decode()
    assert "Scoreboard" in report or any("Scoreboard" in name for name in names)


def test_provenance_is_complete(run, results):
    facts = json.loads((results / "provenance.json").read_text())
    samples = {f"{c}/{s}" for c, found in runs.SAMPLES.items() for s in found}
    assert set(facts["data_sha256"]) == samples
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in facts["data_sha256"].values())
    assert all(facts["packages"][name] for name in ("torch", "numpy", "snakemake", "anndata"))
    assert facts["config"]["run"] == "small"
    assert facts["config"]["recovery"]["mask_share"] == 0.3  # defaults are filled in
    assert re.fullmatch("[0-9a-f]{64}", facts["config_sha256"])
    assert str(Path.home()) not in json.dumps(facts["config"])


def test_samples_are_harmonised_and_labelled(run, results):
    genes = (run / "panel.txt").read_text().split()
    for cohort, samples in runs.SAMPLES.items():
        for sample in samples:
            adata = anndata.read_h5ad(results / f"samples/{cohort}/{sample}.h5ad")
            assert list(adata.var_names) == genes
            assert adata.uns["provenance"]["genes_missing"] >= runs.MISSING
            if cohort == "breast":
                labels = read_table(results / "cohorts/breast/labels.tsv.gz", dtype=str)
                own = labels.loc[labels["sample"] == sample, "spot"]
                assert adata.obs_names.isin(own).mean() > 0.9


def test_the_models_learned_and_are_three(results):
    for model in TRAINED:
        history = read_table(results / f"models/{model}/history.tsv")
        assert list(history["epoch"]) == [1, 2]
        assert history["validation_mse"].iloc[1] < history["validation_mse"].iloc[0]
        training = json.loads((results / f"models/{model}/training.json").read_text())
        assert training["epochs"] == 2
        assert training["parameters"] == 400 * 32 + 32 * 16 * 2 + 2 * 16 * 16 + 32 * 400 + 512
    embedded = []
    for model in MODELS:
        path = results / f"representations/breast/all-genes/sagefm-{model}.h5ad"
        embedded.append(read_representation(path).values)
        assert embedded[-1].shape == (471, 32)
        assert np.isfinite(embedded[-1]).all()
    assert not np.allclose(embedded[0], embedded[1])
    assert not np.allclose(embedded[0], embedded[2])


def test_patients_seen_in_pretraining_are_marked(results):
    """The two `breast` patients each have a sister section in `atlas`."""
    split = read_table(results / "models/paper/split.tsv", dtype=str)
    assert sorted(split["part"]) == ["test", "train", "validation"]
    held_out = set(split.loc[split["part"] == "test", "patient"])
    assert (split.loc[split["part"] != "test", "patient_seen"] == "True").all()
    assert (split.loc[split["part"] == "test", "patient_seen"] == "False").all()
    samples = read_table(results / "recovery/paper/breast/samples.tsv")
    for sample, patient in runs.SAMPLES["breast"].items():
        seen = samples.loc[samples["sample"] == sample, "patient_seen"]
        assert (seen == (patient not in held_out)).all()


def test_genes_that_made_labels_are_withheld_from_what_predicts_them(results):
    withheld = (results / "tasks/modules/withheld.txt").read_text().split()
    assert len(withheld) == 30
    for name in TASKS["modules"]["representations"]:
        with_all, without = (
            anndata.read_h5ad(results / f"representations/breast/{genes}/{name}.h5ad")
            for genes in ("all-genes", "without-modules")
        )
        assert without.uns["representation"]["withheld_genes"] == 30
        assert with_all.uns["representation"]["withheld_genes"] == 0
        one, two = with_all.obsm[f"X_{name}"], without.obsm[f"X_{name}"]
        assert one.shape != two.shape or not np.allclose(one, two, atol=1e-4)
    assert (results / "tasks/pathology/withheld.txt").read_text() == ""


def test_a_method_of_one_file_stands_in_every_table(results):
    """`depth` is a file of the user's own, `elsewhere` a matrix: a line each in the config."""
    depth = read_representation(results / "representations/breast/all-genes/depth.h5ad")
    assert depth.values.shape == (471, 1)
    elsewhere = read_representation(results / "representations/breast/all-genes/elsewhere.h5ad")
    places = elsewhere.obs["spot"].astype(str).str.split("x", expand=True).astype(float)
    np.testing.assert_array_equal(elsewhere.values, places)
    for table in ("clustering/breast/summary", "tasks/pathology/scores", "coherence/breast"):
        found = read_table(results / f"{table}.tsv")
        assert {"depth", "elsewhere", "mofa", "sagefm-rings"} <= set(found["representation"]), table
    costs = read_table(results / "representations/breast/costs.tsv").set_index("representation")
    assert list(costs.index) == REPRESENTATIONS
    assert (costs["seconds"] > 0).all()
    trained = costs.index[costs["training_seconds"].notna()]
    assert list(trained) == [f"sagefm-{model}" for model in TRAINED]


def test_a_cohort_without_labels_is_classified(results):
    """By the classifier of all labelled spots, without the genes that made the labels."""
    folder = results / "tasks/modules/sagefm-paper"
    table = read_table(folder / "predicted/atlas.tsv.gz", dtype={"sample": str, "spot": str})
    embedded = results / "representations/atlas/without-modules/sagefm-paper.h5ad"
    assert list(table["sample"] + ":" + table["spot"]) == list(
        anndata.read_h5ad(embedded).obs_names
    )
    classes = set(read_table(results / "tasks/modules/labels.tsv.gz")["label"].dropna())
    assert set(table.filter(regex="^p_")) == {f"p_{name}" for name in classes}
    shares = table.filter(regex="^p_")
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-4)
    assert (table["predicted"] == shares.idxmax(axis=1).str.removeprefix("p_")).all()
    assert (table["confident"] == (shares.max(axis=1) >= 0.3)).all()
    (row,) = read_table(folder / "reference.tsv").to_dict("records")
    assert row["protocol"] == "held_out_patients" and 0 <= row["calibration_error"] <= 1
    assert read_table(folder / "calls.tsv")["share_called"].iloc[0] == 1
    assert "modules" in (results / "sections/atlas.html").read_text()


def test_held_out_patients_are_scored_beside_baselines(results):
    scores = read_table(results / "tasks/pathology/scores.tsv")
    assert set(scores["protocol"]) == {"held_out_patients", "random_spots"}
    for protocol, own in scores.groupby("protocol"):
        assert {"majority", "neighbour_mean", "mofa", *EMBEDDED} <= set(own["representation"])
        assert own["accuracy"].between(0, 1).all(), protocol


def test_pairs_are_perturbed_both_ways(results):
    """The table's pairs go by their own names in both directions, with all their controls."""
    for model in TRAINED:
        folder = results / f"perturbation/{model}/breast/mine"
        pairs, kept = (read_table(path) for path in (folder / "pairs.tsv", results / PAIRS))
        assert pairs[["input", "output"]].equals(kept[["input", "output"]])
        assert len(pairs) + len(read_table(results / DROPPED)) == 40
        summary = read_table(folder / "summary.tsv")
        assert {"forward", "reverse"} <= set(summary["direction"])
        assert {"unmatched", "random", "expression_matched"} <= set(summary["control"])
        levels = read_table(folder / "levels.tsv.gz")
        assert np.isfinite(levels["response"]).all() and levels["level"].nunique() > 3


def test_sections_are_completed_on_request(run, results):
    done = runs.snakemake(run, "impute")
    assert done.returncode == 0, done.stdout
    for sample in runs.SAMPLES["breast"]:
        completed = anndata.read_h5ad(results / f"imputed/paper/breast/{sample}.h5ad")
        predicted = completed.var["predicted"].to_numpy()
        assert predicted.sum() >= runs.MISSING
        assert set(completed.var_names[predicted]) >= {f"NOGENE{i}" for i in range(runs.MISSING)}
        counts = completed.X.toarray()[:, ~predicted]
        measured = completed.layers["expression"][:, ~predicted]
        np.testing.assert_allclose(measured, np.log1p(counts), rtol=1e-5)


# What every rule says of itself


def rules_of(repo: Path):
    for path in [repo / "Snakefile", *sorted((repo / "workflow/rules").glob("*.smk"))]:
        yield from RULE.findall(path.read_text() + "\n")


def test_every_rule_declares_what_it_needs(repo):
    found = dict(rules_of(repo))
    assert len(found) > 20
    assert set(found) >= TARGETS
    for name, body in found.items():
        if name in TARGETS:
            continue
        declared = set(re.findall(r"^    (\w+):", body, re.M))
        wanted = {"input", "output", "log", "benchmark", "threads", "resources", "message"}
        wanted |= {"conda"} if "run" not in declared else set()
        # Raw files are all runs', made of nothing that is here, and timed by their servers.
        if name in {"fetch", "unpack", "lock_data"}:
            wanted -= {"input", "output", "benchmark"}
        if name == "preflight_gpu":  # asks the machine alone
            wanted -= {"input"}
        assert wanted <= declared, (name, wanted - declared)
        resources = re.search(r"^    resources:\n((?:        .*\n)+)", body, re.M)[1]
        functions = r"growing\(|growing_with_features\(|training_memory,|representation_memory,"
        for request in ("mem_mb", "runtime"):  # a job tried again asks for more
            grows = rf"^        {request}=({functions})"
            assert re.search(grows, resources, re.M), (name, request)
        for environment in re.findall(r'conda:\n\s+"\.\./\.\./(envs/\w+\.yaml)"', body):
            assert (repo / environment).is_file()
        for caption in re.findall(r'caption="\.\./(report/[\w/]+\.rst)"', body):
            assert (repo / "workflow" / caption).is_file()
    # What is computed by `run:` cannot have an environment: one rule, which only binds.
    assert [name for name, body in found.items() if "\n    run:" in body] == ["report_zip"]


def test_scripts_are_short_and_used(repo):
    folder = repo / "workflow/scripts"
    rules = [body for _, body in rules_of(repo)]
    named = {s for body in rules for s in re.findall(r"\.\./scripts/([\w/]+\.py)", body)}
    scripts = sorted(folder.rglob("*.py"))
    assert {str(path.relative_to(folder)) for path in scripts} == named
    for path in (repo / "workflow/sagefm").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path.name
    for path in scripts:
        assert not any(
            isinstance(node, ast.FunctionDef | ast.ClassDef)
            for node in ast.walk(ast.parse(path.read_text()))
        ), path.name


# Bad input


@pytest.fixture(scope="module")
def bad(tmp_path_factory) -> Path:
    """A prepared folder to be spoilt; it has no results."""
    return runs.prepare(tmp_path_factory.mktemp("bad") / "run")


def assert_no_results(folder: Path):
    assert not [path for path in (folder / "results").rglob("*") if path.is_file()]


PARSED = {
    "a typo in the config": (
        "config/config.yaml",
        "recovery:\n",
        "recovery:\n  mask_shares: 0.5\n",
        "config, at recovery: unknown key `mask_shares`; did you mean `mask_share`?",
    ),
    "a missing sheet": (
        "config/config.yaml",
        "atlas.tsv",
        "atlass.tsv",
        "sheet atlass.tsv (cohort `atlas`) does not exist (looked from ",
    ),
    "a missing section": (
        "breast.tsv",
        "st/SPA148.h5ad",
        "st/SPA999.h5ad",
        "sample `SPA148`: path_or_id resources/demo/st/SPA999.h5ad does not exist",
    ),
    "a key given twice": (
        "config/config.yaml",
        "run: small\n",
        "run: small\nrun: large\n",
        "config config/config.yaml, line 2: key `run` is given twice, first in line 1",
    ),
    "a label table of something else": (
        "config/config.yaml",
        "resources/demo/labels.tsv",
        "pairs.tsv",
        "pairs.tsv has no column `sample` (it has input, output). Fix: add it, or correct the "
        "path.",
    ),
    "an array that is not known": (
        "breast.tsv",
        "Spatial Transcriptomics",
        "Visum",
        "the sheet gives technology `Visum`, but graph `ring1` of model `rings`",
    ),
    "a cohort that is not defined": (
        "config/config.yaml",
        "- breast",
        "- brest",
        "no cohort `brest` is defined; did you mean `breast`?",
    ),
}


@pytest.mark.parametrize("case", PARSED)
def test_bad_config_and_sheets_end_before_any_job(bad, case):
    name, old, new, words = PARSED[case]
    with runs.edited(bad / name, old, new):
        done = runs.snakemake(bad)
    assert done.returncode != 0
    assert done.stdout.count("WorkflowError") == 1
    assert sum(words in line for line in done.stdout.splitlines()) == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert "Job stats" not in done.stdout
    assert_no_results(bad)


@pytest.mark.parametrize(
    ("target", "config", "key"),
    [
        ("claims_clustering", "clustering={cohorts: []}", "clustering.cohorts"),
        ("claims_recovery", "recovery={cohorts: []}", "recovery.cohorts"),
        ("claims_perturbation", "perturbation={cohorts: []}", "perturbation.cohorts"),
        ("claims_coherence", "representations={cohorts: []}", "representations.cohorts"),
        ("claims_interpretable", "screen={cohorts: []}", "screen.cohorts"),
        ("impute", "imputation={complete: []}", "imputation.complete"),
    ],
)
def test_a_target_the_config_gives_nothing_to_do_is_told_so(bad, target, config, key):
    done = runs.snakemake(bad, target, "--dry-run", "--config", config)
    assert done.returncode != 0
    assert f"config, at {key}: this target needs at least one. Fix: name one." in done.stdout
    assert "Missing input" not in done.stdout


def truncate(path: Path, section: anndata.AnnData):
    section.write_h5ad(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def halve(path: Path, section: anndata.AnnData):
    section.X = section.X.astype(np.float32) / 2
    section.write_h5ad(path)


def to_mouse(path: Path, section: anndata.AnnData):
    section.var_names = section.var_names.str.capitalize()
    section.write_h5ad(path)


def leave_few(path: Path, section: anndata.AnnData):
    section[:9].copy().write_h5ad(path)


READ = {
    "truncated": (truncate, ("truncated.h5ad", "cannot be read as h5ad", "make the file again")),
    "halves": (halve, ("halves.h5ad", "values that are not integers", "store the raw counts")),
    "mouse": (to_mouse, ("panel's 400 genes", "mouse symbols", "give human sections")),
    "few": (leave_few, ("few", "9 spots", "min_spots")),
}


@pytest.fixture(scope="module")
def spoilt(bad) -> tuple[str, Path]:
    """One run over a sheet of bad sections, a good one, and a checkpoint of another panel."""
    rows = [runs.row("good", "resources/demo/st/heart-1.h5ad", "heart-CN73")]
    for name, (spoil, _) in READ.items():
        spoil(bad / f"{name}.h5ad", small.patch("heart-2", 40, 600))
        rows.append(runs.row(name, f"{name}.h5ad"))
    runs.write_sheet(bad / "spoilt.tsv", rows)
    save_checkpoint(bad / "other.pt", build_network("gcn", 7, (4, 4), seed=0))
    config = {
        **runs.CONFIG,
        "run": "spoilt",
        "cohorts": {"atlas": {"samples": "spoilt.tsv"}},
        "models": {"other": {"pretrain_on": ["atlas"], "released": {"path": "other.pt"}}},
        **{chapter: {} for chapter in CHAPTERS},
    }
    runs.write_config(bad, config)
    try:
        targets = [f"results/spoilt/samples/atlas/{row['sample']}.h5ad" for row in rows]
        done = runs.snakemake(bad, *targets, "results/spoilt/models/other/best.pt")
    finally:
        runs.write_config(bad, runs.CONFIG)
    assert done.returncode != 0
    return done.stdout, bad / "results/spoilt"


def assert_one_sentence(log: Path, words: tuple[str, ...], printed: str):
    lines = [line for line in log.read_text().splitlines() if line]
    errors = [line for line in lines if "ERROR:" in line]
    assert len(errors) == 1, lines
    assert lines[-1] == errors[0]
    assert "Traceback" not in "".join(lines)
    assert errors[0].endswith(".")
    for word in words:
        assert word in errors[0]
    assert errors[0] in printed  # where the user is looking


@pytest.mark.parametrize("case", READ)
def test_a_bad_section_ends_in_one_sentence(spoilt, case):
    printed, folder = spoilt
    words = (f"cohort atlas, sample {case}:", *READ[case][1])
    assert_one_sentence(folder / f"logs/ingest/atlas/{case}.log", words, printed)
    assert not (folder / f"samples/atlas/{case}.h5ad").exists()


def test_a_checkpoint_of_another_panel_ends_in_one_sentence(spoilt):
    printed, folder = spoilt
    words = ("other.pt", "predicts 7 genes, but the panel has 400", "Fix: use the panel")
    assert_one_sentence(folder / "logs/released/other.log", words, printed)
    assert not (folder / "models/other/best.pt").exists()


def test_the_others_are_finished_and_nothing_partial_is_left(spoilt):
    _, folder = spoilt
    left = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in ("logs", "benchmarks")
    ]
    assert left == ["samples/atlas/good.h5ad"]
