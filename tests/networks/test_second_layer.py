"""The second layer of a perturbed network, from one product and the units that changed sign."""

import pytest
import torch
from torch.nn import functional

from sagefm.networks.second_layer import SecondLayer


@pytest.mark.parametrize(("size", "share"), [(0.01, 0.001), (0.5, 0.05), (30.0, 0.3)])
def test_equals_the_layer_applied_to_every_level(size, share):
    torch.manual_seed(0)
    hidden, column = torch.randn(9, 64), size * torch.randn(64)
    hidden[0, :5] = 0.0  # at the bend itself
    weight, bias = torch.randn(20, 64) / 8, torch.randn(20)
    shift = torch.linspace(-1, 2, 4)[:, None] * torch.rand(9)
    moved = hidden + shift[..., None] * column
    assert ((moved > 0) != (hidden > 0)).float().mean() > share
    expected = functional.linear(functional.leaky_relu(moved), weight, bias)
    found = SecondLayer(hidden, weight, bias).shifted(shift, column)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_unmoved_spots_keep_what_they_had():
    hidden, weight, bias = torch.randn(3, 8), torch.randn(4, 8), torch.randn(4)
    layer = SecondLayer(hidden, weight, bias)
    found = layer.shifted(torch.tensor([[0.0, 1.0, 0.0]]), torch.ones(8))
    assert torch.equal(found[0, ::2], layer.unperturbed[::2])
    assert not torch.equal(found[0, 1], layer.unperturbed[1])
    # A column that is a view of a transposed matrix, as those of a network's weights are.
    wide = torch.randn(8, 5)
    torch.testing.assert_close(
        layer.shifted(torch.ones(2, 3), wide[:, 2]),
        functional.linear(functional.leaky_relu(hidden + wide[:, 2]), weight, bias).expand(2, 3, 4),
    )
