# The models: samples split by patient, then a network trained, or a released one fetched.


rule split:
    input:
        sheets=lambda wildcards: [
            config["cohorts"][cohort]["samples"]
            for cohort in MODELS[wildcards.model]["pretrain_on"]
        ],
        duplicates=config["split"]["duplicates"] or [],
        library=module_files("split", "sheets"),
    output:
        split=f"{RESULTS}/models/{{model}}/split.tsv",
    params:
        cohorts=lambda wildcards: MODELS[wildcards.model]["pretrain_on"],
        held_out_patients=lambda wildcards: MODELS[wildcards.model][
            "held_out_patients"
        ],
        validation=config["split"]["validation"],
        test=config["split"]["test"],
        seed=config["split"]["seed"],
    log:
        f"{RESULTS}/logs/split/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/split/{{model}}.tsv"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    conda:
        "../../envs/cohorts.yaml"
    script:
        "../scripts/split.py"


rule pretrain:
    input:
        split=rules.split.output.split,
        samples=lambda wildcards: samples_of(MODELS[wildcards.model]["pretrain_on"]),
        graphs=lambda wildcards: graphs_of(
            MODELS[wildcards.model]["pretrain_on"], MODELS[wildcards.model]["graph"]
        ),
        library=module_files("training", "resume"),
    output:
        best=f"{RESULTS}/models/{{model}}/best.pt",
        last=f"{RESULTS}/models/{{model}}/last.pt",
        history=f"{RESULTS}/models/{{model}}/history.tsv",
        summary=f"{RESULTS}/models/{{model}}/training.json",
    params:
        recipe=lambda wildcards: {
            key: MODELS[wildcards.model][key]
            for key in ("normalisation", "network", "widths", "mask_share", "training")
        },
        kind=lambda wildcards: config["graphs"][MODELS[wildcards.model]["graph"]][
            "kind"
        ],
        compute=lambda wildcards: MODELS[wildcards.model]["compute"],
        state=f"{RESULTS}/models/{{model}}/state",
    wildcard_constraints:
        model=one_of(TRAINED),
    log:
        f"{RESULTS}/logs/pretrain/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}.tsv"
    threads: 16
    resources:
        mem_mb=4000,
        runtime=2880,
        gpu=lambda wildcards: MODELS[wildcards.model]["compute"]["gpus"],
    conda:
        "../../envs/model.yaml"
    script:
        "../scripts/pretrain.py"


rule fetch_checkpoint:
    input:
        path=lambda wildcards: MODELS[wildcards.model]["released"].get("path", []),
        library=module_files("fetch"),
    output:
        best=f"{RESULTS}/models/{{model}}/best.pt",
    params:
        released=lambda wildcards: MODELS[wildcards.model]["released"],
    wildcard_constraints:
        model=one_of(RELEASED),
    localrule: True
    log:
        f"{RESULTS}/logs/fetch_checkpoint/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_checkpoint/{{model}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
    conda:
        "../../envs/model.yaml"
    script:
        "../scripts/fetch_checkpoint.py"


rule gene_means:
    input:
        split=rules.split.output.split,
        samples=lambda wildcards: samples_of(MODELS[wildcards.model]["pretrain_on"]),
        library=module_files("expression"),
    output:
        means=f"{RESULTS}/models/{{model}}/gene_means.tsv",
    params:
        normalisation=lambda wildcards: MODELS[wildcards.model]["normalisation"],
    log:
        f"{RESULTS}/logs/gene_means/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/gene_means/{{model}}.tsv"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    conda:
        "../../envs/cohorts.yaml"
    script:
        "../scripts/gene_means.py"


rule training_figure:
    input:
        history=rules.pretrain.output.history,
        summary=rules.pretrain.output.summary,
        library=module_files("figures.training"),
    output:
        pdf=f"{RESULTS}/figures/training_{{model}}.pdf",
        png=report(
            f"{RESULTS}/figures/training_{{model}}.png",
            category="2 Pretraining",
            labels={"figure": "losses, learning rate, speed", "model": "{model}"},
            caption="../report/training.rst",
        ),
    log:
        f"{RESULTS}/logs/training_figure/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/training_figure/{{model}}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    conda:
        "../../envs/report.yaml"
    script:
        "../scripts/training_figure.py"
