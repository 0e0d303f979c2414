"""Summarise the perturbation of a pair table: pairs, levels, and comparisons with controls."""

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.perturbation.coexpression import read_coexpression
from sagefm.perturbation.responses import read_responses
from sagefm.perturbation.summary import summarise_pairs

with job(snakemake) as log:
    inputs, wildcards = snakemake.input, snakemake.wildcards
    tables = summarise_pairs(
        tuple(map(read_responses, inputs.responses)),
        tuple(map(read_coexpression, inputs.coexpression)),
        read_table(inputs.pairs),
        snakemake.params.seed,
    )
    names = {"model": wildcards.model, "cohort": wildcards.cohort, "pair_table": wildcards.pairs}
    for name, table in tables.items():
        write_table(table.assign(**names), snakemake.output[name])
    for row in tables["summary"].to_dict("records"):
        log.info(
            "%(direction)s, %(control)s, over %(unit)s: difference %(difference).3g, "
            "d_z %(cohens_d_z).2f, Holm p %(p_holm).2g",
            row,
        )
