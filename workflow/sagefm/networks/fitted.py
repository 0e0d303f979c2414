"""A trained model: its network and everything needed to use it, in one object."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sagefm.common.errors import InputError
from sagefm.networks.base import GeneDecoder, embed, predict
from sagefm.networks.checkpoint import load_network
from sagefm.networks.collapsed import Collapsible, Readout, collapses
from sagefm.networks.device import autocast, products
from sagefm.networks.recipe import ModelRecipe, find_model
from sagefm.networks.registry import NetworkFacts, describe
from sagefm.sections.batch import CPU, Batch
from sagefm.sections.batches import Batches
from sagefm.sections.dense import make_batch
from sagefm.sections.resident import on_device
from sagefm.sections.section import Chunk, Section

COMPLETED_SPOTS = 128
"""Number of spots whose genes are completed in one batch."""


@dataclass(frozen=True)
class FittedModel:
    """A trained network with its recipe, device and precision.

    Parameters
    ----------
    network
        Network with trained weights. It is moved to the device and set to evaluation mode.
    recipe
        Genes (`panel`), normalisation, graph, and how sections are harmonised.
    device, precision
        Device and precision (`fp32`, `tf32` or `bf16`) of predictions.
    checkpoint
        File that the network was read from, if any.

    Examples
    --------
    >>> model = FittedModel.load("results/demo/models/paper")  # doctest: +SKIP
    >>> rows = np.concatenate([*model.embedded_rows(section)])  # doctest: +SKIP
    """

    network: GeneDecoder
    recipe: ModelRecipe
    device: torch.device = CPU
    precision: str = "fp32"
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        self.network.eval().to(self.device)

    @classmethod
    def load(
        cls,
        model: str | Path,
        device: torch.device = CPU,
        precision: str = "fp32",
        recipe: ModelRecipe | None = None,
    ) -> "FittedModel":
        """Load a model from a folder or a checkpoint.

        Parameters
        ----------
        model
            A model's folder in a run (`best.pt` with `recipe.json`), a checkpoint in the same
            folder as its recipe, the authors' released checkpoint, or any checkpoint or state dict
            of a network.
        device, precision
            See `FittedModel`.
        recipe
            Training recipe, for a checkpoint without a `recipe.json` in its folder. The authors'
            checkpoint needs none.

        Raises
        ------
        InputError
            If the model does not exist, its recipe is unknown, or the weights do not fit the
            network.
        """
        checkpoint, recipe = find_model(model, recipe)
        network = load_network(checkpoint, recipe.network, len(recipe.panel))
        return cls(network, recipe, device, precision, checkpoint)

    @property
    def genes(self) -> Sequence[str]:
        """Gene symbols in the network's order."""
        return self.recipe.panel

    @property
    def normalisation(self) -> str:
        """Normalisation of counts: a name from `sections.expression`."""
        return self.recipe.normalisation

    @property
    def facts(self) -> NetworkFacts:
        """Facts declared in the network's file."""
        return describe(self.recipe.network)

    @property
    def layout(self) -> str:
        """Layout of the network's input on the model's graph: a name from `sections.layouts`."""
        return self.facts.layout(self.recipe.kind)

    @property
    def collapsible(self) -> Collapsible | None:
        """The network if it is a stack of dense layers on the model's graph; otherwise None."""
        return self.network if collapses(self.network, self.layout) else None

    @cached_property
    def unmeasured(self) -> np.ndarray | None:
        """Input values of genes not measured (genes,), from `GeneDecoder.unmeasured`, or None."""
        values = self.network.unmeasured
        return None if values is None else values.cpu().numpy()

    @cached_property
    def readout(self) -> Readout:
        """Merged layers after the first of a `collapsible` network (see `Readout`)."""
        assert self.collapsible
        # Plain tensors, whichever mode the first caller is in.
        with torch.inference_mode(mode=False), torch.no_grad():
            return Readout.of(self.collapsible)

    def chunk(
        self, sections: Sequence[Section], withheld: Sequence[int] | np.ndarray = ()
    ) -> Chunk:
        """Load sections, normalised as the model reads them; `withheld` genes (columns) are 0.

        Raises
        ------
        InputError
            If a section does not have the model's genes.
        """
        return self.batches(sections, withheld=tuple(withheld)).chunk(sections)

    def batch(self, chunk: Chunk, rows: np.ndarray, hidden: np.ndarray) -> Batch:
        """Return the model's input for some rows of a chunk, on its device.

        Parameters
        ----------
        hidden
            bool (rows, genes): entries hidden at the central spots.
        """
        return make_batch([(chunk, rows)], self.layout, hidden, self.unmeasured).to(self.device)

    def batches(self, sections: Sequence[Section], **settings) -> Batches:
        """Return batches over some sections, with further arguments of `Batches`.

        Raises
        ------
        InputError
            If a section does not have the model's genes.
        """
        self._check_genes(sections)
        settings["unmeasured"] = self.unmeasured
        return Batches(sections, self.layout, self.normalisation, **settings)

    @torch.inference_mode()
    def embed(self, batch: Batch) -> Tensor:
        """Return embeddings of a batch on the model's device: float32 (spots, width)."""
        with products(self.precision), autocast(self.device, self.precision):
            return embed(self.network, batch).float()

    @torch.inference_mode()
    def predict(self, batch: Batch) -> Tensor:
        """Predict expression of a batch on the model's device: float32 (spots, genes)."""
        with products(self.precision), autocast(self.device, self.precision):
            return predict(self.network, batch).float()

    def embedded_rows(self, section: Section, withheld: Sequence[int] = ()) -> Iterator[np.ndarray]:
        """Yield a section's embeddings batch by batch: float32 (spots, width).

        A batch holds spots of one section only. The rounding of a matrix product depends on its
        size, and a section's embedding must not depend on other sections, not even in the last bit.

        Parameters
        ----------
        withheld
            Genes (columns) treated as missing at every spot. No others are hidden.
        """
        whole = self.batches([section], mask_share=0.0, withheld=tuple(withheld))
        (batches,) = on_device([whole], self.device)
        for batch in batches.epoch(0, device=self.device):
            yield self.embed(batch).cpu().numpy()

    def completed_rows(
        self, section: Section, missing: np.ndarray, batch_size: int = COMPLETED_SPOTS
    ) -> Iterator[np.ndarray]:
        """Yield expression of a section batch by batch: float32 (spots, genes), log units.

        Missing genes are predicted; the others keep their measured values. Only missing genes are
        hidden from the network.

        Parameters
        ----------
        missing
            bool (genes,): genes that the section lacks at every spot.
        """
        chunk = self.chunk([section])
        every = np.arange(len(chunk.spots))
        for rows in np.split(every, range(batch_size, len(every), batch_size)):
            nothing = np.zeros((len(rows), len(missing)), dtype=bool)
            batch = make_batch([(chunk, rows)], self.layout, nothing, self.unmeasured)
            values = batch.target.numpy()
            if missing.any():
                predicted = self.predict(batch.to(self.device)).cpu().numpy()
                values[:, missing] = predicted[:, missing]
            yield values

    def _check_genes(self, sections: Sequence[Section]) -> None:
        for section in sections:
            if (found := section.n_genes()) != len(self.genes):
                raise InputError(
                    f"{section.counts_path}: has {found} genes, but the model reads "
                    f"{len(self.genes)}. Fix: harmonise the section to the model's panel."
                )
