# Claim 3: clusters of each representation against labels, and the heterogeneity it preserves.

CLUSTERING = config["clustering"]
CLUSTERED = CLUSTERING["cohorts"]
CLUSTERS = f"{RESULTS}/clustering/{{cohort}}/{{representation}}"
NOT_OF_SCORES = ("cohorts", "umap_spots", "maps")


rule cluster:
    input:
        representation=REPRESENTATION,
        labels=lambda wildcards: spot_labels_of(wildcards.cohort),
    output:
        scores=f"{CLUSTERS}/scores.tsv",
        clusters=f"{CLUSTERS}/clusters.tsv.gz",
        skipped=f"{CLUSTERS}/skipped.tsv",
    log:
        f"{RESULTS}/logs/cluster/{{cohort}}/{{representation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/cluster/{{cohort}}/{{representation}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing_with_features(3000, per_1000_spots=55, of_all_genes=130),
        runtime=growing(120, per_1000_spots=10),
    params:
        code=code_of("clustering/cluster.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "organ", "disease_state"),
        settings={key: value for key, value in CLUSTERING.items() if key not in NOT_OF_SCORES},
    message:
        "Clustering {wildcards.cohort} by {wildcards.representation}"
    script:
        "../scripts/clustering/cluster.py"


for cohort in CLUSTERED:
    deliver(
        tables=expand(
            rules.cluster.output, cohort=cohort, representation=RUN.representations(cohort)
        )
    )


rule clustering_tables:
    input:
        scores=lambda wildcards: expand(
            rules.cluster.output.scores,
            representation=RUN.representations(wildcards.cohort),
            allow_missing=True,
        ),
        skipped=lambda wildcards: expand(
            rules.cluster.output.skipped,
            representation=RUN.representations(wildcards.cohort),
            allow_missing=True,
        ),
        costs=f"{RESULTS}/representations/{{cohort}}/costs.tsv",
    output:
        summary=f"{RESULTS}/clustering/{{cohort}}/summary.tsv",
        comparisons=f"{RESULTS}/clustering/{{cohort}}/comparisons.tsv",
        skipped=f"{RESULTS}/clustering/{{cohort}}/skipped.tsv",
    log:
        f"{RESULTS}/logs/clustering_tables/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/clustering_tables/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("clustering/tables.py"),
        catalogue=lambda wildcards: catalogue_of(wildcards.cohort),
    message:
        "Summarising the clusterings of {wildcards.cohort}"
    script:
        "../scripts/clustering/tables.py"


deliver(tables=expand(rules.clustering_tables.output, cohort=CLUSTERED))


rule cluster_umap:
    input:
        representations=lambda wildcards: expand(
            REPRESENTATION,
            representation=RUN.representations(wildcards.cohort),
            allow_missing=True,
        ),
        labels=lambda wildcards: spot_labels_of(wildcards.cohort),
    output:
        umap=f"{RESULTS}/clustering/{{cohort}}/umap.tsv.gz",
    log:
        f"{RESULTS}/logs/cluster_umap/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/cluster_umap/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000, per_1000_spots=130),
        runtime=growing(120, per_1000_spots=4),
    params:
        code=code_of("clustering/umap.py"),
        rows=lambda wildcards: RUN.rows([wildcards.cohort]),
        components=CLUSTERING["components"],
        neighbours=CLUSTERING["neighbours"],
        spots=CLUSTERING["umap_spots"],
    message:
        "Computing the UMAP of {wildcards.cohort}"
    script:
        "../scripts/clustering/umap.py"


deliver(tables=expand(rules.cluster_umap.output, cohort=CLUSTERED))


rule clustering_figures:
    input:
        summary=rules.clustering_tables.output.summary,
    output:
        metrics_pdf=f"{RESULTS}/figures/clustering_metrics_{{cohort}}.pdf",
        metrics_png=report(
            f"{RESULTS}/figures/clustering_metrics_{{cohort}}.png",
            category="5 Embeddings and clusters (claim 3)",
            labels={"figure": "all metrics", "cohort": "{cohort}"},
            caption="../report/clustering/metrics.rst",
        ),
        batch_pdf=f"{RESULTS}/figures/clustering_batch_{{cohort}}.pdf",
        batch_png=report(
            f"{RESULTS}/figures/clustering_batch_{{cohort}}.png",
            category="5 Embeddings and clusters (claim 3)",
            labels={"figure": "batch against biology", "cohort": "{cohort}"},
            caption="../report/clustering/batch.rst",
        ),
    log:
        f"{RESULTS}/logs/clustering_figures/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/clustering_figures/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("clustering/figures.py"),
        catalogue=lambda wildcards: catalogue_of(wildcards.cohort),
        clustered_as=lambda wildcards: compared_as(RUN.representations(wildcards.cohort), METHODS),
    message:
        "Drawing the cluster scores of {wildcards.cohort}"
    script:
        "../scripts/clustering/figures.py"


deliver(figures=expand(rules.clustering_figures.output, cohort=CLUSTERED))


rule cluster_maps_figures:
    input:
        umap=rules.cluster_umap.output.umap,
        clusters=lambda wildcards: expand(
            rules.cluster.output.clusters, representation=mapped(wildcards), allow_missing=True
        ),
        palette=rules.palette.output.palette,
        tissues=TISSUES,
    output:
        umap_pdf=f"{RESULTS}/figures/clustering_umap_{{cohort}}.pdf",
        umap_png=report(
            f"{RESULTS}/figures/clustering_umap_{{cohort}}.png",
            category="5 Embeddings and clusters (claim 3)",
            labels={"figure": "UMAP", "cohort": "{cohort}"},
            caption="../report/clustering/umap.rst",
        ),
        maps_pdf=f"{RESULTS}/figures/clustering_maps_{{cohort}}.pdf",
        maps_png=report(
            f"{RESULTS}/figures/clustering_maps_{{cohort}}.png",
            category="5 Embeddings and clusters (claim 3)",
            labels={"figure": "clusters on the tissue", "cohort": "{cohort}"},
            caption="../report/clustering/maps.rst",
        ),
    log:
        f"{RESULTS}/logs/cluster_maps_figures/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/cluster_maps_figures/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=20),
        runtime=growing(20),
    params:
        code=code_of("clustering/map_figures.py"),
        representations=mapped,
        drop=CLUSTERING["drop"],
        catalogue=lambda wildcards: catalogue_of(wildcards.cohort),
    message:
        "Drawing the clusters of {wildcards.cohort}"
    script:
        "../scripts/clustering/map_figures.py"


deliver(figures=expand(rules.cluster_maps_figures.output, cohort=CLUSTERED))


# For the caption of figure 3.
CLUSTERED_AS = compared_as(RUN.representations(first(CLUSTERED)), METHODS) if CLUSTERED else ""


rule clustering_page:
    input:
        umap=rules.cluster_umap.output.umap.format(cohort=first(CLUSTERED)),
        clusters=[
            rules.cluster.output.clusters.format(cohort=first(CLUSTERED), representation=name)
            for name in RUN.mapped_representations(first(CLUSTERED))
        ],
        summary=rules.clustering_tables.output.summary.format(cohort=first(CLUSTERED)),
        palette=rules.palette.output.palette.format(cohort=first(CLUSTERED)),
        tissues=TISSUES.format(cohort=first(CLUSTERED)),
    output:
        pdf=f"{RESULTS}/figures/figure_3_clustering.pdf",
        png=report(
            f"{RESULTS}/figures/figure_3_clustering.png",
            category="1 The paper's figures",
            labels={"figure": "3 clustering and heterogeneity"},
            caption="../report/clustering/figure_3.rst",
        ),
    log:
        f"{RESULTS}/logs/clustering_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/clustering_page.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("clustering/page.py"),
        representations=RUN.mapped_representations(first(CLUSTERED)),
        drop=CLUSTERING["drop"],
        catalogue=catalogue_of(first(CLUSTERED)),
        clustered_as=CLUSTERED_AS,
    message:
        "Drawing figure 3, clustering and heterogeneity"
    script:
        "../scripts/clustering/page.py"


if CLUSTERED:
    deliver(figures=rules.clustering_page.output)


rule claims_clustering:
    input:
        **judged_inputs(JUDGED, first(CLUSTERED)),
        asked=wanted("clustering.cohorts", CLUSTERED),
        summary=f"{RESULTS}/clustering/{first(CLUSTERED)}/summary.tsv",
        comparisons=f"{RESULTS}/clustering/{first(CLUSTERED)}/comparisons.tsv",
    output:
        claims=f"{RESULTS}/claims/clustering.tsv",
    log:
        f"{RESULTS}/logs/claims_clustering.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_clustering.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        **judged_on(first(CLUSTERED), JUDGED),
        code=code_of("clustering/claims.py"),
        all_models=list(MODELS),
        catalogue=catalogue_of(first(CLUSTERED)),
    message:
        "Judging the claim on clustering"
    script:
        "../scripts/clustering/claims.py"


if CLUSTERED:
    deliver(claims=rules.claims_clustering.output)
