# What jobs ask of the machine: memory and time by the spots they are about, GPUs, nodes.

SPOTS = {cohort: sum(RUN.spots(cohort)) for cohort in SHEETS}
LARGEST = max(max(RUN.spots(cohort)) for cohort in SHEETS)


def spots_in(wildcards):
    """Spots a job is about: its cohort's, or those its model is trained on.

    For a single section those of the run's largest, as all jobs of an array ask for the same.
    """
    if "sample" in wildcards.keys():
        return LARGEST
    if "cohort" in wildcards.keys():
        return SPOTS[wildcards.cohort]
    if "task" in wildcards.keys():
        return SPOTS[RUN.task_cohort(wildcards.task)]
    return sum(SPOTS[cohort] for cohort in MODELS[wildcards.model]["pretrain_on"])


def largest_section(wildcards):
    """Spots of the largest section of a job that takes one section of its cohort after another."""
    return max(RUN.spots(wildcards.cohort))


def growing(base, per_1000_spots=0, of=spots_in):
    """A job's request of megabytes or minutes: grows with its spots, and with every attempt."""

    def request(wildcards, attempt):
        spots = of(wildcards) if per_1000_spots else 0
        return attempt * round(base + per_1000_spots * spots / 1000)

    return request


def representation_memory(wildcards, attempt):
    """Megabytes of a representation: what its method says that it holds of the cohort's spots."""
    entry = on_cohort(wildcards.method, METHODS[wildcards.method], wildcards.cohort)
    held = held_bytes(wildcards.method, entry, SPOTS[wildcards.cohort], N_GENES)
    if held is None:
        return growing(4000, per_1000_spots=300)(wildcards, attempt)
    return attempt * round(2000 + held / 1e6)


def model_environment(wildcards):
    """A conda environment to compute with a model; where it asks for GPUs, with torch for CUDA."""
    build = "model-cuda" if MODELS[wildcards.model]["compute"]["gpus"] else "model"
    return f"../../envs/{build}.yaml"


def asked_of_slurm(key):
    """What a training asks of SLURM: GPUs, and a task on each node if it has several.

    What it does not ask is unset. `mpi` keeps the plugin from starting the job itself by `srun`,
    which such a training does; `gpu` counts GPUs of the job, and may part them unevenly, `gres`
    those of each node.
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
    """Where a model's jobs compute; one that was lent a GPU is not to fall back to the CPU."""
    compute = MODELS[wildcards.model]["compute"]
    return "cuda" if compute["gpus"] and compute["device"] == "auto" else compute["device"]


KEPT_MB_A_SPOT = 0.06  # 7,500 of its genes detected, at 8 bytes: more than Visium's median


def training_memory(wildcards, attempt):
    """Megabytes of a training, of each node: a process holds its own network and sections."""
    model = MODELS[wildcards.model]
    kept = min(1000 * model["compute"]["keep_gb"], spots_in(wildcards) * KEPT_MB_A_SPOT)
    own = growing(8000 + kept, per_1000_spots=2)(wildcards, attempt)
    return model["training"]["devices"] // model["compute"]["nodes"] * own
