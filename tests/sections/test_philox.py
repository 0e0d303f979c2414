"""The device's mask generator gives NumPy's bits."""

import numpy as np
import pytest
import torch

from sagefm.sections.masks import gene_masks, generator_key, sample_key
from sagefm.sections.philox import philox_masks, signed

KEYS = [0, 1, 2**32, 2**63 - 1, 2**63, 2**64 - 4097, sample_key("atlas", "heart-1")]
SPOTS = [0, 1, 2**31, 40, 7, 981_073, 5]


@pytest.mark.parametrize(
    ("seed", "stream", "genes", "share"),
    [
        (9001, 0, 14_558, 0.3),
        (0, 200, 1, 0.9),
        (2**32 + 1, 7, 15, 0.5),
        (1, 2**40, 16, 0.05),
        (5, 1, 17, 1.0),
    ],
)
def test_masks_are_those_of_numpy_to_the_bit(seed, stream, genes, share):
    keys = torch.tensor([signed(generator_key(key)) for key in KEYS])
    drawn = philox_masks(seed, stream, keys, torch.tensor(SPOTS), genes, share)
    expected = gene_masks(seed, stream, np.array(KEYS, np.uint64), np.array(SPOTS), genes, share)
    np.testing.assert_array_equal(drawn.numpy(), expected)
    assert expected.mean() == pytest.approx(share, abs=4 / np.sqrt(expected.size))


def test_a_large_key_is_rounded_as_it_always_was():
    assert [generator_key(key) for key in (5, 2**63 - 1, 2**63)] == [5, 2**63 - 1, 2**63]
    assert generator_key(0xDCBEF86B0214F55E) == 0xDCBEF86B0214F800
    assert generator_key(2**64 - 1) == 0


def test_signed_numbers_have_the_same_bits():
    numbers = np.array(KEYS, dtype=np.uint64)
    assert [signed(key) for key in KEYS] == numbers.view(np.int64).tolist()
