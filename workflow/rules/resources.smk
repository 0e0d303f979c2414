# Resources that jobs request: memory and time by number of spots, GPUs, nodes.

SPOTS = {cohort: sum(RUN.spots(cohort)) for cohort in SHEETS}
SECTION_SPOTS = {
    cohort: dict(zip(SHEETS[cohort]["sample"], RUN.spots(cohort), strict=True)) for cohort in SHEETS
}


def spots_in(wildcards):
    """Return the spots that a job processes: of its section, its cohort, or its model's training."""
    if "sample" in wildcards.keys():
        return SECTION_SPOTS[wildcards.cohort][wildcards.sample]
    if "cohort" in wildcards.keys():
        return SPOTS[wildcards.cohort]
    if "task" in wildcards.keys():
        return SPOTS[RUN.task_cohort(wildcards.task)]
    return sum(SPOTS[cohort] for cohort in MODELS[wildcards.model]["pretrain_on"])


def largest_section(wildcards):
    """Return the spots of a cohort's largest section, for jobs that process one at a time."""
    return max(RUN.spots(wildcards.cohort))


def growing(base, per_1000_spots=0, of=spots_in):
    """Return a request for megabytes or minutes that grows with the spots and with each attempt."""

    def request(wildcards, attempt):
        spots = of(wildcards) if per_1000_spots else 0
        return attempt * round(base + per_1000_spots * spots / 1000)

    return request


def growing_with_features(base, per_1000_spots, of_all_genes):
    """Return a request like `growing`, with a rate of its own for a representation of all genes."""

    def request(wildcards, attempt):
        wide = Catalogue(DESCRIBED).has_all_genes(wildcards.representation)
        return growing(base, of_all_genes if wide else per_1000_spots)(wildcards, attempt)

    return request


def representation_memory(wildcards, attempt):
    """Return the megabytes of a representation, by what its method holds of the cohort's spots."""
    entry = on_cohort(wildcards.method, METHODS[wildcards.method], wildcards.cohort)
    held = held_bytes(wildcards.method, entry, SPOTS[wildcards.cohort], N_GENES)
    if held is None:
        return growing(4000, per_1000_spots=300)(wildcards, attempt)
    return attempt * round(2000 + held / 1e6)


def model_environment(wildcards):
    """Return the conda environment of a model's jobs, with torch for CUDA if they request GPUs."""
    build = "model-cuda" if MODELS[wildcards.model]["compute"]["gpus"] else "model"
    return f"../../envs/{build}.yaml"


def asked_of_slurm(key):
    """Return a function for a training's SLURM request: GPUs, and a task on each of several nodes.

    Other requests are unset. `mpi` keeps the plugin from starting the job with `srun`, since such a
    training does so itself. `gpu` counts the GPUs of the job and may distribute them unevenly over
    nodes; `gres` counts those of each node.
    """

    def value(wildcards):
        compute, gpus = MODELS[wildcards.model]["compute"], RUN.training_gpus(wildcards.model)
        if (nodes := compute["nodes"]) == 1:
            return {"gpu": gpus}.get(key)
        asked = {
            "mpi": "srun",
            "tasks": nodes,
            "cpus_per_task": max(compute["threads"] // nodes, 1),
        }
        by_node = {"gres": f"gpu:{gpus}", "tasks_per_gpu": 0} if gpus else {}
        return (asked | by_node).get(key)

    return value


def model_device(wildcards):
    """Return the device of a model's jobs; a job with a GPU must not fall back to the CPU."""
    compute = MODELS[wildcards.model]["compute"]
    return "cuda" if compute["gpus"] and compute["device"] == "auto" else compute["device"]


KEPT_MB_A_SPOT = 0.06  # 7,500 detected genes at 8 bytes: more than Visium's median


def training_memory(wildcards, attempt):
    """Return a training's megabytes per node: each process holds its own network and sections."""
    model = MODELS[wildcards.model]
    kept = min(1000 * model["compute"]["keep_gb"], spots_in(wildcards) * KEPT_MB_A_SPOT)
    own = growing(8000 + kept, per_1000_spots=2)(wildcards, attempt)
    return model["training"]["devices"] // model["compute"]["nodes"] * own
