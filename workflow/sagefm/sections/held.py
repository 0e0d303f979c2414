"""Sparse sections in a device's memory, and dense batches made from them there.

Batches equal those of `dense.make_batch`, since sums are computed in the same order. On the CPU
they are identical to the bit for expression that is not scaled, otherwise within rounding. Nothing
waits for the device.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sagefm.sections.batch import Batch
from sagefm.sections.batches import Batches
from sagefm.sections.masks import generator_key
from sagefm.sections.philox import signed
from sagefm.sections.section import Section, load_chunk


@dataclass(frozen=True)
class HeldSections:
    """Sections stacked as in a `Chunk`.

    Attributes
    ----------
    values, genes, first
        Row i of the expression is `values[first[i] : first[i + 1]]` (float32) in the columns
        `genes` (int16 or int32).
    ego, ego_first
        The rows of its neighbourhood are `ego[ego_first[i] : ego_first[i + 1]]` (int32).
    owner
        int64 (rows,): section of each row.
    starts, sizes, keys
        int64 (sections,): first row, number of spots, and `signed` `generator_key`.
    depth, scaled
        See `Chunk`.
    widest
        Number of spots in the largest neighbourhood.
    totals
        See `Chunk`; empty except for the layout `background`, which needs them.
    measured
        bool (sections, genes): which genes are targets; None if all are.
    unmeasured
        Which genes are known in the input, bool (sections, genes), and the value of the others,
        float32 (genes,); None if all are known, or the others count as 0.
    """

    values: Tensor
    genes: Tensor
    first: Tensor
    ego: Tensor
    ego_first: Tensor
    owner: Tensor
    starts: Tensor
    sizes: Tensor
    keys: Tensor
    depth: Tensor
    scaled: bool
    widest: int
    n_genes: int
    totals: tuple[Tensor, ...]
    measured: Tensor | None
    unmeasured: tuple[Tensor, Tensor] | None

    @classmethod
    def read(cls, batches: Batches, device: torch.device) -> "HeldSections":
        """Read all sections of some batches, one at a time, and keep them on a device."""
        sections, n_genes = batches.sections, batches.sections[0].n_genes()
        room = sum(section.n_entries() for section in sections)
        values = torch.empty(room, device=device)
        genes = torch.empty(room, dtype=_gene_type(n_genes), device=device)
        firsts, egos, ego_firsts = [np.zeros(1, np.int64)], [], [np.zeros(1, np.int64)]
        depths, totals, scaled, start = [], [], False, 0
        for section in sections:
            chunk = load_chunk([section], batches.normalisation, batches.withheld)
            x, scaled = chunk.expression, chunk.scaled
            here = slice(firsts[-1][-1], firsts[-1][-1] + x.nnz)
            values[here] = torch.from_numpy(x.data).to(device)
            genes[here] = torch.from_numpy(x.indices).to(device, genes.dtype)
            firsts.append(here.start + x.indptr[1:].astype(np.int64))
            egos.append((chunk.ego + start).astype(np.int32))
            ego_firsts.append(ego_firsts[-1][-1] + chunk.ego_indptr[1:].astype(np.int64))
            depths.append(chunk.depth)
            if batches.layout == "background":
                totals.append(chunk.totals)
            start += x.shape[0]
        sizes = np.array(batches.sizes)
        neighbours = np.concatenate(ego_firsts)
        keys = [signed(generator_key(section.key)) for section in sections]

        fill = batches.fill_in(sections)

        def sent(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(device)

        return cls(
            values=values,
            genes=genes,
            first=sent(np.concatenate(firsts)),
            ego=sent(np.concatenate(egos)),
            ego_first=sent(neighbours),
            owner=sent(np.repeat(np.arange(len(sizes)), sizes)),
            starts=sent(np.cumsum(sizes) - sizes),
            sizes=sent(sizes),
            keys=torch.tensor(keys, device=device),
            depth=sent(np.concatenate(depths)),
            scaled=scaled,
            n_genes=n_genes,
            widest=int(np.diff(neighbours).max()),
            totals=tuple(sent(np.concatenate(own)) for own in zip(*totals, strict=True)),
            measured=sent(batches.measured_in(sections)) if batches.measured else None,
            unmeasured=None if fill is None else (sent(fill[0]), sent(fill[1])),
        )

    def neighbours(self, rows: Tensor, place: int) -> tuple[Tensor, Tensor]:
        """Return the row at a place of each neighbourhood, and whether it exists: (rows,) each.

        Place 0 is the row itself. The row is arbitrary where none exists.
        """
        at = self.ego_first[rows] + place
        present = at < self.ego_first[rows + 1]
        return self.ego[at.clamp(max=len(self.ego) - 1)].long(), present

    def length(self, rows: Tensor, present: Tensor) -> Tensor:
        """Return the number of entries of rows, 0 for rows that are not present: int64 (rows,)."""
        return (self.first[rows + 1] - self.first[rows]) * present

    def entries(self, rows: Tensor, ends: Tensor) -> list[list[int]]:
        """Count the rows' entries at each place of their neighbourhoods, up to `ends` of `rows`.

        `make` needs these counts for each consecutive part of an epoch. Without them, it would have
        to wait for the device at every part.
        """
        counts = []
        for place in range(self.widest):
            length = self.length(*self.neighbours(rows, place))
            counts.append(length.cumsum(0)[ends - 1])
        upto = torch.stack(counts, dim=1)
        return torch.diff(upto, dim=0, prepend=torch.zeros_like(upto[:1])).tolist()

    def make(self, rows: Tensor, entries: Sequence[int], layout: str, mask: Tensor) -> Batch:
        """Make the batch of some rows, equal to that of `dense.make_batch`, which explains it.

        Parameters
        ----------
        rows
            int64 (spots,).
        entries
            Counts from `entries`.
        mask
            bool (spots, genes): hidden at the central spot.
        """
        size = self.ego_first[rows + 1] - self.ego_first[rows]
        apart = layout != "mean"
        # Rounded as in `batches`, so that sums are equal to the bit.
        weight = (1 / (size - 1 if apart else size).clamp(min=1).double()).float()
        target, mean = torch.zeros(2, len(rows), self.n_genes, device=rows.device)
        self._add(*self.neighbours(rows, 0), entries[0], torch.ones_like(weight), target)
        own = self._visible(target, mask)
        if not apart:
            mean += weight[:, None] * own
        for place in range(1, self.widest):
            # Each place adds to a cell only once, so the order of the sum is fixed on a GPU too.
            self._add(*self.neighbours(rows, place), entries[place], weight, mean)
        own, mean = self._filled(rows, own), self._filled(rows, mean)
        if layout == "background":
            average, rate = self._background(rows, target)
            average = self._filled(rows, average)
            own = torch.where(mask, average, own)
            context = average, rate, self.depth[rows]
            return Batch(layout, (own, mean, average), target, mask, context)
        return Batch(layout, (own, mean) if apart else (mean,), target, mask)

    def _add(
        self, rows: Tensor, present: Tensor, entries: int, weight: Tensor, out: Tensor
    ) -> None:
        """Add `weight` (rows,) times the rows present, which have `entries` in total, to `out`."""
        length = self.length(rows, present)
        every = torch.arange(len(rows), device=rows.device)
        # The number of entries is given, since counting them would wait for the device.
        number = torch.repeat_interleave(every, length, output_size=entries)
        shift = self.first[rows] - (length.cumsum(0) - length)
        at = torch.arange(entries, device=rows.device) + shift[number]
        cell = number * self.n_genes + self.genes[at].long()
        out.view(-1).index_add_(0, cell, weight[number] * self.values[at])

    def _visible(self, target: Tensor, mask: Tensor) -> Tensor:
        """Return expression (spots, genes), 0 where hidden, scaled by the visible depth."""
        value = target
        if self.scaled:
            rate = torch.expm1(target)
            total = rate.sum(dim=1, dtype=torch.float64)
            visible = torch.where(mask, 0, rate).sum(dim=1, dtype=torch.float64)
            share = (~mask).sum(dim=1).double() / self.n_genes
            scale = (share * total / visible).float()[:, None]
            scaled = ((share < 1) & (visible > 0))[:, None]
            value = torch.where(scaled, torch.log1p(scale * rate), target)
        return torch.where(mask, 0, value)

    def _filled(self, rows: Tensor, values: Tensor) -> Tensor:
        """Return values (rows, genes) with unmeasured genes filled in."""
        if self.unmeasured is None:
            return values
        known, others = self.unmeasured
        return torch.where(known[self.owner[rows]], values, others)

    def _background(self, rows: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        """See `Chunk.background`."""
        owner = self.owner[rows]
        others = (self.sizes[owner] - 1).clamp(min=1).float()[:, None]
        expression, rate = (total[owner] for total in self.totals)
        return (
            (expression - own).clamp(min=0) / others,
            (rate - torch.expm1(own)).clamp(min=0) / others,
        )


def bytes_of(sections: Sequence[Section]) -> int:
    """Return the bytes that a device needs for sections, without their graphs (about 1%)."""
    each = 4 + _gene_type(sections[0].n_genes()).itemsize
    return each * sum(section.n_entries() for section in sections)


def _gene_type(n_genes: int) -> torch.dtype:
    """Return the smallest type for column numbers."""
    return torch.int16 if n_genes <= torch.iinfo(torch.int16).max else torch.int32
