# The config and the sheets, read once; names and helpers that every chapter uses.

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

LIBRARY = str(Path(workflow.basedir) / "workflow")
sys.path.insert(0, LIBRARY)
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [LIBRARY, os.environ.get("PYTHONPATH")])
)

from sagefm.errors import InputError
from sagefm.modules import module_files
from sagefm.sheets import check_config, check_references, read_samples

try:
    check_config(config)
    validate(config, "../schemas/config.schema.yaml")
    SHEETS = {
        name: read_samples(cohort["samples"], name).set_index("sample", drop=False)
        for name, cohort in config["cohorts"].items()
    }
    check_references(config, SHEETS)
except InputError as error:
    raise WorkflowError(str(error))

RESULTS = f"{config['results']}/{config['run']}"
MODELS = config["models"]
RELEASED = [name for name, model in MODELS.items() if model["released"]]
TRAINED = [name for name in MODELS if name not in RELEASED]
REFERENCES = ["pca", "neighbour_mean"]


def one_of(names):
    """A pattern that matches these names and nothing else."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    cohort=one_of(SHEETS),
    sample="|".join(one_of(sheet.index) for sheet in SHEETS.values()),
    graph=one_of(config["graphs"]),
    model=one_of(MODELS),
    reference=one_of(REFERENCES),


def row_of(wildcards):
    """The sheet's row of a sample."""
    return SHEETS[wildcards.cohort].loc[wildcards.sample].to_dict()


def per_sample(pattern, cohorts, **wildcards):
    """A pattern's path for every sample of some cohorts."""
    return [
        pattern.format(cohort=cohort, sample=sample, **wildcards)
        for cohort in cohorts
        for sample in SHEETS[cohort].index
    ]


SAMPLE = f"{RESULTS}/samples/{{cohort}}/{{sample}}.h5ad"
GRAPH = f"{RESULTS}/graphs/{{graph}}/{{cohort}}/{{sample}}.npz"


def samples_of(cohorts):
    """The harmonised samples of some cohorts."""
    return per_sample(SAMPLE, cohorts)


def graphs_of(cohorts, graph):
    """One kind of graph of the samples of some cohorts."""
    return per_sample(GRAPH, cohorts, graph=graph)


