# The paper's five figures, a page each, drawn from the tables that the chapters left.

RECOVERED = first(config["recovery"]["cohorts"])
CLUSTERED = first(CLUSTERING["cohorts"])
PERTURBED_COHORT = first(PERTURBATION["cohorts"])
# One task a claim: annotation, then subtypes.
PAGE_TASKS = [
    next(task for task in CLAIMING_TASKS if TASKS[task]["claim"] == claim)
    for claim in ("annotation", "subtypes")
    if any(TASKS[task]["claim"] == claim for task in CLAIMING_TASKS)
]
# The section that figure 1 shows: the first that the headline model could be trained on.
SHOWN_COHORT = MODELS[HEADLINE]["pretrain_on"][0]
SHOWN_SAMPLE = SHEETS[SHOWN_COHORT].index[0]


rule overview:
    input:
        qc=expand(rules.qc_table.output.table, cohort=used_cohorts()),
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        checkpoint=f"{RESULTS}/models/{HEADLINE}/best.pt",
        panel=config["panel"],
        sample=SAMPLE.format(cohort=SHOWN_COHORT, sample=SHOWN_SAMPLE),
        graph=GRAPH.format(
            graph=MODELS[HEADLINE]["graph"], cohort=SHOWN_COHORT, sample=SHOWN_SAMPLE
        ),
        library=module_files(
            "report.overview", "networks.checkpoint", "cohorts.panel", "sections.genes"
        ),
    output:
        sections=f"{RESULTS}/overview/sections.tsv",
        neighbourhood=f"{RESULTS}/overview/neighbourhood.tsv",
        layers=f"{RESULTS}/overview/layers.tsv",
    log:
        f"{RESULTS}/logs/overview.log",
    benchmark:
        f"{RESULTS}/benchmarks/overview.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        rows=rows_of(used_cohorts()),
        network=MODELS[HEADLINE]["network"],
    message:
        "Counting sections, spots and parameters"
    script:
        "../scripts/report/overview.py"


rule overview_page:
    input:
        sections=rules.overview.output.sections,
        neighbourhood=rules.overview.output.neighbourhood,
        layers=rules.overview.output.layers,
        library=module_files("report.overview_figure"),
    output:
        pdf=f"{RESULTS}/figures/figure_1_overview.pdf",
        png=report(
            f"{RESULTS}/figures/figure_1_overview.png",
            category="1 The paper's figures",
            labels={"figure": "1 data and model"},
            caption="../report/report/figure_1.rst",
        ),
    log:
        f"{RESULTS}/logs/overview_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/overview_page.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        facts={
            "model": HEADLINE,
            "graph": kind_of(HEADLINE),
            "network": MODELS[HEADLINE]["network"],
            "normalisation": MODELS[HEADLINE]["normalisation"],
            "mask_share": MODELS[HEADLINE]["mask_share"],
            "section": SHOWN_SAMPLE,
        },
    message:
        "Drawing figure 1, data and model"
    script:
        "../scripts/report/overview_page.py"


rule recovery_page:
    input:
        summary=rules.recovery.output.summary.format(model=HEADLINE, cohort=RECOVERED),
        genes=rules.recovery.output.genes.format(model=HEADLINE, cohort=RECOVERED),
        maps=rules.recovery.output.maps.format(model=HEADLINE, cohort=RECOVERED),
        reported=REPORTED,
        library=module_files("report.pages"),
    output:
        pdf=f"{RESULTS}/figures/figure_2_recovery.pdf",
        png=report(
            f"{RESULTS}/figures/figure_2_recovery.png",
            category="1 The paper's figures",
            labels={"figure": "2 recovery"},
            caption="../report/recovery/figure_2.rst",
        ),
    log:
        f"{RESULTS}/logs/recovery_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/recovery_page.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    message:
        "Drawing figure 2, recovery"
    script:
        "../scripts/recovery/page.py"


rule clustering_page:
    input:
        umap=rules.cluster_umap.output.umap.format(cohort=CLUSTERED),
        clusters=[
            rules.cluster.output.clusters.format(cohort=CLUSTERED, representation=name)
            for name in mapped_of(CLUSTERED)
        ],
        summary=rules.clustering_tables.output.summary.format(cohort=CLUSTERED),
        palette=rules.palette.output.palette.format(cohort=CLUSTERED),
        library=module_files("report.pages", "plotting.palette"),
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
        representations=mapped_of(CLUSTERED),
        drop=CLUSTERING["drop"],
    message:
        "Drawing figure 3, clustering and heterogeneity"
    script:
        "../scripts/clustering/page.py"


rule annotation_page:
    input:
        **{
            table: expand(
                f"{TASK}/{table}{'.tsv.gz' if table == 'maps' else '.tsv'}", task=PAGE_TASKS
            )
            for table in ("scores", "skipped", "shown", "confusion", "maps")
        },
        palette=(
            rules.palette.output.palette.format(cohort=cohort_of(PAGE_TASKS[0]))
            if PAGE_TASKS
            else []
        ),
        reported=REPORTED,
        library=module_files("report.pages", "plotting.palette"),
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
        titles=[task_title(task) for task in PAGE_TASKS],
        claims=[TASKS[task]["claim"] for task in PAGE_TASKS],
    message:
        "Drawing figure 4, annotation and subtypes"
    script:
        "../scripts/annotation/page.py"


rule perturbation_page:
    input:
        **{
            table: f"{PERTURBED}/{table}{'.tsv.gz' if table in ('levels', 'maps') else '.tsv'}".format(
                model=PERTURBED_MODELS[0], cohort=PERTURBED_COHORT, pairs=first(PAIRS)
            )
            for table in ("pairs", "levels", "summary", "discrimination", "maps")
        },
        library=module_files("report.pages"),
    output:
        pdf=f"{RESULTS}/figures/figure_5_perturbation.pdf",
        png=report(
            f"{RESULTS}/figures/figure_5_perturbation.png",
            category="1 The paper's figures",
            labels={"figure": "5 perturbation"},
            caption="../report/perturbation/figure_5.rst",
        ),
    log:
        f"{RESULTS}/logs/perturbation_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/perturbation_page.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    message:
        "Drawing figure 5, perturbation"
    script:
        "../scripts/perturbation/page.py"


PAGES = [
    rules.overview_page.output.png,
    *([rules.recovery_page.output.png] if RECOVERED else []),
    *([rules.clustering_page.output.png] if CLUSTERED else []),
    *([rules.annotation_page.output.png] if PAGE_TASKS else []),
    *([rules.perturbation_page.output.png] if PERTURBATION_FIGURES else []),
]
