"""Split a table of gene pairs into those that a cohort can test, and the others with reasons."""

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.perturbation.pair_sources import read_pairs
from sagefm.perturbation.pairs import pairs_of_cohort
from sagefm.sections.gene_summary import GeneSums

with job(snakemake) as log:
    inputs, params = snakemake.input, snakemake.params
    files = {key: inputs[key] for key in ("path", "gene_sets", "drivers") if inputs[key]}
    found = GeneSums.read([inputs.genes]).summary()
    detection = found[["detected", "mean"]].rename_axis("gene").reset_index()
    panel = detection["gene"].tolist()
    pairs = read_pairs({**params.entry, **files}, panel)
    kept, dropped = pairs_of_cohort(pairs, detection, panel, params.min_detected)
    for column in ("input", "output"):
        log.info("%d genes as %s", kept[column].nunique(), column)
    log.info("%d pairs kept, %d dropped", len(kept), len(dropped))
    for reason, number in dropped["reason"].value_counts().items():
        log.info("dropped: %d %s", number, reason)
    write_table(kept, snakemake.output.pairs)
    write_table(dropped, snakemake.output.dropped)
