"""Write the methods of the run in sentences, as text and as a page."""

import json
from pathlib import Path

from sagefm.common.io import atomic, read_table
from sagefm.common.job import job
from sagefm.report.methods_text import methods_html, methods_text
from sagefm.sections.genes import read_panel

with job(snakemake):
    inputs, out = snakemake.input, snakemake.output
    trained = {
        model: json.loads(Path(path).read_text())
        for model, path in zip(snakemake.params.trained, inputs.training, strict=True)
    }
    text = methods_text(
        Path(inputs.template).read_text(),
        json.loads(Path(inputs.provenance).read_text()),
        read_table(inputs.sections, dtype={"sample": str}),
        read_table(inputs.software, dtype=str),
        trained,
        len(read_panel(inputs.panel)),
    )
    with atomic(out.text) as temporary:
        temporary.write_text(text)
    with atomic(out.page) as temporary:
        temporary.write_text(methods_html(text))
