"""Result: the figures of one trial, to be asserted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Times from the drop to disconnect() entered, in ms, of all drops of the trial; inf: more than was waited for.

    None where too few were dropped to tell it: p50 needs 4 drops, p99 some 400.
    """

    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A connection that shows something."""

    what: str
    """What is said of it: "missed its disconnect()"."""
    connection: str
    """As `channels-loadtest show` takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one trial measured. A figure is None where it is not known, and `unknown_because` then says why.

    Where nothing was dropped, what became of drops is None too, and not 0: no test passes because nothing happened. So
    with messages, where none was expected.
    """

    dropped: int | None
    """Connections that the clients dropped; dropped = disconnect_called + missed + unknown."""
    disconnect_called: int | None
    missed: int | None
    """Dropped connections whose disconnect() was never entered by the end of settling."""
    unknown: int | None
    """Dropped connections of which that cannot be said."""
    missed_share: float | None
    """Missed, of those called or missed: 0 to 1."""
    groups_left: int | None
    """Dropped connections that were still in a group after settling; and so on for the next ones."""
    tasks_left: int | None
    """Whose consumer's task still ran."""
    queues_left: int | None
    """For which messages were still queued."""
    subscriptions_left: int | None
    """To whose channel the layer was still subscribed."""
    presence_left: int | None
    """That the database still showed as online."""
    detect_ms: Detection
    exposure: float | None
    """Share of the open connections that would have missed their disconnect at a random moment: 0 to 1."""
    expected: int | None
    """Messages meant for members that were connected throughout, each counted once for each of them."""
    delivered: int | None
    lost: int | None
    """Of the expected ones, those that never came."""
    duplicated: int | None
    residue: Mapping[str, int | None] = field(repr=False)
    """What the server holds more than before the first connection, by its kind: "threads", "file descriptors", ..."""
    invalid_because: str
    """Why the figures are about the generator or the machine, and not about the app; empty: they are about the app."""
    unknown_because: tuple[str, ...] = field(repr=False)
    """Why what is not known is not, by the column of the tables."""
    notes: tuple[str, ...] = field(repr=False)
    """What was decided for the test, and what the app wrote to."""
    title: str
    """The scenario and the path."""
    folder: Path = field(repr=False)
    """Has the ledgers and the logs, for `channels-loadtest show`, as long as pytest keeps it."""
    examples: tuple[Example, ...] = field(default=(), repr=False)

    @property
    def valid(self) -> bool:
        """Whether the figures are about the app."""
        return not self.invalid_because
