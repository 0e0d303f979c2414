"""Write Moran's I of every representation of a cohort."""

import pandas as pd

from sagefm.common.io import write_table
from sagefm.common.job import job
from sagefm.representations.coherence import moran_table
from sagefm.representations.files import read_representation

with job(snakemake):
    tables = []
    for path in snakemake.input.representations:
        found = read_representation(path)
        samples = found.obs["sample"].to_numpy()
        components = snakemake.params.components
        tables.append(moran_table(found.name, found.values, found.spatial, samples, components))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "cohort", snakemake.wildcards.cohort)
    write_table(table, snakemake.output.table)
