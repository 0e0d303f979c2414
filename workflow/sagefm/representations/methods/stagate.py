"""STAGATE: a graph autoencoder that weighs a spot's neighbours by attention.

One network is trained on all sections, which are separate components of the graph. The network and
its training follow the authors' STAGATE_pyG, which is not on PyPI. The reconstruction's error is
expanded, so that no reconstructed matrix is held. Genes are chosen within samples, not by
`seurat_v3`. The optional module that prunes links between spots of different pre-clusters is left
out, as it is by default.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagefm.representations.method import FLOAT32, option, stacked_bytes

if TYPE_CHECKING:
    import numpy as np
    import torch

    from sagefm.sections.cohort import Cohort

TITLE = "STAGATE"

ROLE = "spatial method"

COLOUR = "#AA4444"

SPATIAL = True

TRANSDUCTIVE = True

SOURCE = "STAGATE (Dong and Zhang 2022, doi:10.1038/s41467-022-29439-6)"

GAIN = 1.414
"""Factor of the initial weights."""

LINKS = 5
"""Most links of a spot, divided by the square of `reach`: 5 at 1 and 9 at 1.5 on a square array."""


@dataclass(frozen=True)
class Options:
    """Settings from the config; the defaults are those of STAGATE_pyG."""

    n_top_genes: int = option(3000, "Highly variable genes, ranked within samples.")
    reach: float = option(
        1.5,
        "Spots up to this distance are linked. The unit is the median distance between nearest "
        "spots: 1.5 links the 6 neighbours of a hexagonal array and the 8 of a square one. The "
        "authors give it in pixels.",
    )
    width: int = option(512, "Width of the hidden layers.")
    components: int = option(30, "Features of a spot.")
    epochs: int = option(1000, "Steps of training, each on all spots.")
    learning_rate: float = option(0.001, "Step size of Adam.")
    weight_decay: float = option(0.0001, "Weight decay of Adam.")
    clip: float = option(5.0, "Largest norm of the gradient.")

    def __post_init__(self) -> None:
        """Refuse fewer than one epoch, and a reach that links no spots."""
        if self.epochs < 1:
            raise ValueError(f"`epochs` is {self.epochs}, but there must be one at least.")
        if self.reach < 1:
            raise ValueError(f"`reach` is {self.reach}, but nearest spots are at a distance of 1.")


def held_bytes(options: Options, spots: int, genes: int) -> float:
    """See `method.Method.held_bytes`."""
    links = LINKS * options.reach**2
    features = min(options.n_top_genes, genes) * 2 + (5 * links + 8) * options.width
    return stacked_bytes(spots, genes) + spots * features * FLOAT32


def represent(cohort: "Cohort", options: Options, seed: int) -> "np.ndarray":
    """Return the narrowest layer (spots, components).

    Memory holds a dense matrix of the chosen genes of all spots. Runs on a GPU if torch finds one.
    """
    import logging

    import numpy as np

    from sagefm.representations.expression import variable_expression
    from sagefm.representations.isolation import isolated
    from sagefm.sections.section import spot_positions

    features = variable_expression(cohort, "log1p_cp10k", options.n_top_genes).toarray()
    links, before = [], 0
    for path in cohort.samples:
        places = spot_positions(path)[0]
        links.append(linked(places, options.reach) + before)
        before += len(places)
    with isolated(seed):
        found, loss = train(features, np.concatenate(links, axis=1), options, seed)
    logging.getLogger("sagefm").info("STAGATE: loss %.4f in the last epoch", loss)
    return found


def linked(places: "np.ndarray", reach: float) -> "np.ndarray":
    """Return linked spots of a section, int64 (2, links), sorted by the second row.

    Each spot is linked to itself and to spots within `reach` medians of the distances to the
    nearest spot. `places` is (spots, 2).
    """
    import numpy as np

    from sagefm.graphs.neighbourhoods import build_graph

    graph = build_graph(places, "radius", radius_spacings=reach)
    target, source = graph.mean_operator().sorted_indices().nonzero()
    return np.stack([source, target]).astype(np.int64)


def train(
    features: "np.ndarray", links: "np.ndarray", options: Options, seed: int
) -> tuple["np.ndarray", float]:
    """Train the autoencoder and return its narrowest layer.

    Encoder and decoder share their weights and the attention. As in STAGATE_pyG, each of the two
    has its own gradients and its own state in Adam, so each step changes the weights twice.

    Parameters
    ----------
    features
        Expression, float32 (spots, genes).
    links
        Linked spots, int64 (2, links): row 0 is averaged at row 1.

    Returns
    -------
    Narrowest layer, float32 (spots, components), and the loss of the last epoch.
    """
    import torch
    from torch.nn.functional import elu
    from torch_geometric.utils import softmax

    from sagefm.representations.reconstruction import squared_error

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x = torch.as_tensor(features, dtype=torch.float32, device=device)
    source, target = torch.as_tensor(links, device=device)
    wide, narrow, towards, around = _initial(x.shape[1], options, seed, device)
    # The decoder's weights are the encoder's transposed, in the same memory.
    widen, decode = (torch.nn.Parameter(weight.data.T) for weight in (narrow, wide))
    weights = [wide, narrow, towards, around, widen, decode]
    # One weight after the other: `foreach` would change both owners of a memory at once on a GPU.
    optimiser = torch.optim.Adam(
        weights, options.learning_rate, weight_decay=options.weight_decay, foreach=False
    )

    def averaged(values: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        messages = values[source] * attention[:, None]
        return torch.zeros_like(values).index_add(0, target, messages)

    def encode(projected: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        scores = (projected @ towards)[source] + (projected @ around)[target]
        attention = softmax(torch.sigmoid(scores), target, num_nodes=len(x))
        return elu(averaged(projected, attention)) @ narrow, attention

    square = x.square().sum(dtype=torch.float64)
    for _ in range(options.epochs):
        projected, decoded = (x @ torch.cat([wide, decode.T], 1)).chunk(2, 1)
        found, attention = encode(projected)
        hidden = elu(averaged(found, attention) @ widen)
        loss = squared_error(square, hidden, decoded, decode) / x.numel()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, options.clip)
        optimiser.step()
    with torch.no_grad():
        return encode(x @ wide)[0].cpu().numpy(), loss.item()


def _initial(
    genes: int, options: Options, seed: int, device: "torch.device"
) -> list["torch.nn.Parameter"]:
    """Draw the encoder's two layers, and the attention's vectors for a link's source and target."""
    import torch

    layers = (genes, options.width), (options.width, options.components)
    # A vector's fans are its width on both sides, as in STAGATE_pyG.
    vector = (1, 1, options.width)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        drawn = [
            torch.nn.init.xavier_normal_(torch.empty(shape), GAIN)
            for shape in (*layers, vector, vector)
        ]
    *matrices, source, target = (value.to(device) for value in drawn)
    return [torch.nn.Parameter(value) for value in (*matrices, source.ravel(), target.ravel())]
