"""Write the viewer of a cohort's sections, an HTML page."""

from pathlib import Path

import sagefm.exports.viewer as viewer
from sagefm.annotation.terms import TEXT
from sagefm.common.io import atomic, read_table
from sagefm.common.job import job
from sagefm.exports.explore import explore_cohort
from sagefm.exports.viewer_genes import shown_expression
from sagefm.exports.viewer_layout import representations_of
from sagefm.exports.viewer_responses import add_responses, shown_responses
from sagefm.networks.fitted import FittedModel
from sagefm.plotting.palette import palette_of
from sagefm.representations.catalogue import MODEL, Catalogue
from sagefm.sections.cohort import cohort_of_files
from sagefm.sections.gene_summary import summary_over
from sagefm.sections.graph_files import graph_files
from sagefm.sections.section import Section, spot_names
from sagefm.training.scored_sections import scored_sections

with job(snakemake):
    inputs, params = snakemake.input, snakemake.params
    files = {Path(path).stem: path for path in inputs.samples}
    paths = graph_files(inputs.samples, inputs.graphs)
    graphs = dict(zip(files, paths, strict=True))
    counts = {name: len(spot_names(path)) for name, path in files.items()}
    patients = {row["sample"]: row["patient"] or row["sample"] for row in params.rows}
    chosen = viewer.shown_samples(counts, patients)
    predictions: dict[str, dict] = {task: {} for task in params.classifiers}
    for (task, name), path in zip(params.predictions, inputs.predictions, strict=True):
        predictions[task][name] = read_table(path, dtype=TEXT)
    clusters = zip(params.clustered, inputs.clusters, strict=True)
    palette = palette_of(read_table(inputs.palette))
    adata = explore_cohort(
        cohort_of_files([files[name] for name in chosen]),
        params.rows,
        inputs.labels,
        [],
        {name: read_table(path, dtype=TEXT) for name, path in clusters},
        predictions,
        params.classifiers,
        read_table(inputs.umap, dtype=TEXT) if inputs.umap else None,
        palette,
    )
    technologies = {row["sample"]: row["technology"] for row in params.rows}
    pages = viewer.collect_spots(adata, predictions, params.classifiers, palette, technologies)
    model = FittedModel.load(inputs.checkpoint)
    named_genes = sorted({gene for pair in params.named for gene in pair})
    sections = [Section("", name, files[name], graphs[name]) for name in chosen]
    viewer.add_genes(pages, *shown_expression(adata.X, sections, model, named_genes))
    if params.hidden:
        scored, _ = scored_sections(
            inputs.samples, paths, inputs.split, params.rows, snakemake.wildcards.cohort
        )
        genes = summary_over(inputs.genes, scored, params.levels_over)
        tables = dict(zip(params.hidden, map(read_table, inputs.pairs), strict=True))
        named = (params.named, params.hidden)
        add_responses(pages, shown_responses(model, sections, genes, tables, *named))
    catalogue, own = Catalogue(params.catalogue), f"{MODEL}{params.model}"
    pages.facts |= {
        "spots": [*adata.obs["spot"].astype(str)],
        "predictor": catalogue.title(own),
        "names": params.task_titles
        | {name: catalogue.title(name) for name in representations_of(pages.facts)},
        "first": {
            **{"section": viewer.first_labelled(pages), "model": own},
            "gene": next(iter(named_genes), ""),
        },
    }
    note, script = viewer.note(params.title, chosen, counts), Path(inputs.script).read_text()
    with atomic(snakemake.output.page) as temporary:
        viewer.write_page(temporary, pages, script, f"Sections: {params.title}", note)
