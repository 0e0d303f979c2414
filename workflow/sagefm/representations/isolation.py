"""Isolation of packages that print, set global seeds and silence warnings."""

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import numpy as np


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's generators within the context, and send printed text to the log.

    Afterwards, both generators and the warning filters are restored.
    """
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    printed = StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(printed):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        log = logging.getLogger("sagefm")
        for line in printed.getvalue().splitlines():
            if line.strip(" #"):
                log.info("| %s", line.strip())
