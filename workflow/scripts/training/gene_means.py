"""Write each gene's mean expression over a model's training samples: the simplest baseline."""

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.sections.gene_summary import GeneSums

with job(snakemake):
    split = read_table(snakemake.input.split, dtype=str)
    training = split[split["part"] == "train"]
    found = GeneSums.read(snakemake.input.genes).summary(
        training["cohort"] + "/" + training["sample"],
        unmeasured_as_zero=snakemake.params.genes != "measured",
    )
    table = found[["mean"]].rename_axis("gene").reset_index()
    write_table(table, snakemake.output.means)
