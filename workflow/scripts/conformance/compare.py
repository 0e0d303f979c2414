"""Match the rows of the released embeddings to this run's, and write the result."""

import pandas as pd

from sagefm.common.io import read_table, write_table
from sagefm.common.job import job
from sagefm.conformance.inputs import embeddings_of, released_rows, tied_spots
from sagefm.conformance.tables import conformance_rows, conformance_summary, sections_held
from sagefm.networks.recipe import read_recipe

with job(snakemake) as log:
    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
    tied = tied_spots(inputs.samples, read_recipe(inputs.recipe).graph)
    with embeddings_of(inputs.representation) as embeddings:
        released = released_rows(inputs.released, embeddings.rows.shape[1])
        rows = conformance_rows(
            released, embeddings.rows, embeddings.samples, tied, params.tolerance, snakemake.threads
        )
        sections = pd.Series(embeddings.samples).value_counts().rename("spots")
    split = read_table(inputs.split, dtype=str).fillna("")
    part = split[split["cohort"] == snakemake.wildcards.cohort].set_index("sample")["part"]
    organ = pd.DataFrame(params.rows).set_index("sample")["organ"]
    facts = pd.DataFrame({"spots": sections, "organ": organ, "part": part.reindex(organ.index)})
    facts = facts.fillna({"part": "not in the split"}).rename_axis("sample").reset_index()
    held = sections_held(rows, facts)
    summary = conformance_summary(rows, held, params.tolerance)
    log.info("%d of %d rows match", summary["matched"].iloc[0], len(rows))
    write_table(rows, outputs.rows)
    write_table(held, outputs.sections)
    write_table(summary, outputs.summary)
