"""From sparse rows of sections to a batch of the network's dense input."""

from collections.abc import Sequence

import numpy as np
import torch
from numba import njit

from sagefm.sections.batch import Batch
from sagefm.sections.section import Chunk


@njit(nogil=True, cache=True)
def _add_rows(indptr, indices, data, rows, weight, out):
    """Add weight * sum of sparse rows to `out`."""
    for row in rows:
        for j in range(indptr[row], indptr[row + 1]):
            out[indices[j]] += weight * data[j]


@njit(nogil=True, cache=True)
def _add_visible(indptr, indices, data, row, hidden, scaled, weight, out):
    """Add weight * a sparse row to `out`, its hidden genes left out before it is scaled."""
    start, end = indptr[row], indptr[row + 1]
    genes, values = indices[start:end], data[start:end]
    if scaled:
        rates = np.expm1(values)
        total, visible, shown = 0.0, 0.0, len(hidden) - hidden.sum()
        for j in range(len(genes)):
            total += rates[j]
            if not hidden[genes[j]]:
                visible += rates[j]
        if shown < len(hidden) and visible > 0:
            values = np.log1p(np.float32(shown / len(hidden) * total / visible) * rates)
    for j in range(len(genes)):
        if not hidden[genes[j]]:
            out[genes[j]] += weight * values[j]


@njit(nogil=True, cache=True)
def _fill_unmeasured(owner, measured, values, out):
    """Give genes their values in rows of sections (`owner`) that did not measure them."""
    for b in range(len(owner)):
        for gene in range(len(values)):
            if not measured[owner[b], gene]:
                out[b, gene] = values[gene]


@njit(nogil=True, cache=True)
def _fill(indptr, indices, data, ego_indptr, ego, rows, mask, scaled, target, mean, centre):
    """Dense targets and inputs of some rows.

    `mean` is that of all spots, or if `centre` has rows, to hold it apart, of the others; it may
    have no rows either.
    """
    for b in range(len(rows)):
        spots = ego[ego_indptr[rows[b]] : ego_indptr[rows[b] + 1]]
        _add_rows(indptr, indices, data, spots[:1], np.float32(1), target[b])
        own = (indptr, indices, data, spots[0], mask[b], scaled)
        weight = np.float32(1 / len(spots))
        if len(centre):
            _add_visible(*own, np.float32(1), centre[b])
            weight = np.float32(1 / max(len(spots) - 1, 1))
        else:
            _add_visible(*own, weight, mean[b])
        if len(mean):
            _add_rows(indptr, indices, data, spots[1:], weight, mean[b])


def make_batch(
    pieces: Sequence[tuple[Chunk, np.ndarray]],
    layout: str,
    mask: np.ndarray,
    unmeasured: np.ndarray | None = None,
) -> Batch:
    """The batch of some rows of some chunks.

    The target is the expression of the complete spot. Under a normalisation that scales counts, a
    network must not be given it by the way: of rates that sum to 10,000, those that are visible
    give away the sum of the hidden ones. So the centre's genes are hidden first, and what is left
    is scaled by its own depth: to 10,000 counts times the share of the panel's genes that are
    visible, which is what their counts are expected to sum to on the scale of the complete spot.
    So a gene has the same scale in the input, whatever else is hidden, as in the target, in the
    neighbours (complete, and scaled by their own depth) and in a spot of which nothing is hidden.

    Parameters
    ----------
    pieces
        Chunks, each with the rows taken from it.
    layout
        Of `layouts.LAYOUTS`. In `background`, hidden genes of the centre are as in the section's
        other spots, whose mean expression is an input; it, their mean rate and the spot's depth are
        the context. Only in `subgraphs` are all spots dense.
    mask
        bool (spots, genes): hidden at the central spot.
    unmeasured
        float32 (genes,): what a gene counts as, in the input and in the mean of the other spots,
        hidden or not, where `Chunk.measured` has it as not measured; 0 if not given.
    """
    shape = mask.shape
    target = np.zeros(shape, dtype=np.float32)
    mean = np.zeros(shape if layout != "subgraphs" else (0, shape[1]), dtype=np.float32)
    apart = layout != "mean"
    centre = np.zeros(shape if apart else (0, shape[1]), dtype=np.float32)
    nodes, edges, centres, done, shift = [], [], [], 0, 0
    context = []
    parts: tuple[np.ndarray, ...]
    for chunk, rows in pieces:
        here = slice(done, done + len(rows))
        done += len(rows)
        x = chunk.expression
        arrays = (x.indptr, x.indices, x.data, chunk.ego_indptr, chunk.ego, rows, mask[here])
        _fill(*arrays, chunk.scaled, target[here], mean[here], centre[here])
        lacking = None if unmeasured is None else chunk.measured
        if lacking is not None:
            for part in (mean[here], centre[here]):
                _fill_unmeasured(chunk.owner(rows)[: len(part)], lacking, unmeasured, part)
        if layout == "subgraphs":
            spots, edge_index, first = chunk.subgraphs(rows)
            dense = x[spots].toarray()
            if lacking is not None:
                _fill_unmeasured(chunk.owner(spots), lacking, unmeasured, dense)
            dense[first] = centre[here]
            nodes.append(dense)
            edges.append(edge_index + shift)
            centres.append(first + shift)
            shift += len(dense)
        if layout == "background":
            context.append((*chunk.background(rows, target[here]), chunk.depth[rows]))
            if lacking is not None:
                _fill_unmeasured(chunk.owner(rows), lacking, unmeasured, context[-1][0])
            centre[here] = np.where(mask[here], context[-1][0], centre[here])
    if layout == "subgraphs":
        parts = (np.concatenate(nodes), np.concatenate(edges, axis=1), np.concatenate(centres))
    else:
        parts = (centre, mean) if apart else (mean,)
    joined = [np.concatenate(own) for own in zip(*context, strict=True)]
    inputs, more = (tuple(map(torch.from_numpy, arrays)) for arrays in (parts, joined))
    inputs += more[:1]
    return Batch(layout, inputs, torch.from_numpy(target), torch.from_numpy(mask), more)
