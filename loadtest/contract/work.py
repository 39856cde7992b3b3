"""Handler work: what the reference app does with each message besides answering, as a load names it.

"none", "orm" (one query), "sleep:20" (milliseconds) or "cpu:5" (milliseconds of CPU).
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, cast

WorkKind = Literal["none", "sleep", "cpu", "orm"]

MOST_MS: Final = 60_000
"""A handler that works for more than a minute a message is a typing error, and would hold a trial up."""
BLOCKING_FORM: Final = f"sleep:MS or cpu:MS with whole milliseconds up to {MOST_MS:,}"
FORM: Final = f"none, orm, {BLOCKING_FORM}"
_TIMED: Final = re.compile(r"(sleep|cpu):([0-9]{1,9})")


class WorkError(ValueError):
    """There is no such work; the message says what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedWork:
    """What a name of work means; `ms` counts for sleep and cpu only."""

    kind: WorkKind
    ms: int = 0


def read_work(text: str) -> NamedWork:
    """Return what a name of work means; raises WorkError."""
    if text in ("none", "orm"):
        return NamedWork(kind=cast("WorkKind", text))
    timed = _TIMED.fullmatch(text)
    if timed is None or int(timed[2]) > MOST_MS:
        raise WorkError(f"{FORM}, got {text!r}")
    return NamedWork(kind=cast("WorkKind", timed[1]), ms=int(timed[2]))


def check_work(text: str) -> str:
    """Return a name of work if there is such work; raises WorkError."""
    read_work(text)
    return text


def check_blocking_work(text: str) -> str:
    """Return a name of work if such work can block a handler; raises WorkError."""
    try:
        can_block = read_work(text).kind in ("sleep", "cpu")
    except WorkError:
        can_block = False
    if not can_block:
        raise WorkError(f"{BLOCKING_FORM}, got {text!r}")
    return text
