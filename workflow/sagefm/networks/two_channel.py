"""A spot and the mean of its neighbours, with separate first-layer weights for each.

In the paper's clique, the central spot counts like any of its neighbours. This network
distinguishes them, at the cost of a second first layer.
"""

from torch import Tensor, nn

from sagefm.networks.base import WIDTHS
from sagefm.networks.collapsed import Collapsible

TITLE = "a network with separate weights for the centre and its neighbours"

LAYOUTS = {"*": "channels"}

SIZES = ("genes", "widths", "genes")

FIRST_LAYERS = 2

COLLAPSES = ("channels",)

LAYERS = {"fc_gene": "linear, ReLU"}


class Network(Collapsible):
    """The central spot and its neighbours' mean, with separate first-layer weights for each.

    Any kind of neighbourhood works; only the set of neighbours matters.
    """

    def __init__(self, n_genes: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__(n_genes, widths)
        self.centre = nn.Linear(n_genes, self.widths[0])
        self.neighbours = nn.Linear(n_genes, self.widths[0], bias=False)
        self.hidden = nn.ModuleList(
            nn.Linear(wide, narrow)
            for wide, narrow in zip(self.widths, self.widths[1:], strict=False)
        )

    def embed_channels(self, centre: Tensor, neighbours: Tensor) -> Tensor:
        """Return embeddings (spots, widths[-1]) from two (spots, genes) inputs.

        `centre` is the spot's own expression with hidden genes at 0; `neighbours` is the mean of
        the others.
        """
        return self.finish(self.first(centre, neighbours))

    def first(self, *inputs: Tensor) -> Tensor:
        """See `Collapsible`; inputs are those of `embed_channels`."""
        centre, neighbours = inputs
        return self.centre(centre) + self.neighbours(neighbours)

    @property
    def neighbour_weights(self) -> Tensor:
        """See `Collapsible`."""
        return self.neighbours.weight

    @property
    def deeper(self) -> list[tuple[Tensor, Tensor]]:
        """See `Collapsible`."""
        return [
            (layer.get_parameter("weight"), layer.get_parameter("bias")) for layer in self.hidden
        ]
