"""In silico perturbation: set one gene to a level in a spot's neighbours and predict the spot.

As in the paper, the genes to be predicted are hidden at the central spot. A network that collapses
(see `collapsed`) needs no second pass over its wide input, because a neighbour's gene enters the
first layer through one column of weights. A perturbation adds a multiple of that column to the
layer's output. Only the deeper layers and the requested genes are computed again. The second layer
(see `second_layer`) is computed for all levels at once.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sagefm.networks.base import GeneDecoder
from sagefm.networks.collapsed import Collapsible, Readout
from sagefm.networks.fitted import FittedModel
from sagefm.networks.second_layer import SecondLayer
from sagefm.sections.dense import make_batch
from sagefm.sections.section import Chunk, Section, draw_rows


class Neighbourhoods(ABC):
    """Central spots of a section with their neighbours, as a network reads them."""

    n_spots: int

    @abstractmethod
    def respond(self, gene: int, levels: Tensor, outputs: Tensor) -> Tensor:
        """Predict central spots with a gene set to several levels in all their neighbours.

        Parameters
        ----------
        gene
            Column of the panel.
        levels
            float32 (levels,), normalised expression.
        outputs
            int64 columns of the panel: the genes to predict.

        Returns
        -------
        Tensor
            float32 (levels, spots, len(outputs)), normalised expression.
        """


class Collapsed(Neighbourhoods):
    """Neighbourhoods for a network that collapses: exact, without a pass over the wide input.

    With `gene` at `level`, the output of the first layer is `hidden + gain * (level -
    neighbour_mean[:, gene]) * network.neighbour_weights[:, gene]`.

    Attributes
    ----------
    hidden
        (spots, widths[0]): output of the first layer without perturbation.
    neighbour_mean
        (spots, genes): mean expression of the neighbours, without the centre.
    gain
        (spots,): weight of that mean in the network's input; (n - 1)/n in a clique of n spots.
    """

    def __init__(
        self,
        network: Collapsible,
        readout: Readout,
        hidden: Tensor,
        gain: Tensor,
        neighbour_mean: Tensor,
    ) -> None:
        self.network, self.readout = network, readout
        self.hidden, self.gain, self.neighbour_mean = hidden, gain, neighbour_mean
        self.n_spots = len(hidden)

    @classmethod
    def of(cls, model: FittedModel, inputs: tuple[Tensor, ...], sizes: Tensor) -> "Collapsed":
        """Build neighbourhoods from a batch's inputs, for a model that collapses.

        Parameters
        ----------
        inputs
            Expression of the centres and mean of their neighbours: float32 (spots, genes) each.
        sizes
            Number of spots in each neighbourhood, including the centre: float32 (spots,).
        """
        network = model.collapsible
        assert network
        centre, neighbours = inputs
        if model.layout == "mean":
            gain = (sizes - 1) / sizes
            hidden = network.first(centre / sizes[:, None] + neighbours * gain[:, None])
        else:
            gain = (sizes > 1).float()
            hidden = network.first(centre, neighbours)
        return cls(network, model.readout, hidden, gain, neighbours)

    @classmethod
    def joined(cls, parts: Sequence["Collapsed"]) -> "Collapsed":
        """Join batches of one network into one.

        A few spots from each of many sections then cost no more than many spots of one section.
        """
        states = ((part.hidden, part.gain, part.neighbour_mean) for part in parts)
        joined = map(torch.cat, zip(*states, strict=True))
        return cls(parts[0].network, parts[0].readout, *joined)

    @cached_property
    def second(self) -> SecondLayer | None:
        """Second layer, if one precedes the readout and computing it separately is faster.

        None on a GPU, where a matrix product is faster than finding the units that change sign.
        """
        if self.readout.middle and self.hidden.device.type == "cpu":
            return SecondLayer(self.hidden, *self.readout.middle[0])
        return None

    def respond(self, gene: int, levels: Tensor, outputs: Tensor) -> Tensor:
        """See `Neighbourhoods`."""
        shift = self.gain * (levels[:, None] - self.neighbour_mean[:, gene])
        column, readout = self.network.neighbour_weights[:, gene], self.readout.only(outputs)
        if self.second is None:
            hidden = torch.addcmul(self.hidden, shift[..., None], column)
            predicted = readout(hidden.flatten(0, 1))
        else:
            predicted = readout.after(1, self.second.shifted(shift, column).flatten(0, 1))
        return predicted.view(len(levels), self.n_spots, len(outputs))


class General(Neighbourhoods):
    """Neighbourhoods for any network: a full pass per level.

    On the subgraphs of cliques this is the brute-force equivalent of `Collapsed`.
    """

    def __init__(
        self,
        network: GeneDecoder,
        layout: str,
        inputs: tuple[Tensor, ...],
        context: tuple[Tensor, ...],
        sizes: Tensor,
    ) -> None:
        self.network, self.layout, self.inputs, self.context = network, layout, inputs, context
        if layout == "subgraphs":
            nodes, _, centre = inputs
            self.n_spots = len(centre)
            self.values = nodes
            self.neighbours = torch.ones(len(nodes), dtype=torch.bool, device=nodes.device)
            self.neighbours[centre] = False
        else:
            self.n_spots = len(inputs[0])
            self.values = inputs[1]  # the mean of equal values is that value
            self.neighbours = sizes > 1

    def respond(self, gene: int, levels: Tensor, outputs: Tensor) -> Tensor:
        """See `Neighbourhoods`."""
        own = self.values[:, gene].clone()
        predicted = []
        for level in levels:
            self.values[:, gene] = torch.where(self.neighbours, level, own)
            embedding = getattr(self.network, f"embed_{self.layout}")(*self.inputs)
            predicted.append(self.network.decode(embedding, *self.context)[:, outputs])
        self.values[:, gene] = own
        return torch.stack(predicted)


def choose_spots(sections: Sequence[Section], spots: int, seed: int) -> list[np.ndarray]:
    """Choose rows of each section to perturb, at random and in equal numbers; `spots` in total.

    The total is lower if sections are smaller than their share. It is higher if there are more
    sections than `spots`, since each gets at least one.
    """
    shares = [max(len(part), 1) for part in np.array_split(np.arange(spots), len(sections))]
    return [draw_rows(*one, seed) for one in zip(sections, shares, strict=True)]


def neighbourhoods(
    model: FittedModel,
    section: Section,
    rows: np.ndarray,
    hidden_genes: Sequence[int] | np.ndarray,
    batch_size: int = 64,
    chunk: Chunk | None = None,
) -> Iterator[Neighbourhoods]:
    """Yield batches of a section's spots to perturb, one in memory at a time.

    Parameters
    ----------
    rows
        Rows of the section: the central spots.
    hidden_genes
        Columns of the panel, hidden (set to 0) at the central spots.
    chunk
        The section as the model reads it, if already in memory; otherwise it is read.
    """
    chunk = chunk or model.chunk([section])
    sizes = np.diff(chunk.ego_indptr).astype(np.float32)
    columns = list(hidden_genes)
    layout = "channels" if model.collapsible else model.layout
    for start in range(0, len(rows), batch_size):
        batch_rows = rows[start : start + batch_size]
        mask = np.zeros((len(batch_rows), chunk.expression.shape[1]), dtype=bool)
        mask[:, columns] = True
        batch = make_batch([(chunk, batch_rows)], layout, mask, model.unmeasured).to(model.device)
        size = torch.from_numpy(sizes[batch_rows]).to(model.device)
        if model.collapsible:
            yield Collapsed.of(model, batch.inputs, size)
        else:
            yield General(model.network, layout, batch.inputs, batch.context, size)


def across_sections(
    model: FittedModel,
    sections: Sequence[Section],
    rows: Sequence[np.ndarray],
    hidden_genes: Sequence[int] | np.ndarray,
    batch_size: int = 64,
    chunks: Sequence[Chunk] = (),
) -> Iterator[tuple[Neighbourhoods, Tensor]]:
    """Yield batches of spots across sections, as `neighbourhoods` does, with section numbers.

    The numbers are int64 (spots,); `rows` holds the central spots of each section. If the network
    collapses, a batch may span sections. `chunks` holds the sections as the model reads them, if
    already in memory; otherwise each is read.
    """
    held: list[Collapsed] = []
    owners: list[Tensor] = []
    held_chunks: Sequence[Chunk | None] = chunks or [None] * len(sections)
    given = zip(sections, rows, held_chunks, strict=True)
    for number, (section, chosen, chunk) in enumerate(given):
        for part in neighbourhoods(model, section, chosen, hidden_genes, batch_size, chunk):
            owner = torch.full((part.n_spots,), number, device=model.device)
            if not isinstance(part, Collapsed):
                yield part, owner
                continue
            held, owners = [*held, part], [*owners, owner]
            if sum(map(len, owners)) >= batch_size:
                yield Collapsed.joined(held), torch.cat(owners)
                held, owners = [], []
    if held:
        yield Collapsed.joined(held), torch.cat(owners)
