"""Handler work: how a load says what the reference app does with each message, as the bench and Locust both take it."""

import re
from typing import Final

FORM: Final = "none, orm, sleep:MS or cpu:MS with whole milliseconds below 10,000"
BLOCKING_FORM: Final = "sleep:MS or cpu:MS with whole milliseconds below 10,000"
_TIMED: Final = re.compile(r"(?:sleep|cpu):([0-9]{1,4})")


class WorkError(ValueError):
    """There is no such work; the message says what there is."""


def check_work(work: str) -> str:
    """Return the work of a handler if there is such; raises WorkError."""
    if work not in ("none", "orm") and not _TIMED.fullmatch(work):
        raise WorkError(f"{FORM}, got {work!r}")
    return work


def check_blocking_work(work: str) -> str:
    """Return the work of a handler that is to block if it can do so; raises WorkError."""
    if not _TIMED.fullmatch(work):
        raise WorkError(f"{BLOCKING_FORM}, got {work!r}")
    return work


def work_s(work: str) -> float:
    """Return for how long a handler works, in seconds, where its work says so; else 0."""
    timed = _TIMED.fullmatch(work)
    return int(timed[1]) / 1000 if timed else 0.0
