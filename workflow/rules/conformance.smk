# Compares the embeddings that the authors released with those of their checkpoint in this run.

CONFORMANCE = config["conformance"]
COMPARED = {"model": CONFORMANCE["model"], "cohort": CONFORMANCE["cohort"]}
COMPARISON = f"{RESULTS}/conformance/{{model}}/{{cohort}}"
RELEASED_ROWS = CONFORMANCE["embeddings"] or {}


rule conformance:
    input:
        released=given(published_at(RELEASED_ROWS) or RELEASED_ROWS.get("path")),
        representation=(f"{RESULTS}/representations/{{cohort}}/all-genes/sagefm-{{model}}.h5ad"),
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        split=f"{RESULTS}/models/{{model}}/split.tsv",
        samples=lambda wildcards: samples_of([wildcards.cohort]),
    output:
        rows=f"{COMPARISON}/rows.tsv.gz",
        sections=f"{COMPARISON}/sections.tsv",
        summary=f"{COMPARISON}/summary.tsv",
    log:
        f"{RESULTS}/logs/conformance/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/conformance/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 4
    resources:
        mem_mb=growing(2000),
        runtime=growing(120, per_1000_spots=0.2),
    params:
        code=code_of("conformance/compare.py"),
        contents=contents_of(RELEASED_ROWS.get("path")),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "organ"),
        tolerance=CONFORMANCE["tolerance"],
    message:
        "Finding the released embeddings among those of {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/conformance/compare.py"


rule conformance_figure:
    input:
        rows=rules.conformance.output.rows,
        sections=rules.conformance.output.sections,
        summary=rules.conformance.output.summary,
    output:
        pdf=f"{RESULTS}/figures/conformance_{{model}}_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/conformance_{{model}}_{{cohort}}.png",
            category="3 Pretraining",
            labels=labelled("released embeddings reproduced"),
            caption="../report/conformance/conformance.rst",
        ),
    log:
        f"{RESULTS}/logs/conformance_figure/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/conformance_figure/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("conformance/figure.py"),
        colour=own_colour,
    message:
        "Drawing the released embeddings found on {wildcards.cohort}"
    script:
        "../scripts/conformance/figure.py"


rule claims_conformance:
    input:
        asked=wanted("conformance.embeddings", RELEASED_ROWS),
        summary=rules.conformance.output.summary.format(**COMPARED),
        sections=rules.conformance.output.sections.format(**COMPARED),
    output:
        claims=f"{RESULTS}/claims/conformance.tsv",
    log:
        f"{RESULTS}/logs/claims_conformance.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_conformance.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        **COMPARED,
        code=code_of("conformance/claims.py"),
        paper_data=RUN.is_paper_data(CONFORMANCE["cohort"]),
    message:
        "Judging the released embeddings"
    script:
        "../scripts/conformance/claims.py"


if RELEASED_ROWS:
    deliver(
        tables=expand(rules.conformance.output, **COMPARED),
        figures=expand(rules.conformance_figure.output, **COMPARED),
        claims=rules.claims_conformance.output,
    )
