# The results of each spot: a section viewer, and on request (`snakemake explore`) files for scanpy and
# other viewers.


rule explore_cohort:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        labels=lambda wildcards: spot_labels_of(wildcards.cohort),
        representations=lambda wildcards: expand(
            REPRESENTATION,
            representation=RUN.representations(wildcards.cohort),
            allow_missing=True,
        ),
        clusters=lambda wildcards: expand(
            rules.cluster.output.clusters,
            representation=clustered(wildcards.cohort),
            allow_missing=True,
        ),
        predictions=predictions_on,
        palette=rules.palette.output.palette,
    output:
        explore=f"{RESULTS}/explore/{{cohort}}.h5ad",
    log:
        f"{RESULTS}/logs/explore_cohort/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore_cohort/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000, per_1000_spots=300),
        runtime=growing(120, per_1000_spots=10),
    params:
        code=code_of("exports/explore.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "organ", "disease_state"),
        clustered=lambda wildcards: clustered(wildcards.cohort),
        predictions=lambda wildcards: explored_tasks(wildcards.cohort),
        classifiers=lambda wildcards: {
            task: TASKS[task]["classifiers"][0] for task, _ in explored_tasks(wildcards.cohort)
        },
        umap=lambda wildcards: (
            {"seed": 0} | {key: CLUSTERING[key] for key in ("components", "neighbours")}
            if clustered(wildcards.cohort)
            else {}
        ),
        headline=f"sagefm-{HEADLINE}",
    message:
        "Writing {wildcards.cohort} as one h5ad"
    script:
        "../scripts/exports/explore.py"


rule explore:
    input:
        asked=wanted("representations.cohorts", RUN.represented_cohorts()),
        cohorts=expand(rules.explore_cohort.output.explore, cohort=RUN.represented_cohorts()),


# The output is the store's root file, because Snakemake does not track times inside a folder.
rule explore_store:
    input:
        explore=rules.explore_cohort.output.explore,
    output:
        root=f"{RESULTS}/explore/{{cohort}}.zarr/zarr.json",
    log:
        f"{RESULTS}/logs/explore_store/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/explore_store/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000, per_1000_spots=300),
        runtime=growing(60, per_1000_spots=2),
    params:
        code=code_of("exports/store.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "technology"),
    message:
        "Writing {wildcards.cohort} as SpatialData"
    script:
        "../scripts/exports/store.py"


rule explore_zarr:
    input:
        asked=wanted("representations.cohorts", RUN.represented_cohorts()),
        roots=expand(rules.explore_store.output.root, cohort=RUN.represented_cohorts()),


# The section viewer in a browser. For a large cohort, it shows some sections.
rule sections:
    input:
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[HEADLINE]["graph"]),
        checkpoint=f"{RESULTS}/models/{HEADLINE}/best.pt",
        recipe=f"{RESULTS}/models/{HEADLINE}/recipe.json",
        labels=lambda wildcards: spot_labels_of(wildcards.cohort),
        clusters=lambda wildcards: expand(
            rules.cluster.output.clusters,
            representation=clustered(wildcards.cohort),
            allow_missing=True,
        ),
        umap=lambda wildcards: (
            rules.cluster_umap.output.umap if clustered(wildcards.cohort) else []
        ),
        predictions=predictions_on,
        palette=rules.palette.output.palette,
        split=lambda wildcards: seen_of(HEADLINE, wildcards.cohort),
        genes=lambda wildcards: gene_sums_of([wildcards.cohort], HEADLINE),
        pairs=lambda wildcards: [
            rules.perturbation_tables.output.pairs.format(
                model=HEADLINE, cohort=wildcards.cohort, pairs=pairs
            )
            for pairs in responses_shown(wildcards.cohort)
        ],
        script=repository_file("workflow/report/exports/sections.js"),
    output:
        page=f"{RESULTS}/sections/{{cohort}}.html",
    log:
        f"{RESULTS}/logs/sections/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sections/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        code=code_of("exports/sections.py", NETWORKS.file(MODELS[HEADLINE]["network"])),
        contents=contents_of(repository_file("workflow/report/exports/sections.js")),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "technology"),
        clustered=lambda wildcards: clustered(wildcards.cohort),
        predictions=lambda wildcards: explored_tasks(wildcards.cohort),
        classifiers=lambda wildcards: {
            task: TASKS[task]["classifiers"][0] for task, _ in explored_tasks(wildcards.cohort)
        },
        title=lambda wildcards: RUN.cohort_title(wildcards.cohort),
        task_titles=lambda wildcards: {
            task: RUN.task_title(task) for task, _ in explored_tasks(wildcards.cohort)
        },
        model=HEADLINE,
        catalogue=lambda wildcards: catalogue_of(wildcards.cohort),
        named=PERTURBATION["named"],
        hidden=lambda wildcards: {
            pairs: hidden_by(PERTURBATION["hidden"], PAIRS[pairs]["source"])
            for pairs in responses_shown(wildcards.cohort)
        },
        levels_over=PERTURBATION["levels_over"],
    message:
        "Writing the section viewer of {wildcards.cohort}"
    script:
        "../scripts/exports/sections.py"


deliver(tables=expand(rules.sections.output.page, cohort=RUN.shown_cohorts()))
