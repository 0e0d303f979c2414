"""Gene programmes of a model, and the gene sets enriched in them."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from sagefm.annotation.set_tables import read_gene_sets
from sagefm.common.errors import InputError
from sagefm.networks.fitted import FittedModel
from sagefm.perturbation.pair_sources import read_gmt
from sagefm.stats.enrichment import enrichment

BUNDLED = Path(__file__).with_name("gene_sets")
"""Folder of the bundled gene sets: hallmarks (MSigDB) and markers of tissue compartments."""

DIRECTIONS = {"rises": 1, "falls": -1}
"""Sign of the weights of genes that rise, and of genes that fall, with a programme."""


def programmes(model: FittedModel) -> pd.DataFrame:
    """Return the gene programmes of a model, one for each dimension of its embedding.

    Parameters
    ----------
    model
        A model from `load`.

    Returns
    -------
    DataFrame
        float32 (genes, programmes): each gene's log fold change per unit of an embedding dimension.
        Columns are the numbers of the dimensions.

    Raises
    ------
    InputError
        If the model's network has no programmes.

    Examples
    --------
    >>> sagefm.programmes(contrast).shape
    (300, 100)
    """
    weights = model.network.programmes
    if weights is None:
        raise InputError(
            f"the network `{model.recipe.network}` has no programmes. Fix: load a model whose "
            "network has them."
        )
    return pd.DataFrame(weights.detach().cpu().numpy(), index=list(model.genes))


def programme_sets(
    model: FittedModel,
    gene_sets: str | Path | Mapping[str, Collection[str]] | None = None,
    *,
    top: int = 50,
) -> pd.DataFrame:
    """Test gene sets for enrichment among the genes that rise or fall most with each programme.

    Overlaps are tested against the hypergeometric distribution. The universe is the genes that a
    programme can contain: for `light`, the 2,000 that vary most within sections. In a larger
    universe, sets of abundant genes would be enriched in every programme. p is corrected over all
    programmes, directions and sets.

    Parameters
    ----------
    model
        A model from `load`.
    gene_sets
        Mapping from set name to genes, or a file: a `.gmt`, or a table (TSV) with the columns `set`
        and `gene`. Default: the 50 hallmark sets of MSigDB and the markers of epithelium, stroma,
        immune cells and fat that come with the package.
    top
        Number of genes tested in each direction of a programme.

    Returns
    -------
    DataFrame
        One row per programme, direction and set; the sets of a direction are sorted by p.
        `programme`: column of `programmes`. `direction`: `rises` or `falls`. `set`: name of the
        set. `n_set`: number of its genes in the universe. `n_overlap`: number of these among the
        top genes. `expected`: overlap expected by chance. `p`: p-value. `q`: false discovery rate
        (Benjamini-Hochberg). `genes`: the overlap, highest weight first.

    Raises
    ------
    InputError
        If the model's network has no programmes, if a file cannot be read, if `top` is not
        positive, or if no set has a gene of the programmes.

    Examples
    --------
    >>> table = sagefm.programme_sets(contrast, {"muscle": ["TTN", "MYH7"]}, top=20)
    >>> table.shape
    (200, 9)
    """
    weights = programmes(model)
    if top < 1:
        raise InputError(f"`top` is {top}, but must be at least 1. Fix: correct it.")
    sets = _sets(gene_sets)
    inside = model.network.programme_genes
    assert inside is not None  # or `programmes` had raised
    weights = weights[inside.cpu().numpy()]
    chosen, keys = {}, {}
    for number in weights:
        for direction, sign in DIRECTIONS.items():
            signed = sign * weights[number]
            name = f"{number} {direction}"
            chosen[name] = signed[signed > 0].nlargest(top).index
            keys[name] = number, direction
    if set(weights.index).isdisjoint(gene for own in sets.values() for gene in own):
        raise InputError(
            "no gene set has a gene of the programmes. Fix: give sets of gene symbols, such as "
            "`TTN`."
        )
    table = enrichment(chosen, sets, weights.index)
    lists = table.pop("list")
    table.insert(0, "programme", [keys[name][0] for name in lists])
    table.insert(1, "direction", [keys[name][1] for name in lists])
    return table


def _sets(
    given: str | Path | Mapping[str, Collection[str]] | None,
) -> Mapping[str, Collection[str]]:
    """Gene sets from a file, a mapping, or the package."""
    if given is None:
        return {
            name: genes for path in sorted(BUNDLED.iterdir()) for name, genes in _sets(path).items()
        }
    if isinstance(given, Mapping):
        return given
    return read_gmt(given) if Path(given).suffix == ".gmt" else read_gene_sets(given)
