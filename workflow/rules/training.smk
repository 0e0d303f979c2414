# Models: samples are split by patient, then a network is trained or a released one is fetched.
# Device, workers and similar settings are resources, not params, so changing them reruns nothing.


rule split:
    input:
        duplicates=given(config["split"]["duplicates"]),
        # A released checkpoint is not trained here, so its split needs no sections.
        samples=lambda wildcards: (
            []
            if wildcards.model in RELEASED
            else samples_of(MODELS[wildcards.model]["pretrain_on"])
        ),
    output:
        split=f"{RESULTS}/models/{{model}}/split.tsv",
    log:
        f"{RESULTS}/logs/split/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/split/{{model}}.tsv"
    priority: 1  # training waits for it
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("training/split.py"),
        contents=contents_of(config["split"]["duplicates"]),
        rows=lambda wildcards: RUN.rows(MODELS[wildcards.model]["pretrain_on"]),
        held_out_patients=of_model("held_out_patients"),
        validation=config["split"]["validation"],
        test=config["split"]["test"],
        seed=config["split"]["seed"],
    message:
        "Splitting sections of model {wildcards.model} by patient"
    script:
        "../scripts/training/split.py"


deliver(tables=expand(rules.split.output, model=MODELS))


LEARNT_COHORTS = {cohort for model in TRAINED for cohort in MODELS[model]["pretrain_on"]}


rule seen:
    input:
        split=rules.split.output.split,
        duplicates=given(config["split"]["duplicates"]),
        # For a released checkpoint, only sections that are fetched anyway to train other models.
        training_samples=lambda wildcards: samples_of(
            cohort for cohort in MODELS[wildcards.model]["pretrain_on"] if cohort in LEARNT_COHORTS
        ),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
    output:
        seen=f"{RESULTS}/models/{{model}}/seen/{{cohort}}.tsv",
    log:
        f"{RESULTS}/logs/seen/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/seen/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("training/seen.py"),
        contents=contents_of(config["split"]["duplicates"]),
        rows=lambda wildcards: RUN.rows([wildcards.cohort]),
    message:
        "Finding patients of {wildcards.cohort} seen by model {wildcards.model}"
    script:
        "../scripts/training/seen.py"


rule pretrain:
    input:
        split=rules.split.output.split,
        samples=lambda wildcards: samples_of(MODELS[wildcards.model]["pretrain_on"]),
        graphs=lambda wildcards: graphs_of(
            MODELS[wildcards.model]["pretrain_on"], MODELS[wildcards.model]["graph"]
        ),
        continued=lambda wildcards: checkpoints_of(MODELS[wildcards.model]["continues"]),
    output:
        best=f"{RESULTS}/models/{{model}}/best.pt",
        last=f"{RESULTS}/models/{{model}}/last.pt",
        history=f"{RESULTS}/models/{{model}}/history.tsv",
        summary=f"{RESULTS}/models/{{model}}/training.json",
    log:
        f"{RESULTS}/logs/pretrain/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(TRAINED),
    priority: 1  # most of the run depends on it
    conda:
        model_environment
    threads: of_model("compute", "threads")
    resources:
        mem_mb=training_memory,
        runtime=growing(1440),
        gpu=asked_of_slurm("gpu"),
        gres=asked_of_slurm("gres"),
        mpi=asked_of_slurm("mpi"),
        tasks=asked_of_slurm("tasks"),
        tasks_per_gpu=asked_of_slurm("tasks_per_gpu"),
        cpus_per_task=asked_of_slurm("cpus_per_task"),
        nodes=of_model("compute", "nodes"),
        devices=of_model("training", "devices"),
        device=model_device,
        workers=of_model("compute", "workers"),
        keep_gb=of_model("compute", "keep_gb"),
        save_seconds=of_model("compute", "save_seconds"),
        compiled=of_model("compute", "compile"),
    params:
        code=code_of("training/pretrain.py", network_file),
        recipe=lambda wildcards: RUN.training_recipe(wildcards.model),
        kind=lambda wildcards: RUN.graph_kind(wildcards.model),
        state=f"{RESULTS}/models/{{model}}/state",
    message:
        "Training model {wildcards.model}"
    script:
        "../scripts/training/pretrain.py"


deliver(
    tables=expand([rules.pretrain.output.history, rules.pretrain.output.summary], model=TRAINED)
)


rule released:
    input:
        path=lambda wildcards: given(
            published_at(MODELS[wildcards.model]["released"])
            or MODELS[wildcards.model]["released"]["path"]
        ),
        panel=given(config["panel"]),
    output:
        best=f"{RESULTS}/models/{{model}}/best.pt",
    log:
        f"{RESULTS}/logs/released/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/released/{{model}}.tsv"
    wildcard_constraints:
        model=one_of(RELEASED),
    localrule: True
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        code=code_of("training/released.py", network_file),
        contents=lambda wildcards: contents_of(
            MODELS[wildcards.model]["released"].get("path"), config["panel"]
        ),
        network=of_model("network"),
    message:
        "Taking the released checkpoint of model {wildcards.model}"
    script:
        "../scripts/training/released.py"


rule recipe:
    input:
        panel=given(config["panel"]),
    output:
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
    log:
        f"{RESULTS}/logs/recipe/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/recipe/{{model}}.tsv"
    localrule: True
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(5),
    params:
        code=code_of("training/recipe.py"),
        contents=contents_of(config["panel"]),
        network=of_model("network"),
        normalisation=of_model("normalisation"),
        graph=lambda wildcards: config["graphs"][MODELS[wildcards.model]["graph"]],
        qc=config["qc"],
        harmonise=config["harmonise"],
    message:
        "Recording the inputs of model {wildcards.model}"
    script:
        "../scripts/training/recipe.py"


deliver(tables=expand(rules.recipe.output, model=MODELS))


rule gene_means:
    input:
        split=rules.split.output.split,
        genes=lambda wildcards: gene_sums_of(
            MODELS[wildcards.model]["pretrain_on"], wildcards.model
        ),
    output:
        means=f"{RESULTS}/models/{{model}}/gene_means.tsv",
    log:
        f"{RESULTS}/logs/gene_means/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/gene_means/{{model}}.tsv"
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000, per_1000_spots=0.5),
        runtime=growing(10),
    params:
        code=code_of("training/gene_means.py"),
        genes=of_model("training", "genes"),
    message:
        "Averaging genes over the training sections of model {wildcards.model}"
    script:
        "../scripts/training/gene_means.py"


rule training_figure:
    input:
        history=rules.pretrain.output.history,
        summary=rules.pretrain.output.summary,
    output:
        pdf=f"{RESULTS}/figures/training_{{model}}.pdf",
        png=report(
            f"{RESULTS}/figures/training_{{model}}.png",
            category="3 Pretraining",
            labels=labelled("losses, learning rate, speed"),
            caption="../report/training/training.rst",
        ),
    log:
        f"{RESULTS}/logs/training_figure/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/training_figure/{{model}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("training/figure.py", network_file),
        title=own_title,
        colour=own_colour,
        network=of_model("network"),
    message:
        "Drawing the training of model {wildcards.model}"
    script:
        "../scripts/training/figure.py"


# A network trained for 0 epochs has no losses to draw.
deliver(
    figures=expand(
        rules.training_figure.output,
        model=[model for model in TRAINED if MODELS[model]["training"]["epochs"]],
    )
)


rule pretraining_set:
    input:
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        duplicates=given(config["split"]["duplicates"]),
    output:
        organs=f"{RESULTS}/pretraining/organs.tsv",
        duplicates=f"{RESULTS}/pretraining/duplicates.tsv",
    log:
        f"{RESULTS}/logs/pretraining_set.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretraining_set.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("training/pretraining_set.py"),
        contents=contents_of(config["split"]["duplicates"]),
        model=HEADLINE,
        rows=RUN.rows(MODELS[HEADLINE]["pretrain_on"], "organ", "expected_spots"),
    message:
        "Counting the pretraining set of model {params.model}"
    script:
        "../scripts/training/pretraining_set.py"


deliver(tables=rules.pretraining_set.output)


rule pretraining_set_figure:
    input:
        organs=rules.pretraining_set.output.organs,
    output:
        pdf=f"{RESULTS}/figures/pretraining_set.pdf",
        png=report(
            f"{RESULTS}/figures/pretraining_set.png",
            category="2 Data",
            labels={"figure": "organs and parts", "model": RUN.model_title(HEADLINE)},
            caption="../report/training/pretraining_set.rst",
        ),
    log:
        f"{RESULTS}/logs/pretraining_set_figure.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretraining_set_figure.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("training/pretraining_set_figure.py"),
        title=RUN.model_title(HEADLINE),
    message:
        "Drawing the pretraining set of {params.title}"
    script:
        "../scripts/training/pretraining_set_figure.py"


deliver(figures=rules.pretraining_set_figure.output)


# Models trained on the sections that are counted.
JUDGED_ON_SET = [
    model for model in JUDGED if MODELS[model]["pretrain_on"] == MODELS[HEADLINE]["pretrain_on"]
]


rule claims_pretraining:
    input:
        **judged_inputs(JUDGED_ON_SET, None),
        organs=rules.pretraining_set.output.organs,
        duplicates=rules.pretraining_set.output.duplicates,
        reported=REPORTED,
    output:
        claims=f"{RESULTS}/claims/pretraining.tsv",
    log:
        f"{RESULTS}/logs/claims_pretraining.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_pretraining.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("training/claims.py"),
        contents=contents_of(REPORTED),
        models=JUDGED_ON_SET,
        trained=[model for model in JUDGED_ON_SET if model in TRAINED],
        paper_data=all(
            config["cohorts"][cohort]["paper_data"] for cohort in MODELS[HEADLINE]["pretrain_on"]
        ),
    message:
        "Judging the claims on pretraining"
    script:
        "../scripts/training/claims.py"


deliver(claims=rules.claims_pretraining.output)
