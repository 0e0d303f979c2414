"""A network initialised with principal components, predicting differences from the section's mean.

A step towards `contrast`, which has another loss and another scale of its prediction.
"""

from torch import Tensor
from torch.nn import functional

from sagefm.networks.base import GeneDecoder
from sagefm.networks.contrast import Network as Contrast

TITLE = "a network of differences to the section's mean, by squared error"

LAYOUTS = {"*": "background"}

SIZES = (100, "widths", 100, "genes")

FIXED = 103

LAYERS = {"fc_gene": "linear, mean added, ReLU"}

REFUSES_MISSING_GENES = "it predicts differences to the section's mean, and so 0"


class Network(Contrast):
    """Predicts a spot's difference from its section's mean, and adds the mean."""

    loss = GeneDecoder.loss

    def decode(self, embedding: Tensor, *context: Tensor) -> Tensor:
        """Predicted expression (spots, genes); `context` is that of `contrast`."""
        background, rate, *_ = context
        return functional.relu(background * rate.ne(0) + self.log_fold(embedding, background))
