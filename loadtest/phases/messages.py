"""What generators report and what they are ordered to do; each is one line of JSON, whatever carries it."""

import dataclasses
import enum
import json
from dataclasses import dataclass
from math import inf
from typing import Any, Final, TypeVar

from loadtest.ledger import Phase

LONGEST_LINE: Final = 64 * 1024
"""Bytes; a report or an order has some 100. Whoever reads lines needs to keep no more than this of one."""
_QUOTED: Final = 200


class LineError(ValueError):
    """A line is no report and no order; the message quotes its beginning."""


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
    DROP_NOW = "drop now"
    """Drop members once, in the way `name`; `value` is how many of a thousand."""
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
    """For BEGIN: what the mark in the ledger says; for DIE: the number of the signal; for DROP_NOW: of a thousand."""
    name: str = ""
    """For DIE and DROP_NOW: that of the drop."""
    hold_s: float = 0.0
    """For BEGIN of the last phase: how long to hold what was dropped silently, if LET_GO does not come before."""


Message = TypeVar("Message", Report, Order)


def write(message: Report | Order) -> bytes:
    """Return the line that carries a report or an order."""
    return json.dumps(dataclasses.asdict(message)).encode() + b"\n"


def read_report(line: bytes) -> Report:
    """Return the report in a line; raises LineError."""
    fields = _fields(line)
    try:
        report = Report(**{**fields, "happened": Happened(fields["happened"])})
    except (KeyError, TypeError, ValueError):
        report = None
    if report is None or not _are_counts(report.generator, report.held):
        raise LineError(f"what is no report of a generator: {line[:_QUOTED]!r}")
    return report


def read_order(line: bytes) -> Order:
    """Return the order in a line; raises LineError."""
    fields = _fields(line)
    try:
        phase = None if fields["phase"] is None else Phase(fields["phase"])
        order = Order(**{**fields, "task": Task(fields["task"]), "phase": phase})
    except (KeyError, TypeError, ValueError):
        order = None
    if order is None or not _makes_sense(order):
        raise LineError(f"what is no order to a generator: {line[:_QUOTED]!r}")
    return order


def _fields(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line) if len(line) <= LONGEST_LINE else None
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}


def _makes_sense(order: Order) -> bool:
    """Tell whether the fields have the types that they must have: what was read from JSON may have any."""
    begins_a_phase = order.task is not Task.BEGIN or order.phase is not None
    lasts = isinstance(order.hold_s, int | float) and not isinstance(order.hold_s, bool) and 0 <= order.hold_s < inf
    return begins_a_phase and lasts and _are_counts(order.value) and isinstance(order.name, str)


def _are_counts(*values: object) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values)
