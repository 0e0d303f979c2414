# The config and the sheets, read once; names and helpers that every chapter uses.

import gc
import sys
from functools import partial, reduce
from pathlib import Path

import pandas as pd
from snakemake.exceptions import WorkflowError

# Snakemake makes a million small objects that live to the end: to look them over as often as Python
# does by itself is a sixth of the time of the paper's dry run.
gc.set_threshold(500_000, 50, 50)

# The repository, wherever the Snakefile is that Snakemake was started with.
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
from sagefm.representations.catalogue import describe_models
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
    """The raw file of an entry of the config that says where it is published; None if it does not."""
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
    check_references(config, SHEETS)
    check_keys(SHEETS)
    check_classes(config, check_label_tables(config, SHEETS))
    RUN = Run(config, SHEETS)
    check_arrays(RUN)
    check_genes(config)
    N_GENES = len(read_panel(config["panel"]))
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
    """A file of the user's or the repository's as an input; none if there is no path.

    Its time and where the working directory is do not count, as a move, a copy or a clone changes
    them; what is in it does, by `contents_of`.
    """
    file, here = Path(path or "."), Path.cwd()
    return (
        ancient(str(file.relative_to(here) if file.is_relative_to(here) else file)) if path else []
    )


def contents_of(*paths):
    """A param beside inputs of `given`: what is in them. What was fetched is held to its checksum."""
    known = [path for path in paths if path and not Path(path).is_relative_to(RAW.folder)]
    return [content_state(path) for path in known]


def repository_file(path):
    """A file of this repository as an input, see `given`."""
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
    """The names of models for readers, by those of the config."""
    return {model: RUN.model_title(model) for model in models}


def own_title(wildcards):
    """The name for readers of a rule's model, as `titles_of` has it."""
    return titles_of(wildcards.model)


def perturbed_labels(figure, wildcards):
    """What the report says beside a figure of perturbed pairs."""
    return {
        "figure": figure,
        "pairs": wildcards.pairs,
        "model": RUN.model_title(wildcards.model),
        "cohort": wildcards.cohort,
    }


def one_of(names):
    """A pattern that matches these names and nothing else."""
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
    """A function of a rule's wildcards: what its script, by path, and modules that it loads by name do.

    See `code_state`; a name may be a function of the wildcards.
    """

    def state(wildcards):
        return code_state(*(name(wildcards) if callable(name) else name for name in names))

    return state


ROWS = {cohort: sheet.to_dict("index") for cohort, sheet in SHEETS.items()}


def row_of(wildcards):
    """The sheet's row of a sample."""
    return ROWS[wildcards.cohort][wildcards.sample]


def read_by(wildcards):
    """What a sample's reading takes of its row: to describe it otherwise does not read it again."""
    return {name: value for name, value in row_of(wildcards).items() if name in READ_BY}


def of_model(*keys):
    """A function of a rule's wildcards: the value of a key of the model's entry, or of a key in it."""
    return lambda wildcards: reduce(lambda entry, key: entry[key], keys, MODELS[wildcards.model])


def network_file(wildcards):
    """The file of a model's network, which is loaded by name; for `code_of`."""
    return NETWORKS.file(MODELS[wildcards.model]["network"])


def first(names):
    """The first of some names; None if there is none."""
    return next(iter(names), None)


def wanted(key, names):
    """No file; a sentence where a target is asked for that the config gives nothing to do."""

    def nothing(wildcards):
        if not names:
            raise WorkflowError(f"config, at {key}: this target needs at least one. Fix: name one.")
        return []

    return nothing


def label_table_of(cohort):
    """The table of a cohort's labels: the user's own, or one made of raw files; none if it has none."""
    own = given(config["cohorts"][cohort]["labels"])
    return f"{RESULTS}/labels/{cohort}.tsv" if cohort in LABEL_FILES else own


def spot_labels_of(cohort):
    """The labels of a cohort's spots; none if it has none."""
    return f"{RESULTS}/cohorts/{cohort}/labels.tsv.gz" if label_table_of(cohort) else []


def catalogue_of(cohort):
    """What figures and claims need of the representations of a cohort, beside the registry's."""
    return {name: DESCRIBED[name] for name in RUN.representations(cohort) if name in DESCRIBED}


def per_sample(pattern, cohorts, **wildcards):
    """A pattern's path for every sample of some cohorts."""
    return [
        pattern.format(cohort=cohort, sample=sample, **wildcards)
        for cohort, sample in RUN.samples(cohorts)
    ]


def seen_of(model, cohort):
    """Of whose patients a model has learnt, a cohort's among them: its split, if it is of it."""
    folder = f"{RESULTS}/models/{model}"
    if cohort is None or cohort in MODELS[model]["pretrain_on"]:
        return f"{folder}/split.tsv"
    return f"{folder}/seen/{cohort}.tsv"


def trainings_of(models):
    """How the training of those models ended that were trained here."""
    trained = [model for model in models if model in TRAINED]
    return expand(f"{RESULTS}/models/{{model}}/training.json", model=trained)


def judged_inputs(models, cohort):
    """What a claim needs to know of models: `seen_of`, and `trainings_of`."""
    return {
        "splits": [seen_of(model, cohort) for model in models],
        "trainings": trainings_of(models),
    }


def judged_on(cohort, models):
    """The params of a claim that is judged on a cohort, beside `judged_inputs`."""
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
    """Register figures, tables or claims as results of the run, below the rule that makes them.

    The report contains all of them; the scoreboard is made from the claims.
    """
    for kind, paths in files.items():
        DELIVERIES[kind] += paths


SAMPLE = f"{RESULTS}/samples/{{cohort}}/{{sample}}.h5ad"
GRAPHS = f"{RESULTS}/graphs/{{graph}}/{{cohort}}"


TISSUES = f"{RESULTS}/cohorts/{{cohort}}/tissues.h5"
GENE_SUMS = f"{RESULTS}/cohorts/{{cohort}}/genes_{{normalisation}}.npz"


def gene_sums_of(cohorts, model):
    """Sums of genes of some cohorts, normalised as a model has it."""
    normalisation = MODELS[model]["normalisation"]
    return expand(GENE_SUMS, cohort=cohorts, normalisation=normalisation)


def samples_of(cohorts):
    """The harmonised samples of some cohorts."""
    return per_sample(SAMPLE, cohorts)


def graphs_of(cohorts, graph):
    """The folders with one kind of graph of the samples of some cohorts, for `graph_files`."""
    return [GRAPHS.format(graph=graph, cohort=cohort) for cohort in cohorts]


def checkpoints_of(model):
    """The best and the last checkpoint of a trained model; none of None."""
    return [f"{RESULTS}/models/{model}/{name}.pt" for name in ("best", "last")] if model else []


def task_representation(wildcards):
    """A representation's file: of all genes, or without those that made the task's labels."""
    cohort, genes = RUN.task_cohort(wildcards.task), RUN.task_genes(wildcards.task)
    return f"{RESULTS}/representations/{cohort}/{genes}/{wildcards.representation}.h5ad"


def task_keys(task, *keys):
    """Some keys of a task's entry."""
    return {key: TASKS[task][key] for key in keys}


def task_plan(wildcards):
    """What `annotation.predict.AnnotationPlan` takes."""
    keys = ["protocols", "classifiers", "centred", "repeats", "seed", "class_weight"]
    return task_keys(wildcards.task, *keys)


def file_of_format(wildcards):
    """The file that reads a sample's format, and no other's: a new one reads no section anew."""
    return FORMATS.file(FORMATS_OF[wildcards.cohort][wildcards.sample])


def withheld_of(wildcards):
    """The list of genes to withhold from a representation; none for `all-genes`."""
    task = wildcards.genes.removeprefix("without-")
    return [] if wildcards.genes == "all-genes" else [f"{RESULTS}/tasks/{task}/withheld.txt"]


def entry_of(wildcards):
    """The entry of a method, with the files of the cohort."""
    return on_cohort(wildcards.method, METHODS[wildcards.method], wildcards.cohort)


def own_files(wildcards):
    """The user's own file or matrix that a representation is made by; none of a known method.

    A file's code is compared by what it does, not by its time.
    """
    entry = entry_of(wildcards)
    return given(entry.get("file") or entry.get("h5ad"))


def read_of(wildcards):
    """What the method of a representation reads beside expression: `patients`, `labels`."""
    return reads(wildcards.method, METHODS[wildcards.method])


def labels_read(wildcards):
    """The labels of a cohort's spots, if the method of a representation reads them."""
    return [spot_labels_of(wildcards.cohort)] if "labels" in read_of(wildcards) else []


def rows_read(wildcards):
    """The sheet's rows of a cohort, if the method of a representation reads them."""
    return RUN.rows([wildcards.cohort]) if read_of(wildcards) else []


def mapped(wildcards):
    """The representations of a cohort whose clusters are drawn beside the labels."""
    return RUN.mapped_representations(wildcards.cohort)


def screened_labels(cohort):
    """The labels of a cohort's spots, if they are what its screen is by."""
    return spot_labels_of(cohort) if SCREEN["context"] == "label" else []


def responses_shown(cohort):
    """The tables of pairs whose perturbations of the headline model a cohort's page shows."""
    perturbed = HEADLINE in PERTURBED_MODELS and cohort in PERTURBATION["cohorts"]
    return list(PAIRS) if perturbed else []


def explored_tasks(cohort):
    """The tasks that say something of a cohort's spots, each with the representations it is from."""
    own = [task for task in TASKS if RUN.task_cohort(task) == cohort]
    compared = [(task, name) for task in own for name in RUN.task_representations(task)]
    predicting = [task for task in TASKS if cohort in RUN.predicted(task)]
    return compared + [(t, f"sagefm-{model}") for t in predicting for model in RUN.task_models(t)]


def predictions_on(wildcards):
    """The classes of a cohort's spots, of each of `explored_tasks`: held out, or without labels."""
    cohort = wildcards.cohort
    return [
        f"{RESULTS}/tasks/{task}/{name}/"
        + ("predictions" if RUN.task_cohort(task) == cohort else f"predicted/{cohort}")
        + ".tsv.gz"
        for task, name in explored_tasks(cohort)
    ]


def clustered(cohort):
    """The representations whose clusters there are: all, if the cohort is clustered."""
    return RUN.representations(cohort) if cohort in CLUSTERED else []
