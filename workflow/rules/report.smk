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


rule pretraining_set:
    input:
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        duplicates=config["split"]["duplicates"] or [],
        library=module_files("training.pretraining_set"),
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
        model=HEADLINE,
        rows=rows_of(MODELS[HEADLINE]["pretrain_on"], "expected_spots"),
    message:
        "Counting what model {params.model} is trained on"
    script:
        "../scripts/training/pretraining_set.py"


rule pretraining_set_figure:
    input:
        organs=rules.pretraining_set.output.organs,
        library=module_files("training.figures"),
    output:
        pdf=f"{RESULTS}/figures/pretraining_set.pdf",
        png=report(
            f"{RESULTS}/figures/pretraining_set.png",
            category="2 Data",
            labels={"figure": "organs and parts", "model": HEADLINE},
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
        model=HEADLINE,
    message:
        "Drawing what model {params.model} is trained on"
    script:
        "../scripts/training/pretraining_set_figure.py"


rule claims_pretraining:
    input:
        organs=rules.pretraining_set.output.organs,
        duplicates=rules.pretraining_set.output.duplicates,
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        training=f"{RESULTS}/models/{HEADLINE}/training.json" if HEADLINE in TRAINED else [],
        library=module_files("recovery.claims", "representations.claims", "training.claims"),
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
        model=HEADLINE,
        paper_data=all(
            config["cohorts"][cohort]["paper_data"] for cohort in MODELS[HEADLINE]["pretrain_on"]
        ),
    message:
        "Judging the claims on pretraining"
    script:
        "../scripts/training/claims.py"


rule claims_recovery:
    input:
        asked=wanted("recovery.cohorts", config["recovery"]["cohorts"]),
        summary=f"{RESULTS}/recovery/{HEADLINE}/{{cohort}}/summary.tsv".format(
            cohort=first(config["recovery"]["cohorts"])
        ),
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        library=module_files(
            "recovery.claims",
            "representations.claims",
            "training.claims",
            "training.split",
            "training.seen",
        ),
    output:
        claims=f"{RESULTS}/claims/recovery.tsv",
    log:
        f"{RESULTS}/logs/claims_recovery.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_recovery.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        model=HEADLINE,
        cohort=first(config["recovery"]["cohorts"]),
        title=title_of(first(config["recovery"]["cohorts"])),
        rows=rows_of(config["recovery"]["cohorts"][:1]),
        paper_data=is_paper_data(first(config["recovery"]["cohorts"])),
    message:
        "Judging the claim on recovery"
    script:
        "../scripts/recovery/claims.py"


rule claims_coherence:
    input:
        asked=wanted("representations.cohorts", config["representations"]["cohorts"]),
        table=f"{RESULTS}/coherence/{{cohort}}.tsv".format(
            cohort=first(config["representations"]["cohorts"])
        ),
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        library=module_files(
            "recovery.claims",
            "representations.claims",
            "training.claims",
            "training.split",
            "training.seen",
        ),
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
        model=HEADLINE,
        cohort=first(config["representations"]["cohorts"]),
        rows=rows_of(config["representations"]["cohorts"][:1]),
        paper_data=is_paper_data(first(config["representations"]["cohorts"])),
    message:
        "Judging the claim on spatial coherence"
    script:
        "../scripts/representations/claims.py"


rule claims_interpretable:
    input:
        asked=wanted("screen.cohorts", SCREEN["cohorts"]),
        scores=rules.screen_scores.output.scores.format(
            model=SCREEN_MODELS[0], cohort=first(SCREEN["cohorts"])
        ),
        library=module_files("screen.claims"),
    output:
        claims=f"{RESULTS}/claims/interpretable.tsv",
    log:
        f"{RESULTS}/logs/claims_interpretable.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_interpretable.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        model=SCREEN_MODELS[0],
        cohort=first(SCREEN["cohorts"]),
        title=title_of(first(SCREEN["cohorts"])),
        paper_data=is_paper_data(first(SCREEN["cohorts"])),
    message:
        "Judging the claim on interpretability"
    script:
        "../scripts/screen/claims.py"


rule provenance:
    input:
        samples=samples_of(used_cohorts()),
        library=module_files("report.provenance"),
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
        config=config,
        code=code_version(Path(workflow.basedir)),
    message:
        "Writing down provenance"
    script:
        "../scripts/report/provenance.py"


rule scoreboard:
    input:
        reported=REPORTED,
        chapters=expand(f"{RESULTS}/claims/{{chapter}}.tsv", chapter=CHAPTERS),
        provenance=rules.provenance.output.provenance,
        library=module_files("claims.claim", "claims.scoreboard"),
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
        library=module_files("report.methods_text", "cohorts.panel", "sections.genes"),
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
        trained=TRAINED,
    message:
        "Writing the methods"
    script:
        "../scripts/report/methods.py"


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
        library=module_files("report.archive"),
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
