"""Failures of a network that may pass: tried again, later and later, as the server asks."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from sagefm.common.errors import InputError

log = logging.getLogger(__name__)

ATTEMPTS = 8
"""Failures in a row before giving up; one after something has arrived counts as the first."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
"""Seconds; a pause is twice the one before, give or take a half, lest jobs fall in step."""

LONGEST_WAIT = 3600.0
"""Seconds a server may ask to wait."""

PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)

Result = TypeVar("Result")


class PassingError(Exception):
    """A failure that may pass.

    `wait` is what the server asks for, in seconds; `advanced` says that something has arrived.
    """

    def __init__(self, reason: str, wait: float | None = None, advanced: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.advanced = wait, advanced


def persist(work: Callable[[], Result], what: str) -> Result:
    """What `work` returns, tried again for as long as it raises `PassingError`.

    Raises
    ------
    InputError
        If it has failed too often, or the server asks for too long a wait.
    """
    failures = 0
    while True:
        try:
            return work()
        except PassingError as error:
            failures = 1 if error.advanced else failures + 1
            pause = error.wait
            if pause is None:
                pause = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
                pause *= random.uniform(0.5, 1.5)
            if failures >= ATTEMPTS or pause > LONGEST_WAIT:
                raise InputError(
                    f"{what}: {error}; given up after {failures} attempts in a row. Start again "
                    "later: what has arrived is kept."
                ) from error
            log.warning("%s: %s; trying again in %.0f s", what, error, pause)
            time.sleep(pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a `Retry-After` header asks to wait, given as such or as a date."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
