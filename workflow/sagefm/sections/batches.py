"""Make batches of dense network input from sparse sections, ahead of the consumer.

Memory holds a few chunks of sections (`buffer_spots`) and a few batches, whatever the size of the
cohort. The content of a batch is a pure function of (seed, epoch, position).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import torch
from torch import Tensor

from sagefm.sections.batch import CPU, Batch, Sender, Sent
from sagefm.sections.cache import SectionCache
from sagefm.sections.dense import make_batch
from sagefm.sections.masks import FIXED_STREAM, gene_masks
from sagefm.sections.section import Chunk, Section, load_chunk, measured_genes_of
from sagefm.sections.shares import shares


@dataclass(frozen=True)
class Batches:
    """Batches over the spots of some sections.

    Parameters
    ----------
    sections
        Sections in a fixed order; `as_released` keeps it and never shuffles spots.
    layout, normalisation, batch_size, mask_share, seed
        Settings of a batch's content; see `make_batch`, `normalise` and `gene_mask`.
    buffer_spots
        Number of spots held in memory at once; `shuffled` draws its batches from these.
    workers
        Number of threads that make batches ahead of the consumer.
    always_hidden
        Genes (columns) hidden at every central spot in addition to those drawn.
    withheld
        Genes (columns) treated as missing at every spot, including neighbours.
    every_gene
        Whether genes that a section did not measure are also targets, with a truth of 0, as in the
        released code. Otherwise they are excluded from every batch's `mask`.
    cache
        Cache of sections that have been read.
    unmeasured
        See `make_batch`; `withheld` genes count as unmeasured too. The values are those in
        `GeneDecoder.unmeasured` of the network that reads the batches.
    """

    sections: Sequence[Section]
    layout: str
    normalisation: str
    batch_size: int = 64
    mask_share: float = 0.3
    seed: int = 9001
    buffer_spots: int = 16_384
    workers: int = 1
    always_hidden: tuple[int, ...] = ()
    withheld: tuple[int, ...] = ()
    every_gene: bool = True
    cache: SectionCache = field(default_factory=lambda: SectionCache(0))
    unmeasured: np.ndarray | None = None

    @cached_property
    def sizes(self) -> list[int]:
        """Number of spots in each section."""
        return [section.n_spots() for section in self.sections]

    @cached_property
    def incomplete(self) -> dict[int, np.ndarray]:
        """Measured genes, bool (genes,), by key of each section that lacks some."""
        found = {section.key: measured_genes_of(section.counts_path) for section in self.sections}
        return {key: genes for key, genes in found.items() if not genes.all()}

    @property
    def measured(self) -> dict[int, np.ndarray]:
        """Genes that are targets, bool (genes,), by key of each section that lacks some."""
        return {} if self.every_gene else self.incomplete

    @property
    def n_batches(self) -> int:
        """Number of batches per epoch; the last may be smaller."""
        return -(-sum(self.sizes) // self.batch_size)

    def plan(self, epoch: int, order: str) -> list[tuple[list[int], np.ndarray]]:
        """Return an epoch's chunks: the sections in each, and the order of their rows."""
        rng = np.random.default_rng([self.seed, epoch])
        turn = np.arange(len(self.sections))
        if order == "shuffled":
            turn = rng.permutation(len(self.sections))
        groups: list[list[int]] = [[]]
        held = 0
        for index in turn:
            size = self.sizes[index]
            if groups[-1] and held + size > self.buffer_spots:
                groups.append([])
                held = 0
            groups[-1].append(int(index))
            held += size
        plan = []
        for group in groups:
            rows = np.arange(sum(self.sizes[index] for index in group))
            plan.append((group, rng.permutation(rows) if order == "shuffled" else rows))
        return plan

    def first_chunk(self) -> Chunk:
        """Read as many randomly drawn sections as `buffer_spots` allows, as a sample of all.

        It has `measured` unless genes that a section did not measure are also targets.
        """
        group, _ = self.plan(1, "shuffled")[0]
        chosen = [self.sections[index] for index in group]
        chunk = load_chunk(chosen, self.normalisation, self.withheld, self.cache.read)
        return chunk if self.every_gene else replace(chunk, measured=self.measured_in(chosen))

    def measured_in(self, sections: Sequence[Section]) -> np.ndarray:
        """Return which genes some of the sections measured: bool (sections, genes)."""
        every = np.ones(self.sections[0].n_genes(), dtype=bool)
        return np.stack([self.incomplete.get(section.key, every) for section in sections])

    def fill_in(self, sections: Sequence[Section]) -> tuple[np.ndarray, np.ndarray] | None:
        """Return which genes are known in the input of some sections, and the value of the others.

        bool (sections, genes) and float32 (genes,); None if all are known, or the others count as
        0.
        """
        if self.unmeasured is None or not (self.incomplete or len(self.withheld)):
            return None
        known = self.measured_in(sections)
        known[:, list(self.withheld)] = False
        return known, self.unmeasured

    def chunk(self, sections: Sequence[Section]) -> Chunk:
        """Read some of the sections; `measured` has the genes known according to `fill_in`."""
        chunk = load_chunk(sections, self.normalisation, self.withheld, self.cache.read)
        fill = self.fill_in(sections)
        return replace(chunk, measured=fill[0]) if fill else chunk

    def filling(self, unmeasured: Tensor | None) -> Self:
        """Return these batches with unmeasured genes as the network has them; self if unchanged."""
        if unmeasured is None:
            return self if self.unmeasured is None else replace(self, unmeasured=None)
        values = unmeasured.cpu().numpy()
        if self.unmeasured is not None and np.array_equal(values, self.unmeasured):
            return self
        return replace(self, unmeasured=values)

    def epoch(
        self,
        epoch: int,
        *,
        order: str = "as_released",
        stream: int = FIXED_STREAM,
        skip: int = 0,
        share: tuple[int, int] = (0, 1),
        device: torch.device = CPU,
    ) -> Iterator[Batch]:
        """Yield an epoch's batches from `skip` on; `stream` names the masks (see `gene_mask`).

        `share` gives the part of each batch to make, and the number of parts (see `shares`).
        Batches are sent to `device`, also ahead of the consumer.
        """
        plan, sender = self.plan(epoch, order), Sender(device)
        with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(self.workers) as makers:
            chunks: dict[int, Future[Chunk]] = {}
            waiting: deque[Future[Sent]] = deque()
            for pieces in shares(list(self._pieces(plan))[skip:], *share):
                first, last = pieces[0][0], pieces[-1][0]
                for index in range(first, min(last + 2, len(plan))):
                    if index not in chunks:
                        group = [self.sections[i] for i in plan[index][0]]
                        chunks[index] = reader.submit(self.chunk, group)
                for index in [index for index in chunks if index < first]:
                    del chunks[index]
                ready = [(chunks[index].result(), rows) for index, rows in pieces]
                waiting.append(makers.submit(self._send, sender, ready, stream))
                if len(waiting) > 2 * self.workers:
                    yield sender.receive(waiting.popleft().result())
            while waiting:
                yield sender.receive(waiting.popleft().result())

    def _pieces(
        self, plan: list[tuple[list[int], np.ndarray]]
    ) -> Iterator[list[tuple[int, np.ndarray]]]:
        """Yield each batch as rows of consecutive chunks; only the last batch may be short."""
        batch: list[tuple[int, np.ndarray]] = []
        room = self.batch_size
        for index, (_, rows) in enumerate(plan):
            start = 0
            while start < len(rows):
                taken = rows[start : start + room]
                batch.append((index, taken))
                start, room = start + len(taken), room - len(taken)
                if room == 0:
                    yield batch
                    batch, room = [], self.batch_size
        if batch:
            yield batch

    def _send(self, sender: Sender, pieces: list[tuple[Chunk, np.ndarray]], stream: int) -> Sent:
        return sender.send(self._make(pieces, stream))

    def _make(self, pieces: list[tuple[Chunk, np.ndarray]], stream: int) -> Batch:
        n_genes = pieces[0][0].expression.shape[1]
        keys = np.concatenate([chunk.keys[rows] for chunk, rows in pieces])
        spots = np.concatenate([chunk.spots[rows] for chunk, rows in pieces])
        if self.mask_share > 0:
            mask = gene_masks(self.seed, stream, keys, spots, n_genes, self.mask_share)
        else:
            mask = np.zeros((len(spots), n_genes), dtype=bool)
        mask[:, list(self.always_hidden)] = True
        batch = make_batch(pieces, self.layout, mask, self.unmeasured)
        # After the input is made: draws at genes that are 0 anyway hide nothing, and the hidden
        # share of the measured genes remains the one that a scaled input assumes.
        for key in self.measured.keys() & set(keys.tolist()):
            batch.mask[torch.from_numpy(keys == np.uint64(key))] &= torch.from_numpy(
                self.measured[key]
            )
        return batch
