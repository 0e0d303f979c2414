"""Train a model, from the saved state of an interrupted training or of the model it continues."""

import sys
from pathlib import Path

from sagefm.common.io import read_table
from sagefm.common.job import job
from sagefm.common.state import exclusive, state_folder
from sagefm.sections.graph_files import graph_files
from sagefm.training.files import continue_from
from sagefm.training.job import TrainingJob
from sagefm.training.parallel.launcher import STOPPED
from sagefm.training.split import in_released_order, paths_of_part
from sagefm.training.trainer import Preempted

with job(snakemake) as log:
    params, inputs, resources = snakemake.params, snakemake.input, snakemake.resources
    split = read_table(inputs.split, dtype=str)
    if params.recipe["training"]["order"] == "as_released":
        split = in_released_order(split, params.recipe["training"]["seed"])
    graphs = graph_files(inputs.samples, inputs.graphs)
    files = [inputs.split, *inputs.samples, *graphs, *inputs.continued]
    folder = state_folder(params.state, params.recipe, files)
    training = TrainingJob(
        parts=[
            tuple(
                [str(path) for path in paths_of_part(split, paths, part)]
                for paths in (inputs.samples, graphs)
            )
            for part in ("train", "validation")
        ],
        recipe=params.recipe,
        kind=params.kind,
        state=str(folder),
        output={name: str(Path(path)) for name, path in snakemake.output.items()},
        device=resources.device,
        devices=resources.devices,
        nodes=resources.nodes,
        threads=snakemake.threads,
        workers=resources.workers,
        keep_gb=resources.keep_gb,
        save_seconds=resources.save_seconds,
        compiled=resources.compiled,
    )
    try:
        with exclusive(folder):
            continue_from(folder, *inputs.continued)
            training.run()
    except Preempted:
        log.warning("stopped; the state is saved, and a new start continues from it")
        sys.exit(STOPPED)
