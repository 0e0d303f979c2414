"""Gene sets that are over-represented among chosen genes."""

from collections.abc import Collection, Mapping

import pandas as pd

from sagefm.stats.correlation import benjamini_hochberg


def enrichment(
    chosen: Mapping[str, Collection[str]],
    sets: Mapping[str, Collection[str]],
    universe: Collection[str],
) -> pd.DataFrame:
    """Test the overlap of gene lists with gene sets (one-sided hypergeometric test).

    Parameters
    ----------
    chosen
        Lists of genes by name, drawn from the universe.
    sets
        Gene sets by name. Genes outside the universe are left out, as are sets without other genes.
    universe
        All genes that could have been chosen.

    Returns
    -------
    DataFrame
        Columns list, set, n_set (genes of the universe), n_overlap, expected (overlap by chance), p
        (of an overlap as large or larger), q (Benjamini-Hochberg over all rows), genes (of the
        overlap, in the order of the list). Sorted by list, then p.
    """
    from scipy.stats import hypergeom  # slow to import and rarely used

    known = set(universe)
    rows = []
    for name, genes in chosen.items():
        own = [gene for gene in dict.fromkeys(genes) if gene in known]
        for other, members in sets.items():
            inside = known.intersection(members)
            if not inside:
                continue
            shared = [gene for gene in own if gene in inside]
            p = hypergeom.sf(len(shared) - 1, len(known), len(inside), len(own))
            expected = len(own) * len(inside) / len(known)
            rows.append((name, other, len(inside), len(shared), expected, p, "; ".join(shared)))
    columns = ["list", "set", "n_set", "n_overlap", "expected", "p", "genes"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(6, "q", benjamini_hochberg(table["p"].to_numpy(dtype=float)))
    order = {name: number for number, name in enumerate(chosen)}
    table["order"] = table["list"].map(order)
    table = table.sort_values(["order", "p", "set"], ignore_index=True)
    return table.drop(columns="order")
