"""The error of a linear decoder, without the matrix that it would reconstruct."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def squared_error(
    square: "Tensor", hidden: "Tensor", decoded: "Tensor", weights: "Tensor"
) -> "Tensor":
    """Return the squared error of `hidden @ weights` against x, summed: a 0-dimensional tensor.

    It is expanded, so that it needs no spots x genes matrix.

    Parameters
    ----------
    square
        Sum of the squares of x (spots, genes).
    hidden
        Input of the decoder (spots, width).
    decoded
        x @ weights.T (spots, width).
    weights
        (width, genes).
    """
    gained = 2 * (hidden * decoded).sum()
    return square - (gained - ((hidden.T @ hidden) * (weights @ weights.T)).sum())
