"""Stand-ins for the download services, started once per module."""

import pytest

from bench import stand_ins


@pytest.fixture(scope="module")
def server():
    """What serves all of them."""
    with stand_ins.serving() as services:
        yield services
