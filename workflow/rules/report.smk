# What it all comes to: the scoreboard, provenance, and the report that holds the figures.


report: "../report/report/workflow.rst"


CHAPTERS = ["pretraining"]
if config["recovery"]["cohorts"]:
    CHAPTERS.append("recovery")
if config["representations"]["cohorts"]:
    CHAPTERS.append("coherence")
if config["clustering"]["cohorts"]:
    CHAPTERS.append("clustering")
if CLAIMING_TASKS:
    CHAPTERS.append("annotation")
if PERTURBATION_FIGURES:
    CHAPTERS.append("perturbation")
if SCREEN["cohorts"]:
    CHAPTERS.append("interpretable")


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
        code=code_of("report/overview.py"),
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
        code=code_of("report/overview_page.py"),
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


rule provenance:
    input:
        samples=samples_of(used_cohorts()),
    output:
        provenance=f"{RESULTS}/provenance.json",
    log:
        f"{RESULTS}/logs/provenance.log",
    benchmark:
        f"{RESULTS}/benchmarks/provenance.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        code=library_state(),
        config=config,
        # Not recorded, as it depends on `output`: a commit that changes a docstring alone reruns nothing.
        version=lambda wildcards, output: code_version(Path(workflow.basedir)),
    message:
        "Writing down provenance"
    script:
        "../scripts/report/provenance.py"


rule scoreboard:
    input:
        reported=REPORTED,
        chapters=expand(f"{RESULTS}/claims/{{chapter}}.tsv", chapter=CHAPTERS),
        provenance=rules.provenance.output.provenance,
    output:
        table=f"{RESULTS}/scoreboard.tsv",
        page=report(
            f"{RESULTS}/figures/scoreboard.html",
            category="0 Scoreboard",
            labels={"figure": "claims and verdicts"},
            caption="../report/report/scoreboard.rst",
        ),
    log:
        f"{RESULTS}/logs/scoreboard.log",
    benchmark:
        f"{RESULTS}/benchmarks/scoreboard.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("report/scoreboard.py"),
        run=config["run"],
    message:
        "Putting the scoreboard together"
    script:
        "../scripts/report/scoreboard.py"


rule methods:
    input:
        template=f"{workflow.basedir}/workflow/report/report/methods.rst",
        provenance=rules.provenance.output.provenance,
        sections=rules.overview.output.sections,
        software=f"{workflow.basedir}/resources/software.tsv",
        training=expand(rules.pretrain.output.summary, model=TRAINED),
        panel=config["panel"],
    output:
        text=f"{RESULTS}/methods.rst",
        page=report(
            f"{RESULTS}/figures/methods.html",
            category="0 Scoreboard",
            labels={"figure": "methods, software"},
            caption="../report/report/methods_page.rst",
        ),
    log:
        f"{RESULTS}/logs/methods.log",
    benchmark:
        f"{RESULTS}/benchmarks/methods.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        code=code_of("report/methods.py"),
        trained=TRAINED,
    message:
        "Writing the methods"
    script:
        "../scripts/report/methods.py"


PAGES = [
    rules.overview_page.output.png,
    *([rules.recovery_page.output.png] if RECOVERED else []),
    *([rules.clustering_page.output.png] if CLUSTERED else []),
    *([rules.annotation_page.output.png] if PAGE_TASKS else []),
    *([rules.perturbation_page.output.png] if PERTURBATION_FIGURES else []),
]


rule results:
    input:
        rules.scoreboard.output,
        rules.methods.output,
        pages=PAGES,
        qc=expand(rules.qc_figure.output.png, cohort=used_cohorts()),
        pretraining_set=rules.pretraining_set_figure.output.png,
        gpu=GPU_CHECKED if GPUS else [],
        training=expand(rules.training_figure.output.png, model=TRAINED),
        recipes=expand(rules.recipe.output.recipe, model=MODELS),
        recovery=RECOVERY_FIGURES,
        imputation=IMPUTATION_FIGURES,
        coherence=expand(
            rules.coherence_figure.output.png,
            cohort=config["representations"]["cohorts"],
        ),
        clustering=CLUSTERING_FIGURES,
        annotation=ANNOTATION_FIGURES,
        perturbation=PERTURBATION_FIGURES,
        screen=SCREEN_FIGURES,


DELIVERED = [
    *rules.results.input,
    *(path.removesuffix("png") + "pdf" for path in rules.results.input if path.endswith("png")),
    *expand(rules.qc_table.output, cohort=used_cohorts()),
    *expand(rules.split.output, model=MODELS),
    *expand([rules.pretrain.output.history, rules.pretrain.output.summary], model=TRAINED),
    *expand(rules.coherence.output, cohort=config["representations"]["cohorts"]),
    *expand(f"{RESULTS}/claims/{{chapter}}.tsv", chapter=CHAPTERS),
    *rules.pretraining_set.output,
    *rules.overview.output,
    *rules.provenance.output,
    *RECOVERY_TABLES,
    *IMPUTATION_TABLES,
    *CLUSTERING_TABLES,
    *ANNOTATION_TABLES,
    *PERTURBATION_TABLES,
    *SCREEN_TABLES,
]


rule report_zip:
    input:
        rules.results.input,
        captions=sorted((Path(workflow.basedir) / "workflow/report").rglob("*.rst")),
        style=f"{workflow.basedir}/workflow/report/report/report.css",
    output:
        archive=f"{RESULTS}/report.zip",
    log:
        f"{RESULTS}/logs/report_zip.log",
    benchmark:
        f"{RESULTS}/benchmarks/report_zip.tsv"
    localrule: True
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("report.archive"),
    message:
        "Binding the report"
    run:
        from sagefm.report.archive import bind_report

        bind_report(
            output.archive, log[0], config, workflow.main_snakefile, "results", input.style
        )


# What a finished run has lost is made again by the next start, and what follows from it: Snakemake
# by itself looks no further than the report, which is newer than all of it.
REMOVED = []
if Path(rules.report_zip.output.archive).exists():
    REMOVED = [path for path in DELIVERED if not Path(path).exists()]
