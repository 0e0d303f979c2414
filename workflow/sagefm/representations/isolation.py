"""Running packages that print, seed the whole process and silence warnings, and undoing it."""

import logging
import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO

import numpy as np


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed Python's and NumPy's generators for a while, and send what is printed to the log.

    Afterwards both generators and the warning filters are as they were before.
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
