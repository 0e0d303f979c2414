"""The stand-ins of the services, started once for each module."""

import pytest

from bench import stand_ins


@pytest.fixture(scope="module")
def server():
    """What serves all of them."""
    with stand_ins.serving() as services:
        yield services
