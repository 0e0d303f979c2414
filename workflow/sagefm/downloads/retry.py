"""Retry after temporary network failures, with growing pauses or as the server asks."""

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
"""Number of consecutive failures before giving up. A failure after some data arrived counts as the
first."""

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 120.0
"""First and longest pause, in seconds. Each is twice the one before, plus or minus half, so that
jobs do not retry in step."""

LONGEST_WAIT = 3600.0
"""Longest wait, in seconds, that a server may ask for."""

PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)

Result = TypeVar("Result")


class PassingError(Exception):
    """A temporary failure.

    `wait` is the pause in seconds that the server asks for; `advanced` says that some data arrived.
    """

    def __init__(self, reason: str, wait: float | None = None, advanced: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.advanced = wait, advanced


def persist(work: Callable[[], Result], what: str) -> Result:
    """Return the result of `work`, retrying as long as it raises `PassingError`.

    Raises
    ------
    InputError
        If it fails too often, or the server asks for too long a wait.
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
    """Return the error of the last attempt; only this type is retried."""
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, PassingError)
    return error


def _pause(state: "RetryCallState") -> float:
    """Return the seconds until the next attempt: as the server asks, or twice the last pause."""
    from tenacity import wait_exponential

    error = _error(state)
    if error.advanced:  # only consecutive failures count
        state.attempt_number = 1
    if error.wait is not None:
        return error.wait
    pause = wait_exponential(FIRST_PAUSE, max=LONGEST_PAUSE)(state)
    return pause * random.uniform(0.5, 1.5)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait from a `Retry-After` header, given as a number or a date."""
    value = headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return None
