"""Networks before their first step, as representations next to the trained ones."""

import numpy as np
import pytest
import torch

from sagefm.networks.base import build_network
from sagefm.representations.catalogue import REGISTERED, Catalogue, is_model
from sagefm.representations.embedding import write_embedding
from sagefm.representations.files import read_representation
from sagefm.sections.batches import Batches
from sagefm.sections.cohort import Cohort
from sagefm.training.trainer import Recipe, Trainer, initial_network
from support import small
from support.models import fitted

GENES = 60


@pytest.fixture
def sections(tmp_path):
    return small.write_sections(tmp_path, ("heart-1", "heart-2"), 30, GENES)


@pytest.mark.parametrize(("network", "layout"), [("gcn", "mean"), ("contrast", "background")])
def test_it_is_what_training_begins_with(sections, tmp_path, network, layout):
    recipe = Recipe(network=network, widths=(16,), seed=3)
    training = Batches(sections, layout, "log1p")
    alone = initial_network(recipe, training)
    device = torch.device("cpu")
    trainer = Trainer(recipe, training, training, tmp_path / "state", device=device)
    begun = trainer.network.state_dict()
    assert alone.state_dict().keys() == begun.keys()
    assert all(torch.equal(alone.state_dict()[key], begun[key]) for key in begun)
    untouched = build_network(network, GENES, (16,), seed=3).state_dict()
    same = all(torch.equal(untouched[key], begun[key]) for key in begun)
    assert same != alone.fits_input == (network == "contrast")


def test_it_is_written_as_an_embedding(sections, tmp_path):
    model = fitted(build_network("gcn", GENES, (8, 4), seed=1))
    cohort = Cohort(
        tuple(section.counts_path for section in sections),
        tuple(section.graph_path for section in sections),
    )
    write_embedding(tmp_path / "x.h5ad", "untrained-paper", cohort, model, fitted_here=False)
    found = read_representation(tmp_path / "x.h5ad")
    expected = [rows for section in sections for rows in model.embedded_rows(section)]
    np.testing.assert_array_equal(found.values, np.concatenate(expected))
    assert (found.name, found.transductive, found.spatial_method) == (
        "untrained-paper", False, True,
    )  # fmt: skip


def test_it_is_a_control():
    own = REGISTERED["untrained-paper"]
    assert (own.title, own.role, own.spatial) == ("untrained model paper", "control", True)
    assert not is_model("untrained-paper")
    assert Catalogue({"untrained-paper": own.plain()}).references() == ["untrained-paper"]
