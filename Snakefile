# SAGE-FM, from public sections to the paper's claims.
# Each chapter is one file; read in this order they are the paper's method.

from snakemake.utils import min_version

min_version("9.0")


# A --configfile that names its own cohorts is complete by itself; any other is laid over the demo's.
if "cohorts" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"  # config and sheets, checked before anything runs
include: "workflow/rules/resources.smk"  # memory, time and GPUs that jobs ask for
include: "workflow/rules/preflight.smk"  # what would fail after hours, looked at first
include: "workflow/rules/downloads.smk"  # raw files, from where they are published
include: "workflow/rules/cohorts.smk"  # sections, quality control, the gene panel
include: "workflow/rules/graphs.smk"  # a neighbourhood for every spot
include: "workflow/rules/training.smk"  # split by patient, train or load the models
include: "workflow/rules/representations.smk"  # embeddings, and other methods'
include: "workflow/rules/recovery.smk"  # claim 2: masked genes recovered
include: "workflow/rules/imputation.smk"  # genes that whole sections lack, predicted
include: "workflow/rules/clustering.smk"  # claim 3: clusters, and what heterogeneity is kept
include: "workflow/rules/annotation.smk"  # claims 4 and 5: the classes of spots, predicted
include: "workflow/rules/perturbation.smk"  # claim 6: genes changed in the neighbours
include: "workflow/rules/screen.smk"  # every gene changed, against every other
include: "workflow/rules/conformance.smk"  # the authors' own embeddings, reproduced or not
include: "workflow/rules/exports.smk"  # on request: cohorts as h5ad for scanpy and viewers
include: "workflow/rules/report.smk"  # the scoreboard, provenance, the report's figures


rule all:
    default_target: True
    input:
        rules.report_zip.output,
        rules.results_page.output,
        # Named here, for a finished run to make again what it has lost: Snakemake looks no further
        # than the report, which is newer than all of it.
        rules.results.input,
    message:
        "All results of run {config[run]} are there"
