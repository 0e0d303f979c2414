# Claim 6: change a gene in a spot's neighbours and read the models' predictions at the spot.

from sagefm.perturbation.terms import FORWARD, REVERSE, hidden_by

PERTURBATION = config["perturbation"]
PERTURBED_MODELS = RUN.chapter_models("perturbation")
PAIRS = PERTURBATION["pairs"]
EXPERIMENTS = {"model": PERTURBED_MODELS, "cohort": PERTURBATION["cohorts"], "pairs": PAIRS}
DIRECTIONS = [FORWARD, REVERSE]
PERTURBATION_KINDS = ["doses", "distributions", "directions", "maps"]
PAIR_TABLE = f"{RESULTS}/perturbation/{{cohort}}/{{pairs}}/pairs.tsv"
PERTURBED = f"{RESULTS}/perturbation/{{model}}/{{cohort}}/{{pairs}}"
RESPONSES = [f"{PERTURBED}/{direction}.npz" for direction in DIRECTIONS]
COEXPRESSION = [f"{PERTURBED}/coexpression_{direction}.npz" for direction in DIRECTIONS]


rule gene_pairs:
    input:
        genes=GENE_SUMS.format(cohort="{cohort}", normalisation="log1p"),
        path=lambda wildcards: given(
            published_at(PAIRS[wildcards.pairs]) or PAIRS[wildcards.pairs]["path"]
        ),
        gene_sets=lambda wildcards: given(PAIRS[wildcards.pairs]["gene_sets"]),
        drivers=lambda wildcards: given(PAIRS[wildcards.pairs]["drivers"]),
    output:
        pairs=f"{RESULTS}/perturbation/{{cohort}}/{{pairs}}/pairs.tsv",
        dropped=f"{RESULTS}/perturbation/{{cohort}}/{{pairs}}/dropped.tsv",
    log:
        f"{RESULTS}/logs/gene_pairs/{{cohort}}/{{pairs}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/gene_pairs/{{cohort}}/{{pairs}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000, per_1000_spots=0.5),
        runtime=growing(60),
    params:
        code=code_of("perturbation/pairs.py"),
        contents=lambda wildcards: contents_of(
            *(PAIRS[wildcards.pairs][key] for key in ("path", "gene_sets", "drivers"))
        ),
        entry=lambda wildcards: {key: PAIRS[wildcards.pairs][key] for key in ("source", "resource")},
        min_detected=PERTURBATION["min_detected"],
    message:
        "Choosing the gene pairs of {wildcards.pairs} to test on {wildcards.cohort}"
    script:
        "../scripts/perturbation/pairs.py"


deliver(tables=expand(rules.gene_pairs.output, cohort=PERTURBATION["cohorts"], pairs=PAIRS))


rule perturb:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        gene_means=f"{RESULTS}/models/{{model}}/gene_means.tsv",
        split=lambda wildcards: seen_of(wildcards.model, wildcards.cohort),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        genes=lambda wildcards: gene_sums_of([wildcards.cohort], wildcards.model),
        pairs=PAIR_TABLE,
    output:
        responses=RESPONSES,
    log:
        f"{RESULTS}/logs/perturb/{{model}}/{{cohort}}/{{pairs}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/perturb/{{model}}/{{cohort}}/{{pairs}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(8000, per_1000_spots=2),
        runtime=growing(720),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("perturbation/perturb.py", network_file),
        rows=lambda wildcards: RUN.rows([wildcards.cohort]),
        settings={
            key: PERTURBATION[key]
            for key in ("spots", "levels", "levels_over", "controls", "seed")
        },
        hidden=lambda wildcards: hidden_by(PERTURBATION["hidden"], PAIRS[wildcards.pairs]["source"]),
        state=f"{PERTURBED}/state",
    message:
        "Perturbing {wildcards.pairs} in both directions, model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/perturbation/perturb.py"


rule coexpression:
    input:
        split=f"{RESULTS}/models/{{model}}/split.tsv",
        samples=lambda wildcards: samples_of(MODELS[wildcards.model]["pretrain_on"]),
        graphs=lambda wildcards: graphs_of(
            MODELS[wildcards.model]["pretrain_on"], MODELS[wildcards.model]["graph"]
        ),
        gene_means=f"{RESULTS}/models/{{model}}/gene_means.tsv",
        pairs=PAIR_TABLE,
    output:
        coexpression=COEXPRESSION,
    log:
        f"{RESULTS}/logs/coexpression/{{model}}/{{cohort}}/{{pairs}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/coexpression/{{model}}/{{cohort}}/{{pairs}}.tsv"
    conda:
        "../../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500, per_1000_spots=0.5),
        runtime=growing(60, per_1000_spots=0.5),
    params:
        code=code_of("perturbation/coexpression.py"),
        normalisation=of_model("normalisation"),
    message:
        "Correlating neighbours with spots: {wildcards.pairs}, training sections of {wildcards.model}"
    script:
        "../scripts/perturbation/coexpression.py"


rule perturbation_tables:
    input:
        responses=RESPONSES,
        coexpression=COEXPRESSION,
        pairs=PAIR_TABLE,
    output:
        pairs=f"{PERTURBED}/pairs.tsv",
        levels=f"{PERTURBED}/levels.tsv.gz",
        summary=f"{PERTURBED}/summary.tsv",
        discrimination=f"{PERTURBED}/discrimination.tsv",
    log:
        f"{RESULTS}/logs/perturbation_tables/{{model}}/{{cohort}}/{{pairs}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/perturbation_tables/{{model}}/{{cohort}}/{{pairs}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        code=code_of("perturbation/tables.py"),
        seed=PERTURBATION["seed"],
    message:
        "Comparing {wildcards.pairs} with controls: model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/perturbation/tables.py"


deliver(tables=expand(rules.perturbation_tables.output, **EXPERIMENTS))


rule response_map:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        split=lambda wildcards: seen_of(wildcards.model, wildcards.cohort),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        genes=lambda wildcards: gene_sums_of([wildcards.cohort], wildcards.model),
        pairs=rules.perturbation_tables.output.pairs,
    output:
        maps=f"{PERTURBED}/maps.tsv.gz",
    log:
        f"{RESULTS}/logs/response_map/{{model}}/{{cohort}}/{{pairs}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/response_map/{{model}}/{{cohort}}/{{pairs}}.tsv"
    conda:
        model_environment
    threads: 1
    resources:
        mem_mb=growing(7000),
        runtime=growing(60),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("perturbation/maps.py", network_file),
        rows=lambda wildcards: RUN.rows([wildcards.cohort]),
        named=PERTURBATION["named"],
        levels_over=PERTURBATION["levels_over"],
        hidden=lambda wildcards: hidden_by(PERTURBATION["hidden"], PAIRS[wildcards.pairs]["source"]),
    message:
        "Mapping responses to {wildcards.pairs} in model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/perturbation/maps.py"


deliver(tables=expand(rules.response_map.output, **EXPERIMENTS))


rule perturbation_figures:
    input:
        pairs=rules.perturbation_tables.output.pairs,
        levels=rules.perturbation_tables.output.levels,
        summary=rules.perturbation_tables.output.summary,
        discrimination=rules.perturbation_tables.output.discrimination,
        maps=rules.response_map.output.maps,
        tissues=TISSUES,
    output:
        **{
            f"{figure}_pdf": f"{RESULTS}/figures/perturbation_{figure}_{{model}}_{{cohort}}_{{pairs}}.pdf"
            for figure in PERTURBATION_KINDS
        },
        **{
            f"{figure}_png": report(
                f"{RESULTS}/figures/perturbation_{figure}_{{model}}_{{cohort}}_{{pairs}}.png",
                category="7 Perturbation (claim 6)",
                labels=labelled(figure),
                caption=f"../report/perturbation/{figure}.rst",
            )
            for figure in PERTURBATION_KINDS
        },
    log:
        f"{RESULTS}/logs/perturbation_figures/{{model}}/{{cohort}}/{{pairs}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/perturbation_figures/{{model}}/{{cohort}}/{{pairs}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("perturbation/figures.py"),
        title=own_title,
        colour=own_colour,
        named=PERTURBATION["named"],
    message:
        "Drawing the perturbation of {wildcards.pairs} in model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/perturbation/figures.py"


deliver(figures=expand(rules.perturbation_figures.output, **EXPERIMENTS))


rule perturbation_page:
    input:
        **{
            table: f"{PERTURBED}/{table}{'.tsv.gz' if table in ('levels', 'maps') else '.tsv'}".format(
                model=PERTURBED_MODELS[0],
                cohort=first(PERTURBATION["cohorts"]),
                pairs=first(PAIRS),
            )
            for table in ("pairs", "levels", "summary", "discrimination", "maps")
        },
        tissues=TISSUES.format(cohort=first(PERTURBATION["cohorts"])),
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
    params:
        code=code_of("perturbation/page.py"),
        title=RUN.model_title(HEADLINE),
        colour=BLUES[HEADLINE],
    message:
        "Drawing figure 5, perturbation"
    script:
        "../scripts/perturbation/page.py"


if PERTURBATION["cohorts"] and PAIRS:
    deliver(figures=rules.perturbation_page.output)


JUDGED_ON_PAIRS = RUN.judged_in("perturbation")


rule claims_perturbation:
    input:
        **judged_inputs(JUDGED_ON_PAIRS, first(PERTURBATION["cohorts"])),
        asked=wanted("perturbation.cohorts", PERTURBATION["cohorts"]),
        summary=expand(
            rules.perturbation_tables.output.summary,
            model=JUDGED_ON_PAIRS,
            cohort=first(PERTURBATION["cohorts"]),
            pairs=PAIRS,
        ),
        discrimination=expand(
            rules.perturbation_tables.output.discrimination,
            model=JUDGED_ON_PAIRS,
            cohort=first(PERTURBATION["cohorts"]),
            pairs=PAIRS,
        ),
    output:
        claims=f"{RESULTS}/claims/perturbation.tsv",
    log:
        f"{RESULTS}/logs/claims_perturbation.log",
    benchmark:
        f"{RESULTS}/benchmarks/claims_perturbation.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        **judged_on(first(PERTURBATION["cohorts"]), JUDGED_ON_PAIRS),
        code=code_of("perturbation/claims.py"),
        tables=list(PAIRS),
    message:
        "Judging the claim on perturbation"
    script:
        "../scripts/perturbation/claims.py"


if PERTURBATION["cohorts"] and PAIRS and JUDGED_ON_PAIRS:
    deliver(claims=rules.claims_perturbation.output)
