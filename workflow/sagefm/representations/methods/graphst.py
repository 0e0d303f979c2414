"""GraphST: a graph autoencoder that also learns to distinguish true from shuffled neighbourhoods.

One network is trained on all sections, which are separate components of the graph. Expression is
scaled to the library size, log-transformed and scaled to variance 1, as the authors advise. Genes
are chosen within samples, not by `seurat_v3`. The network is the package's. Its training follows
the package's class for Visium, with the same formulas in another order. The class itself builds
dense matrices of spots x spots, which would take 10 GB for 23,000 spots.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagefm.plotting.colours import OKABE_ITO
from sagefm.representations.method import FLOAT32, option, stacked_bytes

if TYPE_CHECKING:
    import numpy as np
    import scipy.sparse as sp
    import torch

    from sagefm.sections.cohort import Cohort

TITLE = "GraphST"

ROLE = "spatial method"

COLOUR = OKABE_ITO["purple"]

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "GraphST (Long et al. 2023, doi:10.1038/s41467-023-36796-3)"


@dataclass(frozen=True)
class Options:
    """Settings from the config; the defaults are those of the package."""

    n_top_genes: int = option(3000, "Highly variable genes, ranked within samples.")
    neighbours: int = option(3, "Number of nearest spots linked to each spot.")
    width: int = option(64, "Width of the hidden layer.")
    epochs: int = option(600, "Steps of training, each on all spots.")
    learning_rate: float = option(0.001, "Step size of Adam.")
    reconstruction_weight: float = option(10.0, "Weight of the reconstruction's squared error.")
    contrast_weight: float = option(1.0, "Weight of separating true from shuffled neighbourhoods.")
    components: int = option(20, "Principal components of the reconstruction that are returned.")

    def __post_init__(self) -> None:
        """Refuse fewer than one epoch."""
        if self.epochs < 1:
            raise ValueError(f"`epochs` is {self.epochs}, but there must be one at least.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    return stacked_bytes(spots, genes) + spots * min(options.n_top_genes, genes) * 5 * FLOAT32


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return principal components (spots, components) of the reconstructed expression.

    Memory holds a dense matrix of the chosen genes of all spots. Runs on a GPU if torch finds one.
    """
    import logging

    import numpy as np
    from scanpy.pp import pca, scale

    from sagefm.representations.expression import variable_expression
    from sagefm.representations.isolation import isolated

    expression = variable_expression(cohort, "log1p_cp10k", options.n_top_genes)
    features = scale(expression.toarray(), zero_center=False, max_value=10)
    with isolated(seed):
        reconstruction, loss = train(features, _ties(cohort, options.neighbours), options, seed)
    logging.getLogger("sagefm").info("GraphST: loss %.4f in the last epoch", loss)
    components = min(options.components, min(reconstruction.shape) - 1)
    return np.asarray(pca(reconstruction, n_comps=components, random_state=seed), np.float32)


def train(
    features: "np.ndarray", ties: "sp.csr_matrix", options: Options, seed: int
) -> tuple["np.ndarray", float]:
    """Train the package's network and reconstruct the expression.

    Parameters
    ----------
    features
        Scaled expression, float32 (spots, genes).
    ties
        (spots, spots), 1 from each spot to its nearest ones.

    Returns
    -------
    Reconstructed expression, float32 (spots, genes), and the loss of the last epoch.
    """
    import numpy as np
    import scipy.sparse as sp
    import torch
    from GraphST.model import Encoder
    from torch.nn.functional import binary_cross_entropy_with_logits, normalize, relu

    from sagefm.representations.reconstruction import squared_error

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.as_tensor(features, dtype=torch.float32, device=device)
    adjacency = ties.maximum(ties.T)
    root = sp.diags_array(np.asarray(adjacency.sum(axis=1)).ravel() ** -0.5)
    unit = sp.eye_array(len(features))
    spread = _to_torch(root @ adjacency @ root + unit, device)
    around = ties + unit
    mean = _to_torch(sp.diags_array(1 / np.asarray(around.sum(axis=1)).ravel()) @ around, device)
    answers = torch.tensor([1.0, 0.0], device=device).expand(len(features), 2)

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Encoder(features.shape[1], options.width, None).to(device)
    optimiser = torch.optim.Adam(network.parameters(), options.learning_rate)

    weigh = network.disc.f_k

    def contrast(true: torch.Tensor, false: torch.Tensor) -> torch.Tensor:
        summary = torch.sigmoid(normalize(mean @ true, dim=1)) @ weigh.weight[0].T
        logits = torch.stack([(true * summary).sum(1), (false * summary).sum(1)], dim=1)
        return binary_cross_entropy_with_logits(logits + weigh.bias, answers)

    square = x.square().sum(dtype=torch.float64)
    for _ in range(options.epochs):
        encoded, decoded = (x @ torch.cat([network.weight1, network.weight2.T], 1)).chunk(2, 1)
        hidden = spread @ encoded
        shuffled = spread @ encoded[np.random.permutation(len(features))]
        smooth = spread @ hidden
        error = squared_error(square, smooth, decoded, network.weight2) / x.numel()
        true, false = relu(hidden), relu(shuffled)
        contrasts = contrast(true, false) + contrast(false, true)
        loss = options.reconstruction_weight * error + options.contrast_weight * contrasts
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        hidden = spread @ (x @ network.weight1)
        return ((spread @ hidden) @ network.weight2).cpu().numpy(), loss.item()


def _ties(cohort: "Cohort", neighbours: int) -> "sp.csr_matrix":
    """Return (spots, spots), 1 from each spot to its nearest ones in the same section."""
    import numpy as np
    import scipy.sparse as sp

    from sagefm.graphs.nearest import nearest
    from sagefm.sections.section import spot_positions

    sections = []
    for path in cohort.samples:
        others = nearest(spot_positions(path)[0], neighbours + 1)[:, 1:]
        n, count = others.shape
        indptr = np.arange(n + 1) * count
        sections.append(sp.csr_matrix((np.ones(n * count), others.ravel(), indptr), shape=(n, n)))
    return sp.block_diag(sections, format="csr")


def _to_torch(matrix: "sp.spmatrix", device: "torch.device") -> "torch.Tensor":
    import numpy as np
    import torch

    parts = matrix.tocoo()
    indices = torch.as_tensor(np.stack([parts.row, parts.col]).astype(np.int64))
    values = torch.as_tensor(parts.data.astype(np.float32))
    return (
        torch.sparse_coo_tensor(indices, values, parts.shape, check_invariants=True)
        .coalesce()
        .to(device)
    )
