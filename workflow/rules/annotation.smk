# Claims 4 and 5: the classes of spots, predicted from each representation under each protocol.

TASK = f"{RESULTS}/tasks/{{task}}"
TASK_FIGURES = ["scores", "classes", "confusion", "maps"]
CLAIMING_TASKS = RUN.claiming_tasks()


rule task_labels:
    input:
        samples=lambda wildcards: samples_of([RUN.task_cohort(wildcards.task)]),
        labels=lambda wildcards: (
            spot_labels_of(RUN.task_cohort(wildcards.task))
            if TASKS[wildcards.task]["labels"]["source"] == "cohort"
            else []
        ),
        table=lambda wildcards: given(TASKS[wildcards.task]["labels"]["path"]),
        gene_sets=lambda wildcards: given(TASKS[wildcards.task]["labels"]["gene_sets"]),
        duplicates=given(config["split"]["duplicates"]),
    output:
        labels=f"{TASK}/labels.tsv.gz",
        classes=f"{TASK}/classes.tsv",
        genes=f"{TASK}/genes.tsv",
        withheld=f"{TASK}/withheld.txt",
    log:
        f"{RESULTS}/logs/task_labels/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/task_labels/{{task}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000, per_1000_spots=10),
        runtime=growing(30, per_1000_spots=1),
    params:
        code=code_of("annotation/labels.py"),
        contents=lambda wildcards: contents_of(
            *(TASKS[wildcards.task]["labels"][key] for key in ("path", "gene_sets")),
            config["split"]["duplicates"],
        ),
        rows=lambda wildcards: RUN.rows([RUN.task_cohort(wildcards.task)]),
        task=lambda wildcards: task_keys(
            wildcards.task, "labels", "drop", "merge", "min_spots", "seed"
        ),
    message:
        "Labelling the spots of task {wildcards.task}"
    script:
        "../scripts/annotation/labels.py"


deliver(tables=expand(rules.task_labels.output, task=TASKS))


rule annotate:
    input:
        labels=rules.task_labels.output.labels,
        representation=task_representation,
    output:
        predictions=f"{TASK}/{{representation}}/predictions.tsv.gz",
        fits=f"{TASK}/{{representation}}/fits.tsv",
    log:
        f"{RESULTS}/logs/annotate/{{task}}/{{representation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/annotate/{{task}}/{{representation}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing_with_features(3000, per_1000_spots=30, of_all_genes=220),
        runtime=growing(120, per_1000_spots=10),
    params:
        code=code_of("annotation/predict.py"),
        plan=task_plan,
    message:
        "Predicting {wildcards.task} from {wildcards.representation}"
    script:
        "../scripts/annotation/predict.py"


for task in TASKS:
    deliver(
        tables=expand(
            rules.annotate.output, task=task, representation=RUN.task_representations(task)
        )
    )


# Classifier fitted on all labelled spots, for cohorts without labels. It uses only models'
# embeddings, because other representations are fitted to each cohort separately.
rule reference:
    input:
        labels=rules.task_labels.output.labels,
        representation=task_representation,
    output:
        reference=f"{TASK}/{{representation}}/reference.npz",
        quality=f"{TASK}/{{representation}}/reference.tsv",
        reliability=f"{TASK}/{{representation}}/reliability.tsv",
        calls=f"{TASK}/{{representation}}/calls.tsv",
    log:
        f"{RESULTS}/logs/reference/{{task}}/{{representation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/reference/{{task}}/{{representation}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing_with_features(3000, per_1000_spots=30, of_all_genes=220),
        runtime=growing(120, per_1000_spots=10),
    params:
        code=code_of("annotation/reference.py"),
        options=lambda wildcards: task_keys(
            wildcards.task, "min_class_spots", "seed", "class_weight"
        ),
    message:
        "Fitting the classifier of {wildcards.task} on all labelled spots, {wildcards.representation}"
    script:
        "../scripts/annotation/reference.py"


rule predict_cohort:
    input:
        reference=rules.reference.output.reference,
        representation=lambda wildcards: (
            f"{RESULTS}/representations/{wildcards.cohort}/{RUN.task_genes(wildcards.task)}/"
            f"{wildcards.representation}.h5ad"
        ),
    output:
        classes=f"{TASK}/{{representation}}/predicted/{{cohort}}.tsv.gz",
    log:
        f"{RESULTS}/logs/predict_cohort/{{task}}/{{representation}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict_cohort/{{task}}/{{representation}}/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=50),
        runtime=growing(30, per_1000_spots=1),
    params:
        code=code_of("annotation/predict_cohort.py"),
        confidence=lambda wildcards: TASKS[wildcards.task]["confidence"],
    message:
        "Predicting {wildcards.task} on {wildcards.cohort} from {wildcards.representation}"
    script:
        "../scripts/annotation/predict_cohort.py"


for task in TASKS:
    if RUN.predicted(task):
        embeddings = [f"sagefm-{model}" for model in RUN.task_models(task)]
        tables = ("quality", "reliability", "calls")
        deliver(
            tables=expand(
                [getattr(rules.reference.output, table) for table in tables],
                task=task,
                representation=embeddings,
            )
            + expand(
                rules.predict_cohort.output.classes,
                task=task,
                representation=embeddings,
                cohort=RUN.predicted(task),
            )
        )


rule annotation_scores:
    input:
        labels=rules.task_labels.output.labels,
        predictions=lambda wildcards: expand(
            rules.annotate.output.predictions,
            representation=RUN.task_representations(wildcards.task),
            allow_missing=True,
        ),
        fits=lambda wildcards: expand(
            rules.annotate.output.fits,
            representation=RUN.task_representations(wildcards.task),
            allow_missing=True,
        ),
        splits=lambda wildcards: [
            seen_of(model, RUN.task_cohort(wildcards.task))
            for model in RUN.task_models(wildcards.task)
        ],
        costs=lambda wildcards: f"{RESULTS}/representations/{RUN.task_cohort(wildcards.task)}/costs.tsv",
    output:
        scores=f"{TASK}/scores.tsv",
        per_class=f"{TASK}/per_class.tsv",
        confusion=f"{TASK}/confusion.tsv",
        patients=f"{TASK}/patients.tsv",
        comparisons=f"{TASK}/comparisons.tsv",
        skipped=f"{TASK}/skipped.tsv",
        shown=f"{TASK}/shown.tsv",
        maps=f"{TASK}/maps.tsv.gz",
    log:
        f"{RESULTS}/logs/annotation_scores/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/annotation_scores/{{task}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=20),
        runtime=growing(30, per_1000_spots=1),
    params:
        code=code_of("annotation/tables.py"),
        plan=task_plan,
        min_class_spots=lambda wildcards: TASKS[wildcards.task]["min_class_spots"],
        representations=lambda wildcards: RUN.task_representations(wildcards.task),
        models=lambda wildcards: RUN.task_models(wildcards.task),
        rows=lambda wildcards: RUN.rows([RUN.task_cohort(wildcards.task)]),
        headline=f"sagefm-{HEADLINE}",
        catalogue=lambda wildcards: catalogue_of(RUN.task_cohort(wildcards.task)),
    message:
        "Scoring task {wildcards.task}"
    script:
        "../scripts/annotation/tables.py"


deliver(tables=expand(rules.annotation_scores.output, task=TASKS))


rule annotation_figures:
    input:
        scores=rules.annotation_scores.output.scores,
        patients=rules.annotation_scores.output.patients,
        per_class=rules.annotation_scores.output.per_class,
        confusion=rules.annotation_scores.output.confusion,
        skipped=rules.annotation_scores.output.skipped,
        shown=rules.annotation_scores.output.shown,
        maps=rules.annotation_scores.output.maps,
        palette=lambda wildcards: rules.palette.output.palette.format(
            cohort=RUN.task_cohort(wildcards.task)
        ),
        tissues=lambda wildcards: TISSUES.format(cohort=RUN.task_cohort(wildcards.task)),
        reported=REPORTED,
    output:
        pdf=expand(
            f"{RESULTS}/figures/task_{{task}}_{{figure}}.pdf",
            figure=TASK_FIGURES,
            allow_missing=True,
        ),
        scores=report(
            f"{RESULTS}/figures/task_{{task}}_scores.png",
            category="6 Annotation and subtypes (claims 4, 5)",
            labels={"figure": "accuracy", "task": "{task}"},
            caption="../report/annotation/scores.rst",
        ),
        classes=report(
            f"{RESULTS}/figures/task_{{task}}_classes.png",
            category="6 Annotation and subtypes (claims 4, 5)",
            labels={"figure": "each class", "task": "{task}"},
            caption="../report/annotation/classes.rst",
        ),
        confusion=report(
            f"{RESULTS}/figures/task_{{task}}_confusion.png",
            category="6 Annotation and subtypes (claims 4, 5)",
            labels={"figure": "confusion", "task": "{task}"},
            caption="../report/annotation/confusion.rst",
        ),
        maps=report(
            f"{RESULTS}/figures/task_{{task}}_maps.png",
            category="6 Annotation and subtypes (claims 4, 5)",
            labels={"figure": "maps", "task": "{task}"},
            caption="../report/annotation/maps.rst",
        ),
    log:
        f"{RESULTS}/logs/annotation_figures/{{task}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/annotation_figures/{{task}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=20),
        runtime=growing(20),
    params:
        code=code_of("annotation/figures.py"),
        contents=contents_of(REPORTED),
        title=lambda wildcards: RUN.task_title(wildcards.task),
        claim=lambda wildcards: TASKS[wildcards.task]["claim"],
        min_class_spots=lambda wildcards: TASKS[wildcards.task]["min_class_spots"],
        derived=lambda wildcards: RUN.has_derived_labels(wildcards.task),
        withheld=lambda wildcards: (
            RUN.has_derived_labels(wildcards.task) and TASKS[wildcards.task]["labels"]["withhold"]
        ),
        catalogue=lambda wildcards: catalogue_of(RUN.task_cohort(wildcards.task)),
        predicted_as=lambda wildcards: compared_as(
            RUN.task_representations(wildcards.task), METHODS
        ),
    message:
        "Drawing task {wildcards.task}"
    script:
        "../scripts/annotation/figures.py"


deliver(figures=expand(rules.annotation_figures.output, task=TASKS))


# One task per claim: annotation, then subtypes.
PAGE_TASKS = [
    next(task for task in CLAIMING_TASKS if TASKS[task]["claim"] == claim)
    for claim in ("annotation", "subtypes")
    if any(TASKS[task]["claim"] == claim for task in CLAIMING_TASKS)
]


# For the caption of figure 4.
PREDICTED_AS = compared_as(
    dict.fromkeys(name for task in PAGE_TASKS for name in RUN.task_representations(task)), METHODS
)


rule annotation_page:
    input:
        **{
            table: expand(
                f"{TASK}/{table}{'.tsv.gz' if table == 'maps' else '.tsv'}", task=PAGE_TASKS
            )
            for table in ("scores", "patients", "skipped", "shown", "confusion", "maps")
        },
        palette=(
            rules.palette.output.palette.format(cohort=RUN.task_cohort(PAGE_TASKS[0]))
            if PAGE_TASKS
            else []
        ),
        tissues=(TISSUES.format(cohort=RUN.task_cohort(PAGE_TASKS[0])) if PAGE_TASKS else []),
        reported=REPORTED,
    output:
        pdf=f"{RESULTS}/figures/figure_4_annotation.pdf",
        png=report(
            f"{RESULTS}/figures/figure_4_annotation.png",
            category="1 The paper's figures",
            labels={"figure": "4 annotation and subtypes"},
            caption="../report/annotation/figure_4.rst",
        ),
    log:
        f"{RESULTS}/logs/annotation_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/annotation_page.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("annotation/page.py"),
        contents=contents_of(REPORTED),
        titles=[RUN.task_title(task) for task in PAGE_TASKS],
        predicted_as=PREDICTED_AS,
        claims=[TASKS[task]["claim"] for task in PAGE_TASKS],
        catalogue={
            name: words
            for task in PAGE_TASKS
            for name, words in catalogue_of(RUN.task_cohort(task)).items()
        },
    message:
        "Drawing figure 4, annotation and subtypes"
    script:
        "../scripts/annotation/page.py"


if PAGE_TASKS:
    deliver(figures=rules.annotation_page.output)


rule claims_annotation:
    input:
        asked=wanted("tasks.NAME.claim", CLAIMING_TASKS),
        scores=expand(rules.annotation_scores.output.scores, task=CLAIMING_TASKS),
        comparisons=expand(rules.annotation_scores.output.comparisons, task=CLAIMING_TASKS),
        patients=expand(rules.annotation_scores.output.patients, task=CLAIMING_TASKS),
        withheld=expand(rules.task_labels.output.withheld, task=CLAIMING_TASKS),
        trainings=trainings_of(JUDGED),
        reported=REPORTED,
    output:
        claims=f"{RESULTS}/claims/annotation.tsv",
    log:
        f"{RESULTS}/logs/claims_annotation.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_annotation.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("annotation/claims.py"),
        contents=contents_of(REPORTED),
        tasks={
            task: judged_on(RUN.task_cohort(task), JUDGED) | {"title": RUN.task_title(task)}
            for task in CLAIMING_TASKS
        },
        questions=[
            {
                "claim": TASKS[task]["claim"],
                "classifier": TASKS[task]["classifiers"][0],
                "derived": RUN.has_derived_labels(task),
            }
            for task in CLAIMING_TASKS
        ],
        catalogues=[catalogue_of(RUN.task_cohort(task)) for task in CLAIMING_TASKS],
    message:
        "Judging the claims on annotation and subtypes"
    script:
        "../scripts/annotation/claims.py"


if CLAIMING_TASKS:
    deliver(claims=rules.claims_annotation.output)
