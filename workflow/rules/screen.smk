# Change every gene in the neighbours of spots and read the models' predictions of the others, for a
# full dose and for an infinitesimal one. The responses are compared with known pairs.

SCREEN = config["screen"]
SCREEN_MODELS = RUN.chapter_models("screen")
SCREENS = {"model": SCREEN_MODELS, "cohort": SCREEN["cohorts"]}
SCREENED = f"{RESULTS}/screen/{{model}}/{{cohort}}"
# For every context, a screen needs three copies of inputs x outputs in memory while it is written.
SCREENED_ROWS = pd.DataFrame(
    RUN.rows(SCREEN["cohorts"], "organ"), columns=["sample", "dataset", "patient", "organ"]
)
CONTEXTS = {
    "all": 1,
    "label": 10,  # an upper limit: sheets do not list the labels
    "organ": SCREENED_ROWS["organ"].nunique(),
    "patient": name_patients(SCREENED_ROWS).nunique(),
}[SCREEN["context"]]
SCREENED_OUTPUTS = None if SCREEN["outputs"] in ("pairs", "all") else SCREEN["outputs"]
SCREENED_BY = ["organ"] if SCREEN["context"] == "organ" else []
SCREEN_MB = 6000 + CONTEXTS * (2500 if SCREEN["outputs"] == "all" else 1000)
# Models whose network collapses on their graph. Only their Jacobian can be stored as thin factors.
FACTORED = [
    model
    for model in MODELS
    if describe(MODELS[model]["network"]).collapses_on(RUN.graph_kind(model))
]


rule screen:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        split=lambda wildcards: seen_of(wildcards.model, wildcards.cohort),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        genes=lambda wildcards: gene_sums_of([wildcards.cohort], wildcards.model),
        labels=lambda wildcards: screened_labels(wildcards.cohort),
        inputs=given(SCREEN["inputs"]),
        outputs=given(SCREENED_OUTPUTS),
        pairs=(
            expand(PAIR_TABLE, pairs=PAIRS, allow_missing=True)
            if SCREEN["outputs"] == "pairs"
            else []
        ),
    output:
        screen=f"{SCREENED}/screen.h5ad",
        top=f"{SCREENED}/top.tsv.gz",
    log:
        f"{RESULTS}/logs/screen/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/screen/{{model}}/{{cohort}}.tsv"
    conda:
        model_environment
    threads: of_model("compute", "threads")
    resources:
        mem_mb=growing(SCREEN_MB, per_1000_spots=2),
        runtime=growing(1440),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("screen/screen.py", network_file),
        contents=contents_of(SCREEN["inputs"], SCREENED_OUTPUTS),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], *SCREENED_BY),
        spots={key: SCREEN[key] for key in ("context", "spots", "seed")},
        levels_over=PERTURBATION["levels_over"],
        top=SCREEN["top"],
        state=f"{SCREENED}/state",
    message:
        "Screening model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/screen/screen.py"


deliver(tables=expand(rules.screen.output.top, **SCREENS))


rule jacobian:
    input:
        checkpoint=f"{RESULTS}/models/{{model}}/best.pt",
        recipe=f"{RESULTS}/models/{{model}}/recipe.json",
        split=lambda wildcards: seen_of(wildcards.model, wildcards.cohort),
        samples=lambda wildcards: samples_of([wildcards.cohort]),
        graphs=lambda wildcards: graphs_of([wildcards.cohort], MODELS[wildcards.model]["graph"]),
        labels=lambda wildcards: screened_labels(wildcards.cohort),
    output:
        jacobian=f"{SCREENED}/jacobian.h5",
    log:
        f"{RESULTS}/logs/jacobian/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/jacobian/{{model}}/{{cohort}}.tsv"
    conda:
        model_environment
    threads: 4
    resources:
        mem_mb=growing(4000, per_1000_spots=2),
        runtime=growing(240),
        gpu=of_model("compute", "gpus"),
        device=model_device,
    params:
        code=code_of("screen/jacobian.py", network_file),
        rows=lambda wildcards: RUN.rows([wildcards.cohort], *SCREENED_BY),
        spots={
            "context": SCREEN["context"],
            "spots": SCREEN["jacobian_spots"],
            "seed": SCREEN["seed"],
        },
    message:
        "Averaging the Jacobian of model {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/screen/jacobian.py"


rule screen_scores:
    input:
        screen=rules.screen.output.screen,
        jacobian=lambda wildcards: (
            f"{RESULTS}/screen/{wildcards.model}/{wildcards.cohort}/jacobian.h5"
            if wildcards.model in FACTORED
            else []
        ),
        tables=expand(PAIR_TABLE, pairs=PAIRS, allow_missing=True),
        coexpression=expand(
            f"{PERTURBED}/coexpression_forward.npz", pairs=PAIRS, allow_missing=True
        ),
    output:
        scores=f"{SCREENED}/scores.tsv",
    log:
        f"{RESULTS}/logs/screen_scores/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/screen_scores/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(SCREEN_MB),
        runtime=growing(120),
    params:
        code=code_of("screen/scores.py"),
        tables=list(PAIRS),
        permutations=SCREEN["permutations"],
        seed=SCREEN["seed"],
    message:
        "Scoring the screen of model {wildcards.model} on {wildcards.cohort} against known pairs"
    script:
        "../scripts/screen/scores.py"


deliver(tables=expand(rules.screen_scores.output, **SCREENS))


rule screen_figure:
    input:
        scores=rules.screen_scores.output.scores,
    output:
        pdf=f"{RESULTS}/figures/screen_{{model}}_{{cohort}}.pdf",
        png=report(
            f"{RESULTS}/figures/screen_{{model}}_{{cohort}}.png",
            category="8 Screen",
            labels=labelled("known pairs found"),
            caption="../report/screen/screen.rst",
        ),
    log:
        f"{RESULTS}/logs/screen_figure/{{model}}/{{cohort}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/screen_figure/{{model}}/{{cohort}}.tsv"
    conda:
        "../../envs/report.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        code=code_of("screen/figure.py"),
        title=own_title,
        colour=own_colour,
    message:
        "Drawing the screen's scores: {wildcards.model} on {wildcards.cohort}"
    script:
        "../scripts/screen/figure.py"


deliver(figures=expand(rules.screen_figure.output, **SCREENS))


rule claims_interpretable:
    input:
        **judged_inputs(RUN.judged_in("screen"), first(SCREEN["cohorts"])),
        asked=wanted("screen.cohorts", SCREEN["cohorts"]),
        scores=expand(
            rules.screen_scores.output.scores,
            model=RUN.judged_in("screen"),
            cohort=first(SCREEN["cohorts"]),
        ),
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
        **judged_on(first(SCREEN["cohorts"]), RUN.judged_in("screen")),
        code=code_of("screen/claims.py"),
    message:
        "Judging the claim on interpretability"
    script:
        "../scripts/screen/claims.py"


if SCREEN["cohorts"] and RUN.judged_in("screen"):
    deliver(claims=rules.claims_interpretable.output)
