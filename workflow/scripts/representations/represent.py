"""Write a representation of a cohort by one of the methods that are not ours."""

from sagefm.common.job import job
from sagefm.representations.files import write_representation
from sagefm.representations.methods.registry import load_method, method_of, read_options
from sagefm.sections.cohort import cohort_of_files

with job(snakemake):
    params, inputs, name = snakemake.params, snakemake.input, snakemake.wildcards.method
    cohort = cohort_of_files(inputs.samples, inputs.graphs, inputs.withheld)
    method = load_method(method_of(name, params.entry))
    values = method.represent(cohort, read_options(name, params.entry), params.seed)
    facts = {
        "method": method_of(name, params.entry),
        "spatial": method.SPATIAL,
        "transductive": method.TRANSDUCTIVE,
        "withheld_genes": len(cohort.withheld),
    }
    write_representation(snakemake.output.representation, name, cohort, values, facts)
