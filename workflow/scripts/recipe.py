"""Write down what a model reads, so that it can be used without its run's config."""

from sagefm.model_recipe import ModelRecipe, write_recipe
from sagefm.panel import read_panel
from sagefm.script import job

with job(snakemake):
    params = dict(snakemake.params.items())
    recipe = ModelRecipe(read_panel(snakemake.input.panel), **params)
    write_recipe(snakemake.output.recipe, recipe)
