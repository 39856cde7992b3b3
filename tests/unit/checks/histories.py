"""Histories: what a trial's two ledgers and residues hold, written in readable lines; times in ms.

records(
    client(phases(), joined(100, A, member=0), sent(2000, A, 1), received(2005, A, A, 1), dropped(3000, A)),
    server(scope(90, A), receive_in(2001, A), entered(3010, A, code=1006)),
)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from loadtest.checks import CheckResult, ProcessResidue, TrialRecords
from loadtest.ledger.reader import SCHEMA
from loadtest.ledger.record import Event, Phase, message_id

NS_A_MS = 1_000_000
STEADY, RECOVER, DRAIN, CLOSE, END = 1000, 5000, 6000, 7000, 7100
"""When the phases of `phases()` begin, in ms."""

GENERATOR = 11
SERVER = 21
A, B, C, D = (1 << 24 | number for number in (1, 2, 3, 4))
"""Connections, named as the first generator names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One record; argument, value and text as the event has them."""

    t_ms: float
    event: Event
    connection: int = 0
    code: int = 0
    argument: int = 0
    value: int = 0
    text: str | None = None


Lines = Line | Iterable["Line"]


def reasons(result: CheckResult) -> dict[str, str]:
    """Return why columns are not known, by their names."""
    return {column.name: why for column, why in result.unknown}


# ledgers


def client(*lines: Lines, pid: int = GENERATOR) -> pl.DataFrame:
    """Return the generator's ledger."""
    return _ledger(lines, pid)


def server(*lines: Lines, pid: int = SERVER) -> pl.DataFrame:
    """Return the ledger of one server process; `both` puts several together."""
    return _ledger(lines, pid)


def both(*ledgers: pl.DataFrame) -> pl.DataFrame:
    """Return one side's ledgers together, as the reader does."""
    return pl.concat(ledgers).sort("time_ns", maintain_order=True)


def records(
    client_ledger: pl.DataFrame | None = None, server_ledger: pl.DataFrame | None = None, **others: Any
) -> TrialRecords:
    """Return a trial with one server process, which held nothing before and after."""
    return TrialRecords(
        **{
            "client": client() if client_ledger is None else client_ledger,
            "server": server() if server_ledger is None else server_ledger,
            "samples": samples(),
            "before": (held(),),
            "after": (held(),),
            "users": 1,
            **others,
        }
    )


def held(pid: int = SERVER, **parts: Any) -> ProcessResidue:
    """Return what a process held: nothing but what is named."""
    nothing: dict[str, Any] = {
        "groups": {}, "queues": {}, "subscriptions": [], "tasks": {}, "threads": [], "fds": {}, "presence": [],
    }  # fmt: skip
    return ProcessResidue(pid=pid, **nothing | parts)


def samples(
    *, server_cpu: float = 0.5, generator_cpu: float = 0.2, until_ms: int = END, **others: float
) -> pl.DataFrame:
    """Return a sample of both roles each 100 ms, and of others that are named; the CPUs in cores."""
    return pl.DataFrame(
        [
            (t_ms * NS_A_MS, role, cores * t_ms / 1000, 50_000_000 + t_ms)
            for t_ms in range(0, until_ms + 1, 100)
            for role, cores in (("server", server_cpu), ("generator", generator_cpu), *others.items())
        ],
        schema={"time_ns": pl.Int64, "role": pl.String, "cpu_s": pl.Float64, "rss_bytes": pl.Int64},
        orient="row",
    )


# lines of the client


def phases(*, quiet: bool = True) -> list[Line]:
    """Return the marks of a whole trial."""
    begin = {0: Phase.RAMP, 500: Phase.WARM_UP, STEADY: Phase.STEADY, RECOVER: Phase.RECOVER, DRAIN: Phase.DRAIN,
             CLOSE: Phase.CLOSE, END: Phase.END}  # fmt: skip
    return [
        Line(t_ms=t_ms, event=Event.PHASE, code=phase, value=int(quiet and phase is Phase.CLOSE))
        for t_ms, phase in begin.items()
    ]


def opening(t_ms: float, connection: int, *, member: int = 0, room: str | None = "r") -> Line:
    return Line(t_ms=t_ms, event=Event.OPENING, connection=connection, value=member, text=room)


def opened(t_ms: float, connection: int, *, asked_only: bool = False) -> Line:
    return Line(t_ms=t_ms, event=Event.OPENED, connection=connection, code=101, value=int(asked_only))


def joined(
    t_ms: float, connection: int, *, member: int = 0, room: str | None = "r", asked_only: bool = False
) -> list[Line]:
    """Return an opening that has succeeded at t_ms; `asked_only`: no answer to the joining was awaited."""
    opening_line = opening(t_ms - 1, connection, member=member, room=room)
    return [opening_line, opened(t_ms, connection, asked_only=asked_only)]


def open_failed(t_ms: float, connection: int, reason: str | None = "refused 403") -> list[Line]:
    """Return an opening that failed at t_ms."""
    return [
        opening(t_ms - 1, connection), Line(t_ms=t_ms, event=Event.OPEN_FAILED, connection=connection, text=reason)
    ]  # fmt: skip


def sent(t_ms: float, connection: int, number: int, *, late_us: int = 0, code: int = 0) -> Line:
    value = message_id(connection, number)
    return Line(t_ms=t_ms, event=Event.SENT, connection=connection, code=code, argument=late_us, value=value)


def send_failed(t_ms: float, connection: int, number: int) -> Line:
    value = message_id(connection, number)
    return Line(t_ms=t_ms, event=Event.SEND_FAILED, connection=connection, value=value, text="connection lost")


def received(t_ms: float, connection: int, sender: int, number: int, *, lag_us: int = 0) -> Line:
    value = message_id(sender, number)
    return Line(t_ms=t_ms, event=Event.RECEIVED, connection=connection, argument=lag_us, value=value)


def dropped(t_ms: float, connection: int, kind: str | None = "rst") -> list[Line]:
    return [
        Line(t_ms=t_ms, event=Event.DROPPED, connection=connection, text=kind),
        Line(t_ms=t_ms + 0.1, event=Event.DROP_DONE, connection=connection),
    ]


def closed(t_ms: float, connection: int) -> Line:
    return Line(t_ms=t_ms, event=Event.CLOSED, connection=connection, code=1000)


def peer_closed(t_ms: float, connection: int, code: int = 1011) -> Line:
    return Line(t_ms=t_ms, event=Event.PEER_CLOSED, connection=connection, code=code, text="")


def truncated(t_ms: float) -> Line:
    return Line(t_ms=t_ms, event=Event.TRUNCATED)


# lines of the server


def scope(t_ms: float, connection: int) -> Line:
    return Line(t_ms=t_ms, event=Event.SCOPE, connection=connection, text="/ws/")


def accepted(t_ms: float, connection: int) -> Line:
    return Line(t_ms=t_ms, event=Event.ACCEPTED, connection=connection)


def channel(t_ms: float, connection: int, name: str) -> Line:
    return Line(t_ms=t_ms, event=Event.CHANNEL, connection=connection, text=name)


def receive_in(t_ms: float, connection: int) -> Line:
    return Line(t_ms=t_ms, event=Event.RECEIVE_IN, connection=connection, value=64)


def disconnect_in(t_ms: float, connection: int, code: int = 1006) -> Line:
    return Line(t_ms=t_ms, event=Event.DISCONNECT_IN, connection=connection, code=code)


def entered(t_ms: float, connection: int, code: int = 1006) -> Line:
    return Line(t_ms=t_ms, event=Event.DISCONNECT_ENTERED, connection=connection, code=code)


def returned(t_ms: float, connection: int) -> Line:
    return Line(t_ms=t_ms, event=Event.DISCONNECT_RETURNED, connection=connection)


def raised(t_ms: float, connection: int, error: str = "ValueError") -> Line:
    return Line(t_ms=t_ms, event=Event.DISCONNECT_RAISED, connection=connection, text=error)


def send_raised(t_ms: float, connection: int, error: str = "ClientDisconnected") -> Line:
    return Line(t_ms=t_ms, event=Event.SEND_RAISED, connection=connection, text=error)


def ended(t_ms: float, connection: int, error: str | None = None) -> Line:
    return Line(t_ms=t_ms, event=Event.TASK_ENDED, connection=connection, text=error)


def _ledger(lines: tuple[Lines, ...], pid: int) -> pl.DataFrame:
    flat = [line for some in lines for line in ([some] if isinstance(some, Line) else some)]
    rows = [
        (round(line.t_ms * NS_A_MS), line.connection, line.value, line.argument, line.code, line.event, pid, line.text)
        for line in flat
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").sort("time_ns", maintain_order=True)
