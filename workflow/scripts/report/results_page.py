"""Write the results page, and its first part for the report."""

import json
from pathlib import Path

import yaml

import sagefm.report.results_page as page
import sagefm.report.results_words as words
from sagefm.common.io import atomic, read_table
from sagefm.common.job import job
from sagefm.representations.catalogue import Catalogue

LONGEST = 8
"""Steps whose cost is listed."""

with job(snakemake):
    given, params, out = snakemake.input, snakemake.params, snakemake.output
    folder = Path(out.page).parent
    training = json.loads(Path(given.training[0]).read_text()) if given.training else {}
    sections = read_table(given.sections, dtype={"sample": str})
    transfer = read_table(given.transfer, keep_default_na=False) if given.transfer else None
    scored = sections[sections["cohort"].isin(params.scored)]
    costs = page.cost_table(folder / "benchmarks")
    pages = page.render_results(
        Path(given.summary).read_text(),
        Path(given.body).read_text(),
        page.claim_rows(read_table(given.board, dtype=str), params.model),
        page.captioned(given.figures, given.captions, snakemake=snakemake),
        page.file_rows(folder, read_table(given.files, dtype=str)),
        run=params.run,
        drawing=Path(given.drawing).read_text(),
        viewers=params.viewers,
        training=words.training_words(params.title, training),
        model=params.model,
        is_trained_short=not training.get("converged", True),
        data=words.data_words(page.cohort_rows(scored, params.cohorts)),
        compared=words.compared_words(Catalogue(params.catalogue)),
        cohorts=page.cohort_rows(sections, params.cohorts),
        transfer=page.transfer_rows(transfer, params.cohorts, params.models),
        methods=page.rst_to_html(Path(given.methods).read_text()),
        citation=page.citation(yaml.safe_load(Path(given.citation).read_text())),
        provenance=json.loads(Path(given.provenance).read_text()),
        cost=words.cost_words(costs),
        costs=costs.head(LONGEST).to_dict("records"),
    )
    for path, text in zip((out.page, out.summary), pages, strict=True):
        with atomic(path) as temporary:
            temporary.write_text(text)
