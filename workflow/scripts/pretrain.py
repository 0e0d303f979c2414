"""Train a model, from the saved state of an interrupted training if there is one."""

import sys

from sagefm.inference import prepare_machine
from sagefm.io import read_table
from sagefm.resume import exclusive, state_folder
from sagefm.script import job
from sagefm.sections import sections_of
from sagefm.split import paths_of_part
from sagefm.training import Preempted, Trainer
from sagefm.training_files import batches_of, publish, recipe_of

with job(snakemake) as log:
    params, inputs, resources = snakemake.params, snakemake.input, snakemake.resources
    split = read_table(inputs.split, dtype=str)
    parts = [
        sections_of(
            *(paths_of_part(split, paths, part) for paths in (inputs.samples, inputs.graphs))
        )
        for part in ("train", "validation")
    ]
    files = [inputs.split, *inputs.samples, *inputs.graphs]
    folder = state_folder(params.state, params.recipe, files)
    try:
        with exclusive(folder):
            device = prepare_machine(resources.device, snakemake.threads)
            train, validation = (
                batches_of(part, params.recipe, params.kind, resources.workers) for part in parts
            )
            trainer = Trainer(
                recipe_of(params.recipe),
                train,
                validation,
                folder,
                device=device,
                save_seconds=resources.save_seconds,
            )
            trainer.run()
            publish(trainer, snakemake.output, snakemake.threads)
    except Preempted:
        log.warning("stopped; the state is saved, and a new start continues from it")
        sys.exit(143)
