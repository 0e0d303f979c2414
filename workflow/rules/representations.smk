# Representations of spots: embeddings of the models, and other methods for comparison.

REPRESENTATION = f"{RESULTS}/representations/{{cohort}}/all-genes/{{representation}}.h5ad"
COHERENT = config["representations"]["cohorts"]
# Rule that computes a representation, if not `represent`.
RULE_OF = {f"sagefm-{model}": "embed" for model in MODELS}
RULE_OF |= dict.fromkeys(RUN.untrained_networks, "embed_untrained")


rule embed:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        withheld=withheld_of,
    output:
        representation=f"{RESULTS}/representations/{{cohort}}/{{genes}}/sagefm-{{model}}.h5ad",
    log:
        f"{RESULTS}/logs/embed/{{cohort}}/{{genes}}/sagefm-{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed/{{cohort}}/{{genes}}/sagefm-{{model}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(4000, per_1000_spots=3),
        runtime=growing(60, per_1000_spots=1),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("representations/embed.py", network_file),
        pretrained_here=lambda wildcards: (
            wildcards.cohort in MODELS[wildcards.model]["pretrain_on"]
        ),
    message:
        "Embedding {wildcards.cohort} ({wildcards.genes}) with model {wildcards.model}"
    script:
        "../scripts/representations/embed.py"


rule embed_untrained:
    input:
        split=f"{RESULTS}/models/{{model}}/split.tsv",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        training_samples=lambda wildcards: samples_of(MODELS[wildcards.model]["pretrain_on"]),
        training_graphs=lambda wildcards: graphs_of(
            MODELS[wildcards.model]["pretrain_on"], MODELS[wildcards.model]["graph"]
        ),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        withheld=withheld_of,
    output:
        representation=f"{RESULTS}/representations/{{cohort}}/{{genes}}/untrained-{{model}}.h5ad",
    log:
        f"{RESULTS}/logs/embed_untrained/{{cohort}}/{{genes}}/untrained-{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/embed_untrained/{{cohort}}/{{genes}}/untrained-{{model}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(8000, per_1000_spots=3),
        runtime=growing(60, per_1000_spots=1),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("representations/embed_untrained.py", network_file),
        recipe=lambda wildcards: RUN.training_recipe(wildcards.model),
        kind=lambda wildcards: RUN.graph_kind(wildcards.model),
        pretrained_here=lambda wildcards: (
            wildcards.cohort in MODELS[wildcards.model]["pretrain_on"]
        ),
    message:
        "Embedding {wildcards.cohort} ({wildcards.genes}) with model {wildcards.model}, untrained"
    script:
        "../scripts/representations/embed_untrained.py"


rule represent:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[HEADLINE]["graph"]),
        withheld=withheld_of,
        own=own_files,
        labels=labels_read,
    output:
        representation=f"{RESULTS}/representations/{{cohort}}/{{genes}}/{{method}}.h5ad",
    log:
        f"{RESULTS}/logs/represent/{{cohort}}/{{genes}}/{{method}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/represent/{{cohort}}/{{genes}}/{{method}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=representation_memory,
        runtime=growing(120, per_1000_spots=10),
    params:
        code=code_of(
            "representations/represent.py",
            lambda wildcards: file_of(wildcards.method, METHODS[wildcards.method]),
        ),
        contents=lambda wildcards: contents_of(entry_of(wildcards).get("h5ad")),
        entry=entry_of,
        rows=rows_read,
        seed=config["representations"]["seed"],
    message:
        "Computing {wildcards.method} of {wildcards.cohort} ({wildcards.genes})"
    script:
        "../scripts/representations/represent.py"


rule costs:
    input:
        benchmarks=lambda wildcards: [
            f"{RESULTS}/benchmarks/{RULE_OF.get(name, 'represent')}/"
            f"{wildcards.cohort}/all-genes/{name}.tsv"
            for name in RUN.representations(wildcards.cohort)
        ],
        trainings=expand(f"{RESULTS}/models/{{model}}/training.json", model=TRAINED),
    output:
        costs=f"{RESULTS}/representations/{{cohort}}/costs.tsv",
    log:
        f"{RESULTS}/logs/costs/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/costs/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("representations/costs.py"),
        representations=lambda wildcards: RUN.representations(wildcards.cohort),
        trained=[f"sagefm-{model}" for model in TRAINED],
        differs={name: differs(name, entry) for name, entry in METHODS.items()},
    message:
        "Summarising time and memory of the representations of {wildcards.cohort}"
    script:
        "../scripts/representations/costs.py"


COSTED = {*config["clustering"]["cohorts"], *map(RUN.task_cohort, TASKS)}
deliver(tables=expand(rules.costs.output, cohort=[name for name in SHEETS if name in COSTED]))


rule coherence:
    input:
        representations=lambda wildcards: expand(
            REPRESENTATION,
            representation=RUN.representations(wildcards.cohort),
            allow_missing=True,
        ),
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
        mem_mb=growing(3000, per_1000_spots=100),
        runtime=growing(60, per_1000_spots=2),
    params:
        code=code_of("representations/coherence.py"),
        components=config["representations"]["components"],
    message:
        "Measuring spatial coherence of the representations of {wildcards.cohort}"
    script:
        "../scripts/representations/coherence.py"


deliver(tables=expand(rules.coherence.output, cohort=COHERENT))


rule coherence_figure:
    input:
        table=rules.coherence.output.table,
    output:
        pdf=f"{RESULTS}/figures/coherence_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/coherence_{{cohort}}.png",
            category="5 Embeddings and clusters (claim 3)",
            labels={"figure": "spatial coherence", "cohort": "{cohort}"},
            caption="../report/representations/coherence.rst",
        ),
    log:
        f"{RESULTS}/logs/coherence_figure/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/coherence_figure/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("representations/figure.py"),
        catalogue=lambda wildcards: catalogue_of(wildcards.cohort),
    message:
        "Drawing spatial coherence on {wildcards.cohort}"
    script:
        "../scripts/representations/figure.py"


deliver(figures=expand(rules.coherence_figure.output, cohort=COHERENT))


rule claims_coherence:
    input:
        **judged_inputs(JUDGED, first(COHERENT)),
        asked=wanted("representations.cohorts", COHERENT),
        table=rules.coherence.output.table.format(cohort=first(COHERENT)),
    output:
        claims=f"{RESULTS}/claims/coherence.tsv",
    log:
        f"{RESULTS}/logs/claims_coherence.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_coherence.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        **judged_on(first(COHERENT), JUDGED),
        code=code_of("representations/claims.py"),
        catalogue=catalogue_of(first(COHERENT)),
    message:
        "Judging the claim on spatial coherence"
    script:
        "../scripts/representations/claims.py"


if COHERENT:
    deliver(claims=rules.claims_coherence.output)
