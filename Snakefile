# SAGE-FM, from public sections to the paper's claims.
# Each chapter is one file. Read in this order, they follow the paper's method.

from snakemake.utils import min_version

min_version("9.0")


# A --configfile that defines cohorts replaces the demo's config; any other is merged into it.
if "cohorts" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"  # config and sheets, checked before anything runs
include: "workflow/rules/resources.smk"  # memory, time and GPUs that jobs ask for
include: "workflow/rules/preflight.smk"  # checks for what would otherwise fail after hours
include: "workflow/rules/downloads.smk"  # raw files, from their publishers
include: "workflow/rules/cohorts.smk"  # sections, quality control, the gene panel
include: "workflow/rules/graphs.smk"  # a neighbourhood for every spot
include: "workflow/rules/training.smk"  # split by patient; train or load the models
include: "workflow/rules/representations.smk"  # embeddings by the models and other methods
include: "workflow/rules/recovery.smk"  # claim 2: recovery of masked genes
include: "workflow/rules/imputation.smk"  # prediction of genes that whole sections lack
include: "workflow/rules/clustering.smk"  # claim 3: clusters and heterogeneity
include: "workflow/rules/annotation.smk"  # claims 4 and 5: prediction of the classes of spots
include: "workflow/rules/perturbation.smk"  # claim 6: genes perturbed in the neighbours
include: "workflow/rules/screen.smk"  # every gene perturbed, and the response of the others
include: "workflow/rules/conformance.smk"  # whether the authors' own embeddings are reproduced
include: "workflow/rules/exports.smk"  # on request: cohorts as h5ad for scanpy and viewers
include: "workflow/rules/report.smk"  # the scoreboard, provenance, the report's figures


rule all:
    default_target: True
    input:
        rules.report_zip.output,
        rules.results_page.output,
        # Listed so that a finished run rebuilds deleted files: otherwise Snakemake only looks at the
        # report, which is newer than all of them.
        rules.results.input,
    message:
        "All results of run {config[run]} are there"
