"""The story of one connection: what both sides recorded of it, on one time axis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from loadtest.ledger.record import Event, Phase
from loadtest.report.errors import ReportError
from loadtest.report.ledgers import is_kept, read_connection, trials_with_ledgers

_NS_A_MS = 1_000_000
_ID = re.compile(r"[0-9]{1,20}")
"""Ids are of 64 bits; other digits than these are digits for Python too, and not all of them are numbers."""
_MANY = frozenset({Event.SENT, Event.RECEIVED, Event.RECEIVE_IN, Event.ASIDE})
"""Events told as one line for all that follow each other."""
NOT_TOLD = frozenset({Event.ASKED, Event.SPARED})
"""Samples of what a drop would have met, which are many and changed nothing."""
_TIMES = frozenset({Event.STALLED, Event.HELD_UP, Event.LOOP_BUSY, Event.SYNC_THREAD_BUSY})
"""Events of a process, whose value is a time in ns that ends with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened, or several alike in a row; t_ms counts from the drop, or from the first record."""

    t_ms: float
    side: Literal["client", "server"]
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A connection of one trial, and its lines by time."""

    trial: str
    connection: int
    from_drop: bool
    lines: tuple[Line, ...]


def read_story(run_folder: Path, reference: str) -> Story:
    """Read the story of the connection that `reference` names: `<trial>:<id>`, or the id alone where only one has it.

    `<trial>` is a folder below trials/, `uvicorn-1-redis-async-churn-mixed/2`, or a part that only one of them has.
    Raises ReportError when there is no such connection, or when more than one trial has it.
    """
    part, _, number = reference.rpartition(":")
    if not _ID.fullmatch(number):
        raise ReportError(f"{reference!r} names no connection; write its id, or TRIAL:ID as the report does")
    found = {
        trial: events
        for trial in trials_with_ledgers(run_folder)
        if part in trial and not (events := read_connection(run_folder, trial, int(number))).is_empty()
    }
    if not found:
        kept = "; a kept run has the records of its examples only" if is_kept(run_folder) else ""
        raise ReportError(f"no trial of {run_folder} that matches {part!r} has a connection {number}{kept}")
    trial, events = next(iter(found.items()))
    if len(found) > 1:
        raise ReportError(f"{len(found)} trials have a connection {number}: write one as {trial}:{number}")
    return story_of(trial, int(number), events)


def story_of(trial: str, connection: int, events: pl.DataFrame) -> Story:
    """Tell the story of a connection from its records by time, of which there is one at least, with their `side`."""
    events = events.filter(~pl.col("event").is_in([int(event) for event in NOT_TOLD]))
    drops = events.filter(pl.col("event") == int(Event.DROPPED))["time_ns"]
    zero_ns = drops[0] if len(drops) else events["time_ns"][0]
    return Story(
        trial=trial, connection=connection, from_drop=bool(len(drops)), lines=tuple(_lines(events, zero_ns))
    )  # fmt: skip


def _lines(events: pl.DataFrame, zero_ns: int) -> Iterator[Line]:
    """A line an event; messages that follow each other on one side are counted in one."""
    runs = events.with_columns(run=pl.struct("side", "event").rle_id())
    for _, run in runs.group_by("run", maintain_order=True):
        for row in run.head(1).to_dicts() if Event(run["event"][0]) in _MANY else run.to_dicts():
            yield Line(
                t_ms=(row["time_ns"] - zero_ns) / _NS_A_MS, side=row["side"], what=_what(row, run)
            )  # fmt: skip


def _what(row: dict[str, Any], run: pl.DataFrame) -> str:
    event = Event(row["event"])
    if event in _MANY and run.height > 1:
        lasted_ms = (run["time_ns"][-1] - run["time_ns"][0]) / _NS_A_MS
        return f"{run.height} x {_NAMES[event]}, over {lasted_ms:,.0f} ms"
    return _NAMES[event] + "".join(_details(event, row))


def _details(event: Event, row: dict[str, Any]) -> Iterator[str]:
    if event is Event.PHASE:
        yield f": {Phase(row['code']).name.lower().replace('_', '-')}"
    elif event is Event.SENT:
        yield ", after an answer or a connection was awaited" if row["code"] else ""
    elif event in _TIMES:
        yield f" {row['value'] / _NS_A_MS:,.0f} ms, until now"
    elif row["code"] or event in (Event.DISCONNECT_IN, Event.DISCONNECT_ENTERED):
        yield f", code {row['code']}"
    if row["text"] is not None:
        yield f": {row['text']}"
    if event is Event.OPENING:
        yield f" (member {row['value']})"


_NAMES: dict[Event, str] = {
    Event.TRUNCATED: "the ledger could not grow: nothing more was recorded",
    Event.PHASE: "phase",
    Event.OPENING: "opening, in room",
    Event.OPENED: "opened",
    Event.OPEN_FAILED: "could not be opened",
    Event.SENT: "message sent",
    Event.RECEIVED: "message received",
    Event.DROPPED: "DROPPED",
    Event.DROP_DONE: "the drop's last system call is done",
    Event.CLOSED: "closed in order",
    Event.PEER_CLOSED: "ended by the server",
    Event.SEND_FAILED: "a message could not be sent",
    Event.FOREIGN: "a message came that no user sent",
    Event.HELD_UP: "the generator was held up",
    Event.UNSENT: "messages were due and not sent",
    Event.PUSHING: "the app is asked to send, in room",
    Event.PUSHED: "it was answered",
    Event.ASIDE: "sent what is no message",
    Event.SCOPE: "scope reached the application",
    Event.CONNECT_IN: "websocket.connect",
    Event.RECEIVE_IN: "message taken by the application",
    Event.DISCONNECT_IN: "websocket.disconnect: the server noticed",
    Event.ACCEPTED: "accepted",
    Event.REJECTED: "rejected",
    Event.SEND_RAISED: "a send raised",
    Event.CONSUMER: "consumer called",
    Event.CHANNEL: "given the channel",
    Event.DISCONNECT_ENTERED: "disconnect() entered",
    Event.DISCONNECT_RETURNED: "disconnect() returned",
    Event.DISCONNECT_RAISED: "disconnect() raised",
    Event.GROUP_ADDED: "joined the group",
    Event.GROUP_DISCARDED: "left the group",
    Event.TASK_ENDED: "the application's task ended",
    Event.CLOSE_OUT: "the application closed it",
    Event.STALLED: "the event loop stalled for",
    Event.LOOP_BUSY: "the event loop has been at work for",
    Event.SYNC_THREAD_BUSY: "the thread of the sync consumers has been at work for",
}
