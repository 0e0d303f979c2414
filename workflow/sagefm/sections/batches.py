"""From sparse sections to the network's dense input, a batch at a time, ahead of the consumer.

Memory holds a few chunks of sections (`buffer_spots`) and a few batches, however many the cohort
has. What a batch contains is a pure function of (seed, epoch, position).
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
        In a fixed order; `as_released` keeps it and never shuffles spots.
    layout, normalisation, batch_size, mask_share, seed
        What a batch holds; see `make_batch`, `normalise` and `gene_mask`.
    buffer_spots
        Spots held in memory at once; `shuffled` draws its batches from this many.
    workers
        Threads that make batches ahead of the consumer.
    always_hidden
        Genes (columns) hidden at every central spot besides those drawn.
    withheld
        Genes (columns) taken for missing at every spot, neighbours included.
    every_gene
        Whether genes that a section did not measure are targets as well, with a truth of 0, as in
        the released code; else no batch's `mask` has them.
    cache
        Sections already read, kept in memory.
    unmeasured
        See `make_batch`, which `withheld` genes are not measured for either; what
        `GeneDecoder.unmeasured` has of the network that reads the batches.
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
        """Spots of each section."""
        return [section.n_spots() for section in self.sections]

    @cached_property
    def incomplete(self) -> dict[int, np.ndarray]:
        """Genes that were measured, bool (genes,), by the key of each section that lacks some."""
        found = {section.key: measured_genes_of(section.counts_path) for section in self.sections}
        return {key: genes for key, genes in found.items() if not genes.all()}

    @property
    def measured(self) -> dict[int, np.ndarray]:
        """Genes that are targets, bool (genes,), by the key of each section that lacks some."""
        return {} if self.every_gene else self.incomplete

    @property
    def n_batches(self) -> int:
        """Batches of one epoch; the last may be smaller."""
        return -(-sum(self.sizes) // self.batch_size)

    def plan(self, epoch: int, order: str) -> list[tuple[list[int], np.ndarray]]:
        """An epoch's chunks: the sections stacked in each, and the order of their rows."""
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
        """As many sections as `buffer_spots` allows, drawn at random: a sample of them all.

        It has `measured` unless genes that a section did not measure are targets as well.
        """
        group, _ = self.plan(1, "shuffled")[0]
        chosen = [self.sections[index] for index in group]
        chunk = load_chunk(chosen, self.normalisation, self.withheld, self.cache.read)
        return chunk if self.every_gene else replace(chunk, measured=self.measured_in(chosen))

    def measured_in(self, sections: Sequence[Section]) -> np.ndarray:
        """Which genes some of the sections measured: bool (sections, genes)."""
        every = np.ones(self.sections[0].n_genes(), dtype=bool)
        return np.stack([self.incomplete.get(section.key, every) for section in sections])

    def fill_in(self, sections: Sequence[Section]) -> tuple[np.ndarray, np.ndarray] | None:
        """Which genes are known in the input of some sections, and what the others count as.

        bool (sections, genes) and float32 (genes,); None where all are, or the others count as 0.
        """
        if self.unmeasured is None or not (self.incomplete or len(self.withheld)):
            return None
        known = self.measured_in(sections)
        known[:, list(self.withheld)] = False
        return known, self.unmeasured

    def chunk(self, sections: Sequence[Section]) -> Chunk:
        """Some of the sections, read; `measured` is what `fill_in` has as known."""
        chunk = load_chunk(sections, self.normalisation, self.withheld, self.cache.read)
        fill = self.fill_in(sections)
        return replace(chunk, measured=fill[0]) if fill else chunk

    def filling(self, unmeasured: Tensor | None) -> Self:
        """The same batches for a network that has unmeasured genes so; these, if they are."""
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
        """Batches of one epoch, from batch `skip` on; `stream` names the masks (see `gene_mask`).

        `share` is which part of each batch is made, of how many (see `shares`); `device` is where
        it is sent, ahead of the consumer too.
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
        """Each batch as rows of one or more consecutive chunks; only the last may be short."""
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
        # After the input is made: what is drawn at genes of 0 alone hides nothing, and the share
        # hidden of the measured genes stays what a scaled input reckons with.
        for key in self.measured.keys() & set(keys.tolist()):
            batch.mask[torch.from_numpy(keys == np.uint64(key))] &= torch.from_numpy(
                self.measured[key]
            )
        return batch
