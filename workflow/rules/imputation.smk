# Genes missing from whole sections: accuracy of their prediction, and completion of a user's
# sections.

IMPUTATION = config["imputation"]
IMPUTATION_MODELS = RUN.chapter_models("imputation")


rule imputation:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        gene_means=f"{RESULTS}/models/{{model}}/gene_means.tsv",
        split=lambda wildcards: seen_of(wildcards.model, wildcards.cohort),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
    output:
        samples=f"{RESULTS}/imputation/{{model}}/{{cohort}}/samples.tsv",
        summary=f"{RESULTS}/imputation/{{model}}/{{cohort}}/summary.tsv",
    log:
        f"{RESULTS}/logs/imputation/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/imputation/{{model}}/{{cohort}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(4000, per_1000_spots=4),
        runtime=growing(120, per_1000_spots=1),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("imputation/score.py", network_file),
        rows=lambda wildcards: RUN.rows([wildcards.cohort]),
        plan={key: IMPUTATION[key] for key in ("shares", "settings", "repeats", "seed", "spots")},
    message:
        "Scoring imputation by model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/imputation/score.py"


deliver(
    tables=expand(rules.imputation.output, model=IMPUTATION_MODELS, cohort=IMPUTATION["cohorts"])
)


rule imputation_figure:
    input:
        tables=expand(rules.imputation.output.summary, model=IMPUTATION_MODELS, allow_missing=True),
    output:
        pdf=f"{RESULTS}/figures/imputation_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/imputation_{{cohort}}.png",
            category="9 Imputation",
            labels={"figure": "genes that sections lack", "cohort": "{cohort}"},
            caption="../report/imputation/imputation.rst",
        ),
    log:
        f"{RESULTS}/logs/imputation_figure/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/imputation_figure/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("imputation/figure.py"),
        titles=titles_of(*IMPUTATION_MODELS),
        colours=colours_of(*IMPUTATION_MODELS),
    message:
        "Drawing imputation on {wildcards.cohort}"
    script:
        "../scripts/imputation/figure.py"


deliver(figures=expand(rules.imputation_figure.output, cohort=IMPUTATION["cohorts"]))


rule impute_sample:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        sample=SAMPLE,
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
    output:
        imputed=f"{RESULTS}/imputed/{{model}}/{{cohort}}/{{sample}}.h5ad",
    log:
        f"{RESULTS}/logs/impute_sample/{{model}}/{{cohort}}/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/impute_sample/{{model}}/{{cohort}}/{{sample}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(4000, per_1000_spots=250),
        runtime=growing(60),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("imputation/complete.py", network_file),
    message:
        "Predicting the missing genes of {wildcards.cohort}/{wildcards.sample}: {wildcards.model}"
    script:
        "../scripts/imputation/complete.py"


# `snakemake impute`: uses the models that can predict genes missing from a whole section.
rule impute:
    input:
        asked=wanted("imputation.complete", IMPUTATION["complete"]),
        imputed=[
            path
            for model in IMPUTATION_MODELS
            if not describe(MODELS[model]["network"]).refuses_missing_genes
            for path in per_sample(
                rules.impute_sample.output.imputed, IMPUTATION["complete"], model=model
            )
        ],
