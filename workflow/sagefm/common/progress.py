"""Progress bars of long steps, shown only where nothing else draws on the terminal."""

import os
from typing import Any

from tqdm import tqdm

from sagefm.common.job import WATCHED


def progress_bar(*items: Any, **options: Any) -> tqdm:
    """Make a `tqdm` bar that vanishes when it is done.

    It is not shown where stderr is not a terminal, nor in the jobs of a run whose console draws its
    own bars (`WATCHED`).
    """
    hidden = True if WATCHED in os.environ else None
    return tqdm(*items, disable=hidden, leave=False, **options)
