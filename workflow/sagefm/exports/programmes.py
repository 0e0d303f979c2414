"""Programmes of genes, of a model whose embedding is made of them, and the gene sets in them."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from sagefm.annotation.set_tables import read_gene_sets
from sagefm.common.errors import InputError
from sagefm.networks.fitted import FittedModel
from sagefm.perturbation.pair_sources import read_gmt
from sagefm.stats.enrichment import enrichment

BUNDLED = Path(__file__).with_name("gene_sets")
"""Gene sets that come with the package: hallmarks (MSigDB) and markers of compartments."""

DIRECTIONS = {"rises": 1, "falls": -1}
"""Genes that rise with a programme, and those that fall: the sign of their weights."""


def programmes(model: FittedModel) -> pd.DataFrame:
    """Programmes of genes, of a network whose embedding is made of them.

    Parameters
    ----------
    model
        Of `load`.

    Returns
    -------
    DataFrame
        float32 (genes, programmes): each gene's log fold change for one unit of a dimension of the
        embedding; columns number the dimensions.

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
    """Gene sets among the genes that rise or fall most with each programme.

    An overlap is held against the hypergeometric distribution. The universe is the genes that the
    programmes could be made of: for `light`, the 2,000 that vary most within sections, since a
    larger universe would find whatever is abundant in every programme. p is corrected over all
    programmes, directions and sets.

    Parameters
    ----------
    model
        Of `load`.
    gene_sets
        Genes by the name of their set, or a file: a `.gmt`, or a table (TSV) with the columns `set`
        and `gene`. If not given, the 50 hallmark sets of MSigDB and the markers of epithelium,
        stroma, immune cells and fat that come with the package.
    top
        Genes of each direction of a programme.

    Returns
    -------
    DataFrame
        A row for each programme, direction and set; the sets of a direction by rising p.
        `programme`: column of `programmes`. `direction`: `rises` or `falls`. `set`. `n_set`: genes
        of the set in the universe. `n_overlap`: of these, among the top. `expected`: the overlap
        expected by chance. `p`; `q`: false discovery rate (Benjamini-Hochberg). `genes`: the
        overlap, the highest weight first.

    Raises
    ------
    InputError
        If the model's network has no programmes, if a file cannot be read, if `top` is not
        positive, or if no set has a gene of the model.

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
    """Gene sets of a file, of a mapping, or of the package."""
    if given is None:
        return {
            name: genes for path in sorted(BUNDLED.iterdir()) for name, genes in _sets(path).items()
        }
    if isinstance(given, Mapping):
        return given
    return read_gmt(given) if Path(given).suffix == ".gmt" else read_gene_sets(given)
