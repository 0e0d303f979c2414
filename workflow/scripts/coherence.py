"""Write Moran's I of every representation of a cohort."""

import pandas as pd

from sagefm.coherence import moran_table
from sagefm.io import read_h5ad, write_table
from sagefm.script import job

with job(snakemake):
    tables = []
    for path in snakemake.input.representations:
        cohort = read_h5ad(path)
        name = next(key for key in cohort.obsm if key.startswith("X_"))
        tables.append(
            moran_table(
                name.removeprefix("X_"),
                cohort.obsm[name],
                cohort.obsm["spatial"],
                cohort.obs["sample"].to_numpy(),
                snakemake.params.components,
            )
        )
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "cohort", snakemake.wildcards.cohort)
    write_table(table, snakemake.output.table)
