"""What generators report and what they are ordered to do; each is one line of JSON, whatever carries it."""

import dataclasses
import enum
import json
from dataclasses import dataclass
from typing import Any, TypeVar

from loadtest.ledger import Phase


class LineError(ValueError):
    """A line is no report and no order; the message quotes it."""


class Happened(enum.StrEnum):
    """What has happened in a generator."""

    READY = "ready"
    """It has started and waits for orders."""
    OPEN = "open"
    """All its members have a connection."""
    BACK = "back"
    """All its members that were dropped have a connection again."""
    QUIET = "quiet"
    """Nothing arrives any more."""
    CLOSED = "closed"
    """Its members have closed their connections; `held` of those that were dropped silently are still there."""
    ENDED = "ended"
    """It is gone, or takes no more orders; whoever listens to it says so."""


class Task(enum.StrEnum):
    """What a generator can be ordered to do."""

    BEGIN = "begin"
    """Begin a phase, and mark it in the ledger."""
    DROP = "drop"
    """Drop members from now on, as the load says."""
    STOP_DROPPING = "stop dropping"
    LET_GO = "let go"
    """Let go of what is still held, and end."""
    DIE = "die"
    """Record every open connection as dropped by `name`, and end this process by the signal `value`."""
    BEGIN_OUTAGE = "begin outage"
    """For whoever conducts, not for generators: bring the planned outage about."""
    HEAL_OUTAGE = "heal outage"
    """The same: end it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A generator says what has happened; `held` counts for CLOSED only."""

    generator: int
    happened: Happened
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A generator is told what to do."""

    task: Task
    phase: Phase | None = None
    """For BEGIN."""
    value: int = 0
    """For BEGIN: what the mark in the ledger says; for DIE: the number of the signal."""
    name: str = ""
    """For DIE."""


Message = TypeVar("Message", Report, Order)


def write(message: Report | Order) -> bytes:
    """Return the line that carries a report or an order."""
    return json.dumps(dataclasses.asdict(message)).encode() + b"\n"


def read_report(line: bytes) -> Report:
    """Return the report in a line; raises LineError."""
    fields = _fields(line)
    try:
        return Report(**{**fields, "happened": Happened(fields["happened"])})
    except (KeyError, TypeError, ValueError):
        raise LineError(f"not a report of a generator: {line[:200]!r}") from None


def read_order(line: bytes) -> Order:
    """Return the order in a line; raises LineError."""
    fields = _fields(line)
    try:
        phase = None if fields["phase"] is None else Phase(fields["phase"])
        return Order(**{**fields, "task": Task(fields["task"]), "phase": phase})
    except (KeyError, TypeError, ValueError):
        raise LineError(f"not an order to a generator: {line[:200]!r}") from None


def _fields(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}
