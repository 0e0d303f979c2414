"""Genes of the section viewer: measured, and predicted by a model."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from sagefm.exports.viewer import shown_genes
from sagefm.networks.fitted import FittedModel
from sagefm.sections.expression import normalise
from sagefm.sections.section import Section


def shown_expression(
    counts: sp.csr_matrix, sections: Sequence[Section], model: FittedModel, named: Sequence[str]
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the genes that are shown, and both expressions: float32 (spots, genes).

    Nothing is hidden from the model. Both are in its normalisation.

    Parameters
    ----------
    counts
        (spots, genes), raw; the spots of the sections, in their order.
    named
        Genes that are shown in any case, where the model has them.
    """
    position = {gene: column for column, gene in enumerate(model.genes)}
    expression = normalise(counts, model.normalisation)
    chosen = shown_genes(expression, [position[gene] for gene in named if gene in position])
    predicted = [
        model.predict(batch).cpu().numpy()[:, chosen]
        for section in sections
        for batch in model.batches([section], mask_share=0.0).epoch(0, device=model.device)
    ]
    genes = [model.genes[column] for column in chosen]
    return genes, expression[:, chosen].toarray(), np.concatenate(predicted)
