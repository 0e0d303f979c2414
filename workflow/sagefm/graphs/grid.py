"""Array neighbours of a section: hexagonal for Visium, square for Spatial Transcriptomics."""

import numpy as np
import scipy.sparse as sp

from sagefm.common.errors import InputError

HEXAGONAL, SQUARE = "Visium", "Spatial Transcriptomics"


def grid_adjacency(
    coordinates: np.ndarray,
    array: np.ndarray | None,
    technology: str | None,
    corners: bool = False,
) -> sp.csr_matrix:
    """Boolean spots x spots matrix of array neighbours, by squidpy on the array's own geometry.

    Array positions are exact where pixels are jittered; the pixels only check them: every tie must
    be between half and twice the usual length.

    Parameters
    ----------
    coordinates
        (spots, 2) float, full-resolution pixels.
    array
        (spots, 2) integer array_row, array_col.
    technology
        `Visium` (6 neighbours; columns count half steps) or `Spatial Transcriptomics` (4, or 8
        with `corners`).

    Raises
    ------
    InputError
        Without array positions, for another technology, or where array and pixels disagree.
    """
    if array is None:
        raise InputError(
            "graph kind `grid` needs array_row and array_col, which this section lacks; "
            "use knn_clique, star or radius."
        )
    rows, columns = np.asarray(array, dtype=np.float64).T
    if technology == HEXAGONAL:
        positions, neighbours = np.stack([columns / 2, rows * np.sqrt(3) / 2], axis=1), 6
    elif technology == SQUARE:
        positions, neighbours = np.stack([columns, rows], axis=1), 8 if corners else 4
    else:
        raise InputError(
            f"graph kind `grid` knows the arrays of `{HEXAGONAL}` and `{SQUARE}`, not of "
            f"`{technology}`. Fix: set `technology`, or use knn_clique, star or radius."
        )
    # On Visium's array even rows use even columns and odd rows odd ones; a square array uses all.
    if (len(np.unique((rows + columns) % 2)) == 1) != (technology == HEXAGONAL):
        raise InputError(
            f"array_row and array_col are not those of a `{technology}` array (on Visium's, and "
            "there alone, row and column are both even or both odd). Fix: correct "
            "`technology` or the position file."
        )
    adjacency = _squidpy_grid(positions, neighbours)
    first, second = adjacency.nonzero()
    if len(first):
        length = np.linalg.norm(coordinates[first] - coordinates[second], axis=1)
        length /= np.linalg.norm(positions[first] - positions[second], axis=1)
        usual = np.median(length)
        if length.min() < usual / 2 or length.max() > usual * 2:
            raise InputError(
                f"array positions and pixel coordinates disagree on a `{technology}` array: array "
                f"steps measure {length.min():.0f} to {length.max():.0f} pixels (median "
                f"{usual:.0f}). Fix: correct `technology` or the position file."
            )
    return adjacency


def _squidpy_grid(positions: np.ndarray, neighbours: int) -> sp.csr_matrix:
    from anndata import AnnData  # seconds to import, as squidpy; only grids pay for them
    from squidpy.gr import spatial_neighbors_grid

    # squidpy takes the nearest points: spots that share a position would crowd out its neighbours,
    # and a section smaller than a ring would stop it. So it is given each position once, and far
    # points that are nobody's neighbours.
    points, at = np.unique(positions, axis=0, return_inverse=True)
    far = 1e6 * np.arange(1, neighbours + 2)
    padded = np.concatenate([points, np.stack([far, far], axis=1)])
    section = AnnData(np.zeros((len(padded), 1)), obsm={"spatial": padded})
    spatial_neighbors_grid(section, n_neighs=neighbours, n_rings=1)
    found = section.obsp["spatial_connectivities"].tocoo()
    # It drops most of those that are not one step away; at a border or a hole some remain.
    step = np.linalg.norm(padded[found.row] - padded[found.col], axis=1)
    near = step < (1.5 if neighbours == 8 else 1.2)
    rows, columns = found.row[near], found.col[near]
    both = (np.concatenate([rows, columns]), np.concatenate([columns, rows]))
    ties = sp.csr_matrix((np.ones(2 * len(rows), dtype=bool), both), shape=found.shape).astype(bool)
    return ties[at.ravel()][:, at.ravel()]
