"""A model's embedding of a cohort, as a representation."""

from pathlib import Path

from sagefm.networks.fitted import FittedModel
from sagefm.representations.files import write_representation
from sagefm.sections.cohort import Cohort
from sagefm.sections.section import sections_of


def write_embedding(
    path: str | Path, name: str, cohort: Cohort, model: FittedModel, fitted_here: bool
) -> None:
    """Embed a cohort's spots and write the result; only withheld genes are hidden.

    Parameters
    ----------
    path, name
        File and name of the representation.
    cohort
        Samples, with the graphs that the model reads.
    fitted_here
        Whether the model was fitted on sections of this cohort.
    """
    withheld = cohort.withheld_columns()
    sections = sections_of(cohort.samples, cohort.graphs)
    blocks = (rows for section in sections for rows in model.embedded_rows(section, withheld))
    facts: dict[str, bool | int | str] = {
        "method": "sagefm",
        "spatial": True,
        "transductive": fitted_here,
        "withheld_genes": len(cohort.withheld),
    }
    write_representation(path, name, cohort, blocks, facts)
