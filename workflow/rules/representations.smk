# What a spot is to each method: embeddings of the models, and untrained references beside them.

REPRESENTATION = f"{RESULTS}/representations/{{cohort}}/{{representation}}.h5ad"
EMBEDDINGS = [f"sagefm-{model}" for model in MODELS]


rule embed:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        library=module_files("representations", "checkpoint", "inference"),
    output:
        representation=f"{RESULTS}/representations/{{cohort}}/sagefm-{{model}}.h5ad",
    log:
        f"{RESULTS}/logs/embed/{{cohort}}/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed/{{cohort}}/{{model}}.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 4
    resources:
        mem_mb=4000,
        runtime=120,
        gpu=lambda wildcards: MODELS[wildcards.model]["compute"]["gpus"],
        device=lambda wildcards: MODELS[wildcards.model]["compute"]["device"],
    params:
        name="sagefm-{model}",
        network=lambda wildcards: MODELS[wildcards.model]["network"],
        normalisation=lambda wildcards: MODELS[wildcards.model]["normalisation"],
        kind=lambda wildcards: kind_of(wildcards.model),
    message:
        "Embedding {wildcards.cohort} with model {wildcards.model}"
    script:
        "../scripts/embed.py"


rule reference:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[next(iter(MODELS))]["graph"]),
        library=module_files("representations"),
    output:
        representation=f"{RESULTS}/representations/{{cohort}}/{{reference}}.h5ad",
    log:
        f"{RESULTS}/logs/reference/{{cohort}}/{{reference}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/reference/{{cohort}}/{{reference}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        components=config["representations"]["components"],
        seed=config["split"]["seed"],
    message:
        "Computing the untrained reference {wildcards.reference} of {wildcards.cohort}"
    script:
        "../scripts/reference.py"


rule coherence:
    input:
        representations=expand(
            REPRESENTATION, representation=[*REFERENCES, *EMBEDDINGS], allow_missing=True
        ),
        library=module_files("coherence"),
    output:
        table=f"{RESULTS}/coherence/{{cohort}}.tsv",
    log:
        f"{RESULTS}/logs/coherence/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/coherence/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        components=config["representations"]["components"],
    message:
        "Measuring spatial coherence of the representations of {wildcards.cohort}"
    script:
        "../scripts/coherence.py"


rule coherence_figure:
    input:
        table=rules.coherence.output.table,
        library=module_files("figures.coherence"),
    output:
        pdf=f"{RESULTS}/figures/coherence_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/coherence_{{cohort}}.png",
            category="4 Embeddings",
            labels={"figure": "spatial coherence", "cohort": "{cohort}"},
            caption="../report/coherence.rst",
        ),
    log:
        f"{RESULTS}/logs/coherence_figure/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/coherence_figure/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Drawing spatial coherence on {wildcards.cohort}"
    script:
        "../scripts/coherence_figure.py"
