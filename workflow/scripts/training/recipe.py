"""Write the recipe of a model, so that it can be used without its run's config."""

from sagefm.common.job import job
from sagefm.networks.recipe import ModelRecipe, write_recipe
from sagefm.sections.genes import read_panel

with job(snakemake):
    params = snakemake.params
    recipe = ModelRecipe(
        read_panel(snakemake.input.panel),
        network=params.network,
        normalisation=params.normalisation,
        graph=params.graph,
        qc=params.qc,
        harmonise=params.harmonise,
    )
    write_recipe(snakemake.output.recipe, recipe)
