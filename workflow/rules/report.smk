# The scoreboard, the provenance, and the report with all figures.


report: "../report/report/workflow.rst"


# Figure 1 shows the first of these sections that has a tissue image. The headline model could be
# trained on them.
SHOWN_COHORT = MODELS[HEADLINE]["pretrain_on"][0]
SHOWN_SAMPLES = [*SHEETS[SHOWN_COHORT].index[:12]]
SHOWN_FACTS = {
    "model": RUN.model_title(HEADLINE),
    "colour": BLUES[HEADLINE],
    "graph": RUN.graph_kind(HEADLINE),
    "network": MODELS[HEADLINE]["network"],
    "normalisation": MODELS[HEADLINE]["normalisation"],
    "mask_share": MODELS[HEADLINE]["mask_share"],
}


rule overview:
    input:
        qc=expand(rules.qc_table.output.table, cohort=RUN.used_cohorts()),
        split=f"{RESULTS}/models/{HEADLINE}/split.tsv",
        checkpoint=f"{RESULTS}/models/{HEADLINE}/best.pt",
        recipe=f"{RESULTS}/models/{HEADLINE}/recipe.json",
        samples=expand(SAMPLE, cohort=SHOWN_COHORT, sample=SHOWN_SAMPLES),
        graphs=graphs_of([SHOWN_COHORT], MODELS[HEADLINE]["graph"]),
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
        code=code_of("report/overview.py", NETWORKS.file(MODELS[HEADLINE]["network"])),
        rows=RUN.rows(RUN.used_cohorts(), "organ"),
    message:
        "Counting sections, spots and parameters"
    script:
        "../scripts/report/overview.py"


deliver(tables=rules.overview.output)


rule overview_page:
    input:
        sections=rules.overview.output.sections,
        neighbourhood=rules.overview.output.neighbourhood,
        layers=rules.overview.output.layers,
        tissues=TISSUES.format(cohort=SHOWN_COHORT),
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
        code=code_of("report/overview_page.py", NETWORKS.file(MODELS[HEADLINE]["network"])),
        facts=SHOWN_FACTS,
    message:
        "Drawing figure 1, data and model"
    script:
        "../scripts/report/overview_page.py"


deliver(figures=rules.overview_page.output)


rule provenance:
    input:
        samples=samples_of(RUN.used_cohorts()),
        claims=DELIVERIES["claims"],  # rewritten whenever numbers change
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
        code=code_of("report/provenance.py"),
        config=config,
        # Not recorded, because it depends on `output`: a commit that only changes docstrings reruns nothing.
        version=lambda wildcards, output: code_version(ROOT),
    message:
        "Recording provenance"
    script:
        "../scripts/report/provenance.py"


deliver(tables=rules.provenance.output)


rule scoreboard:
    input:
        reported=REPORTED,
        chapters=DELIVERIES["claims"],
        trainings=trainings_of(JUDGED),
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
        contents=contents_of(REPORTED),
        run=config["run"],
        titles=titles_of(*JUDGED),
        trained=[model for model in JUDGED if model in TRAINED],
    message:
        "Assembling the scoreboard"
    script:
        "../scripts/report/scoreboard.py"


deliver(tables=[rules.scoreboard.output.table], figures=[rules.scoreboard.output.page])


rule methods:
    input:
        template=repository_file("workflow/report/report/methods.rst"),
        provenance=rules.provenance.output.provenance,
        sections=rules.overview.output.sections,
        software=repository_file("resources/software.tsv"),
        training=expand(rules.pretrain.output.summary, model=TRAINED),
        panel=given(config["panel"]),
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
        code=code_of(
            "report/methods.py", *(NETWORKS.file(model["network"]) for model in MODELS.values())
        ),
        contents=contents_of(
            repository_file("workflow/report/report/methods.rst"),
            repository_file("resources/software.tsv"),
            config["panel"],
        ),
        trained=TRAINED,
    message:
        "Writing the methods"
    script:
        "../scripts/report/methods.py"


deliver(tables=[rules.methods.output.text], figures=[rules.methods.output.page])


rule results:
    input:
        **DELIVERIES,


# Of the figures laid out as the paper's, those that this run has.
PAGES = sorted(
    path for path in DELIVERIES["figures"] if re.search(r"\bfigure_\d_\w+\.png$", str(path))
)
PAGE_CAPTIONS = [
    repository_file(next((ROOT / "workflow/report").rglob(f"{Path(path).name[:8]}.rst")))
    for path in PAGES
]
# Cohorts on which a claim on results is judged.
SCORED = dict.fromkeys(
    [
        *RECOVERED[:1],
        *CLUSTERED[:1],
        *map(RUN.task_cohort, CLAIMING_TASKS),
        *PERTURBATION["cohorts"][:1],
    ]
)
PAGE_FILES = {
    "summary": "workflow/report/report/results_summary.html",
    "body": "workflow/report/report/results_page.html",
    "files": "workflow/report/report/files.tsv",
    "citation": "CITATION.cff",
    "drawing": "resources/figures/steps.svg",
}


# Last but for the report: it lists what the run has left, and what it cost.
rule results_page:
    input:
        **{name: repository_file(path) for name, path in PAGE_FILES.items()},
        results=rules.results.input,
        board=rules.scoreboard.output.table,
        provenance=rules.provenance.output.provenance,
        sections=rules.overview.output.sections,
        methods=rules.methods.output.text,
        training=[
            rules.pretrain.output.summary.format(model=model)
            for model in TRAINED
            if model == HEADLINE
        ],
        figures=PAGES,
        captions=PAGE_CAPTIONS,
        transfer=rules.transfer.output.table if RECOVERED else [],
    output:
        page=f"{RESULTS}/index.html",
        summary=f"{RESULTS}/overview/summary.html",
    log:
        f"{RESULTS}/logs/results_page.log",
    benchmark:
        f"{RESULTS}/benchmarks/results_page.tsv"
    localrule: True
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("report/results_page.py"),
        contents=contents_of(*PAGE_CAPTIONS, *map(repository_file, PAGE_FILES.values())),
        run=config["run"],
        model=HEADLINE,
        title=RUN.model_title(HEADLINE),
        cohorts={cohort: RUN.cohort_title(cohort) for cohort in SHEETS},
        models=titles_of(*MODELS),
        viewers={
            f"sections/{cohort}.html": RUN.cohort_title(cohort) for cohort in RUN.shown_cohorts()
        },
        scored=[*SCORED],
        catalogue={name: own for cohort in SCORED for name, own in catalogue_of(cohort).items()},
        facts=SHOWN_FACTS,  # of the captions
        titles=[RUN.task_title(task) for task in PAGE_TASKS],
        clustered_as=CLUSTERED_AS,
        predicted_as=PREDICTED_AS,
    message:
        "Writing the results page"
    script:
        "../scripts/report/results_page.py"


CAPTIONS = sorted(map(repository_file, (ROOT / "workflow/report").rglob("*.rst")))


rule report_zip:
    input:
        rules.results_page.output,
        captions=CAPTIONS,
        style=repository_file("workflow/report/report/report.css"),
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
        contents=contents_of(*CAPTIONS, repository_file("workflow/report/report/report.css")),
    message:
        "Packing the report"
    run:
        from sagefm.report.archive import pack_report

        pack_report(
            output.archive, log[0], config, ROOT / "Snakefile", "results_page", input.style
        )
