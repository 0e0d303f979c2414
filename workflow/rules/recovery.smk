# Claim 2: predict genes hidden at the central spot, and compare with untrained baselines.

RECOVERED = config["recovery"]["cohorts"]
RECOVERY = f"{RESULTS}/recovery/{{model}}/{{cohort}}"


rule recovery:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        gene_means=f"{RESULTS}/models/{{model}}/gene_means.tsv",
        split=lambda wildcards: seen_of(wildcards.model, wildcards.cohort),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
    output:
        summary=f"{RECOVERY}/summary.tsv",
        samples=f"{RECOVERY}/samples.tsv",
        patients=f"{RECOVERY}/patients.tsv",
        comparisons=f"{RECOVERY}/comparisons.tsv",
        genes=f"{RECOVERY}/genes.tsv.gz",
        spots=f"{RECOVERY}/spots.tsv.gz",
        maps=f"{RECOVERY}/maps.tsv.gz",
    log:
        f"{RESULTS}/logs/recovery/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/recovery/{{model}}/{{cohort}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(4000, per_1000_spots=4),
        runtime=growing(120, per_1000_spots=1),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("recovery/score.py", network_file),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], "organ"),
        mask_share=config["recovery"]["mask_share"],
        seed=config["recovery"]["seed"],
        rank_spots=config["recovery"]["rank_spots"],
        every_gene=config["recovery"]["genes"] == "all_as_in_the_paper",
    message:
        "Scoring recovery by model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/recovery/score.py"


deliver(tables=expand(rules.recovery.output, model=MODELS, cohort=RECOVERED))


# Figures of the whole run, then of each model on each cohort.
SUMMARIES = expand(rules.recovery.output.summary, model=MODELS, cohort=RECOVERED)


rule recovered_figure:
    input:
        tables=SUMMARIES,
        reported=REPORTED,
    output:
        pdf=f"{RESULTS}/figures/recovered.pdf",
        png=report(
            f"{RESULTS}/figures/recovered.png",
            category="4 Recovery (claim 2)",
            labels={"figure": "share recovered", "model": "all", "cohort": "all"},
            caption="../report/recovery/recovered.rst",
        ),
    log:
        f"{RESULTS}/logs/recovered_figure.log",
    benchmark:
        f"{RESULTS}/benchmarks/recovered_figure.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("recovery/figure.py"),
        titles=titles_of(*MODELS),
        colours=colours_of(*MODELS),
        contents=contents_of(REPORTED),
    message:
        "Drawing the share of genes recovered"
    script:
        "../scripts/recovery/figure.py"


if RECOVERED:
    deliver(figures=rules.recovered_figure.output)


rule strata_figure:
    input:
        tables=SUMMARIES,
    output:
        pdf=f"{RESULTS}/figures/recovery_strata.pdf",
        png=report(
            f"{RESULTS}/figures/recovery_strata.png",
            category="4 Recovery (claim 2)",
            labels={"figure": "by detection, organ", "model": "all", "cohort": "all"},
            caption="../report/recovery/strata.rst",
        ),
    log:
        f"{RESULTS}/logs/strata_figure.log",
    benchmark:
        f"{RESULTS}/benchmarks/strata_figure.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("recovery/strata_figure.py"),
        titles=titles_of(*MODELS),
        colours=colours_of(*MODELS),
    message:
        "Drawing recovery by detection rate, organ and patient"
    script:
        "../scripts/recovery/strata_figure.py"


if RECOVERED:
    deliver(figures=rules.strata_figure.output)


rule detection_figure:
    input:
        table=rules.recovery.output.genes,
    output:
        pdf=f"{RESULTS}/figures/recovery_detection_{{model}}_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/recovery_detection_{{model}}_{{cohort}}.png",
            category="4 Recovery (claim 2)",
            labels=labelled("correlation by detection"),
            caption="../report/recovery/detection.rst",
        ),
    log:
        f"{RESULTS}/logs/detection_figure/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/detection_figure/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("recovery/detection_figure.py"),
        title=own_title,
        colour=own_colour,
    message:
        "Drawing correlation by detection rate: {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/recovery/detection_figure.py"


deliver(figures=expand(rules.detection_figure.output, model=MODELS, cohort=RECOVERED))


rule maps_figure:
    input:
        table=rules.recovery.output.maps,
        tissues=TISSUES,
    output:
        pdf=f"{RESULTS}/figures/recovery_maps_{{model}}_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/recovery_maps_{{model}}_{{cohort}}.png",
            category="4 Recovery (claim 2)",
            labels=labelled("predicted and true maps"),
            caption="../report/recovery/maps.rst",
        ),
    log:
        f"{RESULTS}/logs/maps_figure/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/maps_figure/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("recovery/maps_figure.py"),
        title=own_title,
    message:
        "Drawing predicted and true maps: {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/recovery/maps_figure.py"


deliver(figures=expand(rules.maps_figure.output, model=MODELS, cohort=RECOVERED))


# The models on each cohort, with the technologies of the training and of the cohort.
rule transfer:
    input:
        patients=expand(rules.recovery.output.patients, cohort=RECOVERED, model=MODELS),
    output:
        table=f"{RESULTS}/recovery/transfer.tsv",
    log:
        f"{RESULTS}/logs/transfer.log",
    benchmark:
        f"{RESULTS}/benchmarks/transfer.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code_of("recovery/transfer.py"),
        technologies={cohort: RUN.technologies(cohort) for cohort in SHEETS},
        trained_on={model: MODELS[model]["pretrain_on"] for model in MODELS},
    message:
        "Comparing recovery between cohorts"
    script:
        "../scripts/recovery/transfer.py"


if RECOVERED:
    deliver(tables=rules.transfer.output)


rule recovery_page:
    input:
        summary=rules.recovery.output.summary.format(model=HEADLINE, cohort=first(RECOVERED)),
        genes=rules.recovery.output.genes.format(model=HEADLINE, cohort=first(RECOVERED)),
        maps=rules.recovery.output.maps.format(model=HEADLINE, cohort=first(RECOVERED)),
        tissues=TISSUES.format(cohort=first(RECOVERED)),
        reported=REPORTED,
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
    params:
        code=code_of("recovery/page.py"),
        title=RUN.model_title(HEADLINE),
        colour=BLUES[HEADLINE],
        contents=contents_of(REPORTED),
    message:
        "Drawing figure 2, recovery"
    script:
        "../scripts/recovery/page.py"


if RECOVERED:
    deliver(figures=rules.recovery_page.output)


rule claims_recovery:
    input:
        **{
            table: expand(
                f"{RESULTS}/recovery/{{model}}/{first(RECOVERED)}/{table}.tsv", model=JUDGED
            )
            for table in ("summary", "patients", "comparisons")
        },
        **judged_inputs(JUDGED, first(RECOVERED)),
        asked=wanted("recovery.cohorts", RECOVERED),
        reported=REPORTED,
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
        **judged_on(first(RECOVERED), JUDGED),
        code=code_of("recovery/claims.py"),
        contents=contents_of(REPORTED),
    message:
        "Judging the claim on recovery"
    script:
        "../scripts/recovery/claims.py"


if RECOVERED:
    deliver(claims=rules.claims_recovery.output)
