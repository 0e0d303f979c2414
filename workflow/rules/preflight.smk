# Checks, here and on the GPU node, whether a run would fail hours later. No rule depends on a check,
# as that would make its finished outputs out of date. Runs that download start with the checks
# (`onstart`), and the GPU's job has a high priority.

from dataclasses import asdict

from snakemake.logging import logger

from sagefm.training.parallel.nodes import require_slurm
from sagefm.preflight.disk import stage_needs

NEEDS = stage_needs(RUN, N_GENES)
ENVS = repository_file("envs")
LOCKS = [f"{ENVS}/{name}.txt" for name in ("requirements", "torch")]
GPUS = max(max(RUN.training_gpus(name), model["compute"]["gpus"]) for name, model in MODELS.items())
GPU_CHECKED = f"{RESULTS}/preflight/gpu.tsv"


# Snakemake uses only the last `onstart`, so there must be no other.
onstart:
    jobs = list(workflow.dag.needrun_jobs())
    limiter = workflow.scheduler.job_rate_limiter
    if limiter and (not workflow.non_local_exec or limiter.max_jobs >= len(jobs)):
        # To limit the rate of job starts, Snakemake 9 looks for work again some time after every event.
        # Each look triggers another: after hundreds of jobs it does nothing else. On one machine the
        # cores limit the jobs anyway, and a limit above the number of jobs does nothing.
        workflow.scheduler.job_rate_limiter = None
    fetched = {job.wildcards.file for job in jobs if job.rule.name == "fetch"}
    trained = [job.wildcards.model for job in jobs if job.rule.name == "pretrain"]
    scored = [
        (job.wildcards.model, job.wildcards.cohort) for job in jobs if job.rule.name in SCORING
    ]
    try:
        require_writable(config["results"])
        for sentence in small_tests(config, SHEETS, scored):
            logger.warning(sentence)
        for model in trained:
            if MODELS[model]["compute"]["nodes"] > 1 and not workflow.non_local_exec:
                require_slurm(f"model `{model}`")
        if fetched:
            from sagefm.preflight.runner import look_first

            look_first([RAW.origins[file] for file in fetched], NEEDS, ENVS)
    except InputError as error:
        raise WorkflowError(str(error))


rule preflight_checks:
    input:
        lock=[given(path) for path in LOCKS],
    output:
        table=f"{RESULTS}/preflight/checks.tsv",
    log:
        f"{RESULTS}/logs/preflight_checks.log",
    benchmark:
        f"{RESULTS}/benchmarks/preflight_checks.tsv"
    priority: 2
    localrule: True
    conda:
        "../../envs/cohorts.yaml"
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(10),
    params:
        code=code_of("preflight/checks.py"),
        contents=contents_of(*LOCKS),
        needs=[asdict(need) for need in NEEDS],
        origins={file: asdict(origin) for file, origin in RAW.origins.items()},
        folder=RAW.folder,
    message:
        "Checking services, disk and packages"
    script:
        "../scripts/preflight/checks.py"


rule preflight_gpu:
    output:
        table=GPU_CHECKED,
    log:
        f"{RESULTS}/logs/preflight_gpu.log",
    benchmark:
        f"{RESULTS}/benchmarks/preflight_gpu.tsv"
    priority: 2
    conda:
        "../../envs/model-cuda.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(10),
        gpu=GPUS,
    params:
        code=code_of("preflight/gpu.py"),
        wanted=GPUS,
    message:
        "Checking that torch sees {params.wanted} GPU(s)"
    script:
        "../scripts/preflight/gpu.py"


if GPUS:
    deliver(tables=rules.preflight_gpu.output)


rule preflight:
    input:
        rules.preflight_checks.output,
        gpu=GPU_CHECKED if GPUS else [],
