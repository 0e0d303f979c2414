"""Draw the masks of `masks.gene_masks` on any device, identical to the bit.

Philox4x64-10 in torch's int64, which wraps around like the generator's unsigned numbers.
"""

import torch
from torch import Tensor

from sagefm.sections.masks import LEVELS

_ROUNDS = 10
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_LOW = (1 << 32) - 1
_GENES_A_BLOCK = 16  # 256 bits of a block, 16 a gene


def signed(number: int) -> int:
    """Return the int64 with the same 64 bits as an unsigned number."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def philox_masks(
    seed: int, stream: int, keys: Tensor, spots: Tensor, n_genes: int, share: float
) -> Tensor:
    """Draw the masks of several spots, equal to `masks.gene_masks`: bool (spots, genes).

    Parameters
    ----------
    keys, spots
        int64 (spots,), on the device that draws: each sample's `signed` `generator_key`, and rows
        in the samples.
    """
    blocks = -(-n_genes // _GENES_A_BLOCK)
    # NumPy increments the counter before it draws, so the first block is number 1.
    number = torch.arange(1, blocks + 1, device=keys.device)
    zero = torch.zeros_like(number)
    words = _philox((number, spots[:, None], zero + signed(stream), zero), (seed, keys[:, None]))
    draws = torch.stack(torch.broadcast_tensors(*words), dim=-1).view(torch.int16)
    hidden = (draws.int() & (LEVELS - 1)) < round(share * LEVELS)
    return hidden.flatten(1)[:, :n_genes].contiguous()


def _philox(counter: tuple[Tensor, ...], key: tuple[int, Tensor]) -> tuple[Tensor, ...]:
    """Return the four words of each counter's block under a key."""
    a, b, c, d = counter
    for number in range(_ROUNDS):
        first, second = (signed(number * weyl) for weyl in _WEYL)
        high_a, low_a = _product(a, _MULTIPLIERS[0])
        high_c, low_c = _product(c, _MULTIPLIERS[1])
        a, b, c, d = (
            high_c ^ b ^ signed(key[0] + first),
            low_c,
            high_a ^ d ^ (key[1] + second),
            low_a,
        )
    return a, b, c, d


def _product(a: Tensor, constant: int) -> tuple[Tensor, Tensor]:
    """Return the high and low 64 bits of unsigned products, computed from 32-bit halves."""
    low, high = constant & _LOW, constant >> 32
    a_low, a_high = a & _LOW, _upper(a)
    crossed = a_high * low
    # At most 2^64 - 1: the sum cannot overflow.
    middle = _upper(a_low * low) + (crossed & _LOW) + a_low * high
    return a_high * high + _upper(crossed) + _upper(middle), a * signed(constant)


def _upper(a: Tensor) -> Tensor:
    """Return the upper 32 bits as an unsigned number."""
    return (a >> 32) & _LOW
