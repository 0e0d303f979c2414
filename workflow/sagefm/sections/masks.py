"""Genes hidden at a spot: a pure function of (seed, stream, sample, spot).

A counter-based generator (Philox; Salmon et al. 2011, doi:10.1145/2063384.2063405) is addressed by
those four numbers. A mask is therefore independent of batch size, order, workers, devices and
restarts.
"""

import hashlib

import numpy as np

FIXED_STREAM = 0
"""Stream of masks that never change, for validation and evaluation. Epoch e >= 1 draws stream e."""

LEVELS = 1 << 16
"""Number of values of the 16 bits drawn for a gene."""


def sample_key(cohort: str, sample: str) -> int:
    """Return a 64-bit number for a sample in the generator's key, independent of sheet order."""
    digest = hashlib.blake2b(f"{cohort}/{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def generator_key(key: int) -> int:
    """Return a sample's key as the generator uses it: from 2^63 on, the nearest float64.

    NumPy converts a list of a small and such a large integer to floats. Masks have been drawn this
    way from the start, so this is kept.
    """
    return key if key < 1 << 63 else int(float(key)) % (1 << 64)


def gene_mask(
    seed: int, stream: int, key: int, spot: int, n_genes: int, share: float, out: np.ndarray
) -> None:
    """Draw one spot's mask into `out`.

    Each gene is hidden independently (paper: share 0.3; resolution 1/65,536).

    Parameters
    ----------
    seed, stream
        The run's seed, and the epoch (from 1) or `FIXED_STREAM`.
    key, spot
        `sample_key` of the sample and the row of the spot in it.
    out
        bool (n_genes,), overwritten; True where the gene is hidden.
    """
    address = np.array([seed, generator_key(key)], dtype=np.uint64)
    bits = np.random.Philox(key=address, counter=[0, spot, stream, 0])
    draws = bits.random_raw(-(-n_genes // 4)).view(np.uint16)[:n_genes]
    np.less(draws, round(share * LEVELS), out=out)


def gene_masks(
    seed: int, stream: int, keys: np.ndarray, spots: np.ndarray, n_genes: int, share: float
) -> np.ndarray:
    """The masks of several spots, by `gene_mask` of each key and spot: bool (spots, genes)."""
    masks = np.zeros((len(spots), n_genes), dtype=bool)
    for out, key, spot in zip(masks, keys, spots, strict=True):
        gene_mask(seed, stream, int(key), int(spot), n_genes, share, out)
    return masks
