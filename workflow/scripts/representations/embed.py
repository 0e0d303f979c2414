"""Write a cohort's embeddings by a trained model: no gene is hidden but those withheld."""

from sagefm.common.job import job
from sagefm.networks.device import prepare_machine
from sagefm.networks.fitted import FittedModel
from sagefm.representations.files import write_representation
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.section import sections_of

with job(snakemake):
    params, inputs = snakemake.params, snakemake.input
    device = prepare_machine(snakemake.resources.device, snakemake.threads)
    cohort = cohort_of_files(inputs.samples, inputs.graphs, inputs.withheld)
    sections = sections_of(cohort.samples, cohort.graphs)
    model = FittedModel.load(inputs.checkpoint, device)
    withheld = cohort.withheld_columns()
    blocks = (rows for section in sections for rows in model.embedded_rows(section, withheld))
    facts = {
        "method": "sagefm",
        "spatial": True,
        "transductive": params.pretrained_here,
        "withheld_genes": len(cohort.withheld),
    }
    name = f"sagefm-{snakemake.wildcards.model}"
    write_representation(snakemake.output.representation, name, cohort, blocks, facts)
