"""Failures of a network that may pass: tried again, later and later, as the server asks."""

import logging
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from sagefm.common.errors import InputError

if TYPE_CHECKING:
    from tenacity import RetryCallState

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
    from tenacity import Retrying, retry_if_exception_type

    def log_failure(state: "RetryCallState") -> None:
        log.warning("%s: %s; trying again in %.0f s", what, _error(state), state.upcoming_sleep)

    def give_up(state: "RetryCallState") -> Result:
        raise InputError(
            f"{what}: {_error(state)}; given up after {state.attempt_number} attempts in a row. "
            "Fix: start again later; what has arrived is kept."
        ) from _error(state)

    return Retrying(
        retry=retry_if_exception_type(PassingError),
        wait=_pause,
        stop=lambda state: state.attempt_number >= ATTEMPTS or state.upcoming_sleep > LONGEST_WAIT,
        sleep=time.sleep,
        before_sleep=log_failure,
        retry_error_callback=give_up,
    )(work)


def _error(state: "RetryCallState") -> PassingError:
    """What the last attempt raised; nothing else is tried again."""
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, PassingError)
    return error


def _pause(state: "RetryCallState") -> float:
    """Seconds until the next attempt: what the server asks for, or twice the last pause."""
    from tenacity import wait_exponential

    error = _error(state)
    if error.advanced:  # only failures in a row count
        state.attempt_number = 1
    if error.wait is not None:
        return error.wait
    pause = wait_exponential(FIRST_PAUSE, max=LONGEST_PAUSE)(state)
    return pause * random.uniform(0.5, 1.5)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a `Retry-After` header asks to wait, given as such or as a date."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
