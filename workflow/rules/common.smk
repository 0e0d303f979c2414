# Reads the config and the sheets once, and defines names and helpers for every chapter.

import gc
import sys
from functools import reduce
from pathlib import Path

import pandas as pd
from snakemake.exceptions import WorkflowError

# Snakemake makes a million small objects that exist until the end. With Python's default settings,
# garbage collection takes a sixth of the time of the paper's dry run.
gc.set_threshold(500_000, 50, 50)

# The repository, whichever Snakefile was used to start Snakemake.
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parents[1]

try:
    from sagefm.common.code import code_state, is_installed_from
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"{sys.executable}: the package `{error.name}` is not installed. Fix: run `make env` and "
        f"start `.venv/bin/snakemake`, or run `pip install -e {ROOT}`."
    )
if not is_installed_from(ROOT / "workflow/sagefm"):
    raise WorkflowError(
        f"{sys.executable}: the installed `sagefm` is not the library in {ROOT}/workflow. "
        f"Fix: run `make env` there, or `pip install -e {ROOT}`."
    )

from sagefm.preflight.config import check_config, check_references, check_written
from sagefm.preflight.classes import check_classes
from sagefm.preflight.data import (
    check_arrays,
    check_genes,
    check_keys,
    check_label_tables,
)
from sagefm.preflight.representations import check_memory
from sagefm.preflight.splits import SCORING, check_splits, small_tests
from sagefm.cohorts.formats.registry import sheet_formats
from sagefm.common.errors import InputError
from sagefm.common.io import require_writable
from sagefm.networks.registry import NETWORKS, describe
from sagefm.representations.catalogue import Catalogue, describe_models
from sagefm.representations.registry import (
    compared_as,
    described,
    differs,
    file_of,
    held_bytes,
    on_cohort,
    reads,
)
from sagefm.common.contents import content_state
from sagefm.plotting.colours import model_colours
from sagefm.report.provenance import code_version
from sagefm.sections.genes import read_panel
from sagefm.downloads.plan import RawPlan
from sagefm.config.continued import complete_models
from sagefm.config.schemas import load_schema, set_defaults
from sagefm.config.run import Run
from sagefm.stats.patients import name_patients
from sagefm.config.sheets import READ_BY, read_label_files, read_samples


def published_at(entry):
    """Return the raw file of a config entry that gives its address; None if the entry gives none."""
    for source in ("url", "git_lfs"):
        if address := entry.get(source):
            return RAW.path(source, address, entry.get("sha256"))
    return None


try:
    for path in workflow.configfiles:
        check_written(path)
    check_config(config)
    complete_models(config["models"])
    set_defaults(config, load_schema("config"))
    SHEETS = {
        name: read_samples(cohort["samples"], name).set_index("sample", drop=False)
        for name, cohort in config["cohorts"].items()
    }
    LABEL_FILES = {
        name: read_label_files(cohort["raw_labels"]["files"], name, SHEETS[name])
        for name, cohort in config["cohorts"].items()
        if cohort["raw_labels"]
    }
    # The Snakemake of a cluster's job reads what that of the run has checked.
    if workflow.is_main_process:
        check_references(config, SHEETS)
        check_keys(SHEETS)
        check_classes(config, check_label_tables(config, SHEETS))
    RUN = Run(config, SHEETS)
    check_arrays(RUN)
    check_genes(config)
    N_GENES = len(read_panel(config["panel"]))
    if workflow.is_main_process:
        check_memory(RUN, N_GENES)
        check_splits(config, SHEETS)
    RAW = RawPlan(config["downloads"]["folder"])
    for cohort, sheet in [*SHEETS.items(), *LABEL_FILES.items()]:
        RAW.add_sheet(sheet.to_dict("records"), cohort)
    FORMATS_OF = {
        cohort: sheet_formats(sheet.to_dict("records"), RAW.section, cohort)
        for cohort, sheet in SHEETS.items()
    }
    for model in config["models"].values():
        published_at(model["released"] or {})
    for pairs in config["perturbation"]["pairs"].values():
        published_at(pairs)
    published_at(config["conformance"]["embeddings"] or {})
except InputError as error:
    raise WorkflowError(str(error))


# Only `--sdm apptainer` reads it.
container: config["container"]


def given(path):
    """Return a file of the user or the repository as an input; an empty list if there is no path.

    Its time and the working directory are ignored, since moving, copying or cloning changes them.
    Its content counts, through `contents_of`.
    """
    file, here = Path(path or "."), Path.cwd()
    return (
        ancient(str(file.relative_to(here) if file.is_relative_to(here) else file)) if path else []
    )


def contents_of(*paths):
    """Return a param for inputs of `given`: their contents. Fetched files have checksums already."""
    known = [path for path in paths if path and not Path(path).is_relative_to(RAW.folder)]
    return [content_state(path) for path in known]


def repository_file(path):
    """Return a file of this repository as an input; see `given`."""
    return given(ROOT / path)


RESULTS = f"{config['results']}/{config['run']}"
REPORTED = repository_file("resources/reported.tsv")
MODELS = config["models"]
RELEASED, TRAINED, HEADLINE = RUN.released, RUN.trained, RUN.headline
JUDGED = RUN.judged
METHODS = config["representations"]["methods"]
DESCRIBED = described(METHODS) | describe_models(MODELS, RUN.model_titles)
TASKS = config["tasks"]


def titles_of(*models):
    """Map names of models in the config to those for readers."""
    return {model: RUN.model_title(model) for model in models}


def own_title(wildcards):
    """Return the name for readers of a rule's model."""
    return RUN.model_title(wildcards.model)


BLUES = model_colours(MODELS)


def own_colour(wildcards):
    """Return the colour of a rule's model, the same in all figures of the run."""
    return BLUES[wildcards.model]


def colours_of(*models):
    """Map names of models for readers to their colours."""
    return {RUN.model_title(model): BLUES[model] for model in models}


def labelled(figure):
    """Return a function of wildcards that gives the report's labels of a figure of a model."""

    def labels(wildcards):
        own = {"figure": figure, **dict(wildcards.items())}
        return own | {"model": RUN.model_title(wildcards.model)}

    return labels


def one_of(names):
    """Return a pattern that matches exactly these names."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    cohort=one_of(SHEETS),
    sample="|".join(one_of(sheet.index) for sheet in SHEETS.values()),
    graph=one_of(config["graphs"]),
    model=one_of(MODELS),
    method=one_of(METHODS),
    representation=one_of(
        [*METHODS, *RUN.untrained_networks, *(f"sagefm-{model}" for model in MODELS)]
    ),
    task=one_of(TASKS),
    pairs=one_of(config["perturbation"]["pairs"]),
    normalisation=one_of(sorted({"log1p", *(model["normalisation"] for model in MODELS.values())})),
    genes=one_of(["all-genes", *(f"without-{task}" for task in TASKS)]),


def code_of(*names):
    """Return a function of wildcards: the state of a script's code and of modules it loads by name.

    See `code_state`. A name may itself be a function of the wildcards.
    """

    def state(wildcards):
        return code_state(*(name(wildcards) if callable(name) else name for name in names))

    return state


ROWS = {cohort: sheet.to_dict("index") for cohort, sheet in SHEETS.items()}


def row_of(wildcards):
    """Return a sample's row of the sheet."""
    return ROWS[wildcards.cohort][wildcards.sample]


def read_by(wildcards):
    """Return the columns of a sample's row that affect reading; changing others rereads nothing."""
    return {name: value for name, value in row_of(wildcards).items() if name in READ_BY}


def of_model(*keys):
    """Return a function of wildcards: the value of a key, possibly nested, of the model's entry."""
    return lambda wildcards: reduce(lambda entry, key: entry[key], keys, MODELS[wildcards.model])


def network_file(wildcards):
    """Return the file of a model's network, which is loaded by name, for `code_of`."""
    return NETWORKS.file(MODELS[wildcards.model]["network"])


def first(names):
    """Return the first name, or None."""
    return next(iter(names), None)


def wanted(key, names):
    """Return an input without files that raises an error if the config gives a target no work."""

    def nothing(wildcards):
        if not names:
            raise WorkflowError(f"config, at {key}: this target needs at least one. Fix: name one.")
        return []

    return nothing


def label_table_of(cohort):
    """Return a cohort's label table, given or made from raw files; an empty list if it has none."""
    own = given(config["cohorts"][cohort]["labels"])
    return f"{RESULTS}/labels/{cohort}.tsv" if cohort in LABEL_FILES else own


def spot_labels_of(cohort):
    """Return the labels of a cohort's spots; an empty list if it has none."""
    return f"{RESULTS}/cohorts/{cohort}/labels.tsv.gz" if label_table_of(cohort) else []


def catalogue_of(cohort):
    """Return descriptions of a cohort's representations that are not in the registry."""
    return {name: DESCRIBED[name] for name in RUN.representations(cohort) if name in DESCRIBED}


def per_sample(pattern, cohorts, **wildcards):
    """Fill in a path pattern for every sample of some cohorts."""
    return [
        pattern.format(cohort=cohort, sample=sample, **wildcards)
        for cohort, sample in RUN.samples(cohorts)
    ]


def seen_of(model, cohort):
    """Return the table of patients of a cohort that a model has seen: its split, if trained on it."""
    folder = f"{RESULTS}/models/{model}"
    if cohort is None or cohort in MODELS[model]["pretrain_on"]:
        return f"{folder}/split.tsv"
    return f"{folder}/seen/{cohort}.tsv"


def trainings_of(models):
    """Return the files on how training ended, for models trained in this run."""
    trained = [model for model in models if model in TRAINED]
    return expand(f"{RESULTS}/models/{{model}}/training.json", model=trained)


def judged_inputs(models, cohort):
    """Return the inputs of a claim about models: `seen_of` and `trainings_of`."""
    return {
        "splits": [seen_of(model, cohort) for model in models],
        "trainings": trainings_of(models),
    }


def judged_on(cohort, models):
    """Return the params of a claim that is judged on a cohort, in addition to `judged_inputs`."""
    return {
        "models": {model: MODELS[model]["pretrain_on"] for model in models},
        "trained": [model for model in models if model in TRAINED],
        "cohort": cohort,
        "title": RUN.cohort_title(cohort),
        "paper_data": RUN.is_paper_data(cohort),
        "rows": RUN.rows([cohort] if cohort else []),
    }


DELIVERIES = {"figures": [], "tables": [], "claims": []}


def deliver(**files):
    """Register figures, tables or claims as results of the run, after the rule that makes them.

    The report contains all of them; the scoreboard is made from the claims.
    """
    for kind, paths in files.items():
        DELIVERIES[kind] += paths


SAMPLE = f"{RESULTS}/samples/{{cohort}}/{{sample}}.h5ad"
GRAPHS = f"{RESULTS}/graphs/{{graph}}/{{cohort}}"


TISSUES = f"{RESULTS}/cohorts/{{cohort}}/tissues.h5"
GENE_SUMS = f"{RESULTS}/cohorts/{{cohort}}/genes_{{normalisation}}.npz"


def gene_sums_of(cohorts, model):
    """Return the gene sums of some cohorts, with a model's normalisation."""
    normalisation = MODELS[model]["normalisation"]
    return expand(GENE_SUMS, cohort=cohorts, normalisation=normalisation)


def samples_of(cohorts):
    """Return the harmonised samples of some cohorts."""
    return per_sample(SAMPLE, cohorts)


def graphs_of(cohorts, graph):
    """Return the folders with one graph of some cohorts' samples, for `graph_files`."""
    return [GRAPHS.format(graph=graph, cohort=cohort) for cohort in cohorts]


def checkpoints_of(model):
    """Return the best and the last checkpoint of a trained model; an empty list for None."""
    return [f"{RESULTS}/models/{model}/{name}.pt" for name in ("best", "last")] if model else []


def task_representation(wildcards):
    """Return a representation's file: with all genes, or without those used for the task's labels."""
    cohort, genes = RUN.task_cohort(wildcards.task), RUN.task_genes(wildcards.task)
    return f"{RESULTS}/representations/{cohort}/{genes}/{wildcards.representation}.h5ad"


def task_keys(task, *keys):
    """Return some keys of a task's entry."""
    return {key: TASKS[task][key] for key in keys}


def task_plan(wildcards):
    """Return the arguments of `annotation.predict.AnnotationPlan`."""
    keys = ["protocols", "classifiers", "centred", "repeats", "seed", "class_weight"]
    return task_keys(wildcards.task, *keys)


def file_of_format(wildcards):
    """Return the file of a sample's format only, so that a new format rereads no section."""
    return FORMATS.file(FORMATS_OF[wildcards.cohort][wildcards.sample])


def withheld_of(wildcards):
    """Return the list of genes to withhold from a representation; no file for `all-genes`."""
    task = wildcards.genes.removeprefix("without-")
    return [] if wildcards.genes == "all-genes" else [f"{RESULTS}/tasks/{task}/withheld.txt"]


def entry_of(wildcards):
    """Return the entry of a method, with the files of the cohort."""
    return on_cohort(wildcards.method, METHODS[wildcards.method], wildcards.cohort)


def own_files(wildcards):
    """Return the user's file or matrix for a representation; an empty list for a known method.

    A file's code is compared by what it does, not by its time.
    """
    entry = entry_of(wildcards)
    return given(entry.get("file") or entry.get("h5ad"))


def read_of(wildcards):
    """Return what a representation's method reads besides expression: `patients`, `labels`."""
    return reads(wildcards.method, METHODS[wildcards.method])


def labels_read(wildcards):
    """Return the labels of a cohort's spots, if the representation's method reads them."""
    return [spot_labels_of(wildcards.cohort)] if "labels" in read_of(wildcards) else []


def rows_read(wildcards):
    """Return a cohort's rows of the sheet, if the representation's method reads them."""
    return RUN.rows([wildcards.cohort]) if read_of(wildcards) else []


def mapped(wildcards):
    """Return a cohort's representations whose clusters are drawn next to the labels."""
    return RUN.mapped_representations(wildcards.cohort)


def screened_labels(cohort):
    """Return the labels of a cohort's spots, if they are the contexts of its screen."""
    return spot_labels_of(cohort) if SCREEN["context"] == "label" else []


def responses_shown(cohort):
    """Return the pair tables whose responses in the headline model are on a cohort's page."""
    perturbed = HEADLINE in PERTURBED_MODELS and cohort in PERTURBATION["cohorts"]
    return list(PAIRS) if perturbed else []


def explored_tasks(cohort):
    """Return tasks that classify a cohort's spots, each with a representation that it uses."""
    own = [task for task in TASKS if RUN.task_cohort(task) == cohort]
    compared = [(task, name) for task in own for name in RUN.task_representations(task)]
    predicting = [task for task in TASKS if cohort in RUN.predicted(task)]
    return compared + [(t, f"sagefm-{model}") for t in predicting for model in RUN.task_models(t)]


def predictions_on(wildcards):
    """Return predictions for a cohort's spots by `explored_tasks`: held out, or without labels."""
    cohort = wildcards.cohort
    return [
        f"{RESULTS}/tasks/{task}/{name}/"
        + ("predictions" if RUN.task_cohort(task) == cohort else f"predicted/{cohort}")
        + ".tsv.gz"
        for task, name in explored_tasks(cohort)
    ]


def clustered(cohort):
    """Return the representations that have clusters: all, if the cohort is clustered."""
    return RUN.representations(cohort) if cohort in CLUSTERED else []
