"""Names and colours of representations: a known method's own, models alike, others passable."""

from sagefm.plotting.style import REPRESENTATION_COLOURS, representation_colour
from sagefm.representations.catalogue import NAMES, representation_name


def test_names_are_for_people():
    assert representation_name("neighbour_mean") == "neighbour mean"
    assert representation_name("graphst") == "GraphST"
    assert representation_name("sagefm-two_channel") == "sagefm-two_channel"  # as in the config
    assert representation_name("mofa_30") == "mofa 30"


def test_what_is_named_has_a_colour_of_its_own():
    assert set(REPRESENTATION_COLOURS) == set(NAMES)
    colours = [representation_colour(name) for name in (*NAMES, "sagefm-paper")]
    assert len(set(colours)) == len(colours)
    assert representation_colour("sagefm-strict") == representation_colour("sagefm-paper")
    assert representation_colour("mofa_30") == representation_colour("pca")  # neutral
