"""Random histories: trials that hypothesis invents, as plain data that an oracle can read without data frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import polars as pl
from hypothesis import strategies as st

from loadtest.checks.records import TrialRecords
from tests.unit.checks.histories import (
    CLOSE,
    DRAIN,
    STEADY,
    Line,
    accepted,
    both,
    client,
    closed,
    dropped,
    ended,
    entered,
    held,
    joined,
    peer_closed,
    phases,
    receive_in,
    received,
    records,
    scope,
    sent,
    server,
    truncated,
)

LIVING, DEAD = 21, 22
KINDS = ("fin", "rst")
End = Literal["fin", "rst", "server", "close", "none"]


@dataclass(slots=True, kw_only=True)
class Connection:
    """One connection of a member; times in whole ms, so that ties happen."""

    id: int
    member: int
    room: str
    opened: int
    ended: int
    end: End
    pid: int | None
    entered: list[tuple[int, int]] = field(default_factory=list)
    """(when, code)"""
    task_ended: bool = False
    taken: int = 0
    """How many of its messages the server took."""
    sends: list[int] = field(default_factory=list)
    """When it sent its messages 1, 2, ..."""
    arrivals: list[tuple[int, int, int]] = field(default_factory=list)
    """(when, sender's connection, its number), in the order in which they came"""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    connections: list[Connection]
    quiet: bool
    cut: bool

    def records(self) -> TrialRecords:
        """Write it down as the two sides would have."""
        client_lines = [line for connection in self.connections for line in _client_lines(connection)]
        truncation = [truncated(4000)] if self.cut else []
        return records(
            client(phases(quiet=self.quiet), client_lines),
            both(server(truncation), *(_server_ledger(self.connections, pid) for pid in (LIVING, DEAD))),
            after=(held(LIVING),),
            drops=KINDS,
        )


def _client_lines(connection: Connection) -> Iterator[Line]:
    yield from joined(connection.opened, connection.id, member=connection.member, room=connection.room)
    for number, at in enumerate(connection.sends, 1):
        yield sent(at, connection.id, number)
    for at, sender, number in connection.arrivals:
        yield received(at, connection.id, sender, number)
    match connection.end:
        case "server":
            yield peer_closed(connection.ended, connection.id)
        case "close":
            yield closed(connection.ended, connection.id)
        case "none":
            pass
        case kind:
            yield from dropped(connection.ended, connection.id, kind)


def _server_ledger(connections: list[Connection], pid: int) -> pl.DataFrame:
    return server(*(_server_lines(one) for one in connections if one.pid == pid), pid=pid)


def _server_lines(connection: Connection) -> list[Line]:
    return [
        scope(connection.opened, connection.id),
        accepted(connection.opened, connection.id),
        *(receive_in(at, connection.id) for at in connection.sends[: connection.taken]),
        *(entered(at, connection.id, code) for at, code in connection.entered),
        *([ended(CLOSE, connection.id)] if connection.task_ended else []),
    ]


times = st.integers(STEADY - 300, DRAIN)


@st.composite
def histories(draw: st.DrawFn) -> History:
    connections: list[Connection] = []
    for member in range(draw(st.integers(1, 4))):
        room = draw(st.sampled_from(["r1", "r2"]))
        _add_connections(draw, connections, member, room)
    _add_messages(draw, connections)
    return History(connections=connections, quiet=draw(st.booleans()), cut=draw(st.sampled_from([False, False, True])))


def _add_connections(draw: st.DrawFn, connections: list[Connection], member: int, room: str) -> None:
    moments = sorted(draw(st.lists(times, min_size=1, max_size=5, unique=True)))
    for opened, until in zip(moments[::2], [*moments[1::2], CLOSE], strict=False):
        is_last = until == CLOSE
        end: End = draw(st.sampled_from(["close", "none"] if is_last else ["fin", "rst", "server"]))
        pid = draw(st.sampled_from([LIVING, LIVING, DEAD, None]))
        was_entered = st.lists(st.tuples(st.integers(until, CLOSE), st.sampled_from([1005, 1006])), max_size=2)
        connections.append(
            Connection(
                id=1 << 24 | len(connections) + 1,
                member=member,
                room=room,
                opened=opened,
                ended=until,
                end=end,
                pid=pid,
                entered=sorted(draw(was_entered), key=lambda at_code: at_code[0]) if pid else [],
                task_ended=bool(pid) and draw(st.booleans()),
            )
        )


def _add_messages(draw: st.DrawFn, connections: list[Connection]) -> None:
    for sender in connections:
        sender.sends = sorted(draw(st.lists(st.integers(sender.opened, sender.ended - 1), max_size=4, unique=True)))
        sender.taken = draw(st.integers(0, len(sender.sends))) if sender.pid else 0
        for number, at in enumerate(sender.sends, 1):
            for receiver in connections:
                if receiver.room == sender.room:
                    copies = draw(st.sampled_from([1, 1, 1, 0, 2]))
                    for _ in range(copies):
                        arrives = at + draw(st.integers(1, 400))
                        if receiver.opened <= arrives < receiver.ended:
                            receiver.arrivals.append((arrives, sender.id, number))
    for receiver in connections:
        receiver.arrivals.sort(key=lambda arrival: arrival[0])  # stable: as they came
