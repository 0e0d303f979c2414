"""Make a batch of dense network input from sparse rows of sections."""

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
    """Add weight * a sparse row to `out`, removing hidden genes before scaling."""
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
    """Set unmeasured genes to their values, in rows of sections (`owner`) that lack them."""
    for b in range(len(owner)):
        for gene in range(len(values)):
            if not measured[owner[b], gene]:
                out[b, gene] = values[gene]


@njit(nogil=True, cache=True)
def _fill(indptr, indices, data, ego_indptr, ego, rows, mask, scaled, target, mean, centre):
    """Fill in dense targets and inputs of some rows.

    `mean` covers all spots, or only the others if `centre` has rows to hold the centre separately.
    It may also have no rows.
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
    """Make the batch of some rows of some chunks.

    The target is the expression of the complete spot. With a normalisation that scales counts, the
    input must not reveal the target: rates sum to 10,000, so the visible ones would give away the
    sum of the hidden ones. The centre's genes are therefore hidden first, and the rest is scaled by
    its own depth. It is scaled to 10,000 counts times the visible share of the panel's genes. This
    is the expected sum of their counts on the scale of the complete spot. A gene's scale in the
    input thus does not depend on what else is hidden. It equals the scale in the target and in the
    neighbours, which are complete and scaled by their own depth.

    Parameters
    ----------
    pieces
        Chunks, and the rows taken from each.
    layout
        One of `layouts.LAYOUTS`. In `background`, hidden genes of the centre are set to the mean
        expression of the section's other spots, which is also an input. That mean, their mean rate
        and the spot's depth are the context. Only `subgraphs` makes all spots dense.
    mask
        bool (spots, genes): hidden at the central spot.
    unmeasured
        float32 (genes,): value of a gene that `Chunk.measured` marks as not measured, hidden or
        not, in the input and in the mean of the other spots; 0 if not given.
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
