"""Write down what a run's numbers come from."""

import json

from sagefm.common.io import atomic
from sagefm.common.job import job
from sagefm.report.provenance import provenance

with job(snakemake):
    facts = provenance(snakemake.params.config, snakemake.params.version, snakemake.input.samples)
    with atomic(snakemake.output.provenance) as temporary:
        temporary.write_text(json.dumps(facts, indent=2) + "\n")
