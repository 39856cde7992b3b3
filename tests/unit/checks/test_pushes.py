"""Pushes: what something else than a user has the app send is expected at all of its room, and failures are told."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.checks.delivery import audit as delivery
from loadtest.checks.push_failures import push_failures
from loadtest.checks.throughput import audit as throughput
from loadtest.ledger.record import Event
from tests.unit.checks.histories import (
    A,
    B,
    C,
    Line,
    client,
    closed,
    dropped,
    joined,
    phases,
    receive_in,
    received,
    records,
    samples,
    send_failed,
    sent,
    server,
)

FIRST, SECOND = (1 << 24 | number for number in (50, 51))
MEMBERS = (joined(100, A, member=0), joined(200, B, member=1), joined(300, C, member=2, room="other"))


def pushed(t_ms: float, push: int, *, answered_ms: float | None = None, room: str | None = "r") -> list[Line]:
    """Return a push to a room, with its answer where there was one."""
    lines = [Line(t_ms=t_ms, event=Event.PUSHING, connection=push, text=room), sent(t_ms, push, 1)]
    if answered_ms is not None:
        lines.append(Line(t_ms=answered_ms, event=Event.PUSHED, connection=push))
    return lines


def aside(t_ms: float, connection: int) -> Line:
    return Line(t_ms=t_ms, event=Event.ASIDE, connection=connection)


def delivered(*lines: Line | list[Line], on_server: tuple[Line, ...] = (), **others: Any) -> dict[str, Any]:
    trial = records(client(phases(), *MEMBERS, *lines), server(*on_server), **others)
    return delivery.check(trial).rows.row(0, named=True)


def figures(row: dict[str, Any]) -> list[int]:
    return [row[name] for name in ("expected", "delivered", "lost", "unknown", "offline")]


def test_push_when_it_comes_to_all_of_its_room_then_nothing_is_lost_and_nobody_else_awaits_it() -> None:
    row = delivered(pushed(2000, FIRST, answered_ms=2003), received(2004, A, FIRST, 1), received(2005, B, FIRST, 1))
    assert figures(row) == [2, 2, 0, 0, 0]
    assert row["first_ms_p50"] == pytest.approx(4)


@pytest.mark.parametrize("reaches", ["everyone", "others"])
def test_push_when_a_member_that_stayed_does_not_get_it_then_it_is_lost(reaches: str) -> None:
    row = delivered(pushed(2000, FIRST, answered_ms=2003), received(2004, A, FIRST, 1), reaches=reaches)
    assert figures(row) == [2, 1, 1, 0, 0]


def test_push_when_a_member_was_away_then_it_is_offline_there() -> None:
    row = delivered(
        dropped(1500, B),
        pushed(2000, FIRST, answered_ms=2003),
        received(2004, A, FIRST, 1),
        joined(2500, B + 20, member=1),
    )
    assert figures(row) == [1, 1, 0, 0, 1]


def test_push_when_it_is_not_answered_then_what_did_not_come_is_unknown() -> None:
    row = delivered(pushed(2000, FIRST), received(2004, A, FIRST, 1))
    assert figures(row) == [2, 1, 0, 1, 0]


def test_push_when_it_is_refused_then_nobody_awaits_it() -> None:
    row = delivered(pushed(2000, FIRST), send_failed(2003, FIRST, 1))
    assert figures(row) == [0, 0, 0, 0, 0]


def test_pushes_when_one_overtakes_another_then_they_had_no_order() -> None:
    early, late = pushed(2000, FIRST, answered_ms=2060), pushed(2050, SECOND, answered_ms=2055)
    at_a = [received(2052, A, SECOND, 1), received(2058, A, FIRST, 1)]
    at_b = [received(2053, B, SECOND, 1), received(2059, B, FIRST, 1)]
    assert delivered(early, late, at_a, at_b)["reordered"] == 0


def test_push_failures_when_pushes_were_refused_or_not_answered_then_it_is_told_what_came_back() -> None:
    lines = [
        *pushed(2000, FIRST),
        send_failed(2003, FIRST, 1),
        *pushed(2100, SECOND),
        *pushed(2200, 77, answered_ms=2203),
    ]
    trial = records(client(phases(), *MEMBERS, lines), server(), samples=samples())
    failures = push_failures(trial)
    assert failures is not None
    assert sorted(failures) == ["connection lost", "no answer"]
    row = throughput.check(trial).rows.row(0, named=True)
    assert row["push_failed"] == 2
    assert {one["value"]: one["count"] for one in row["push_failures"]} == {"connection lost": 1, "no answer": 1}


def test_push_failures_when_nothing_was_pushed_then_there_is_no_such_figure() -> None:
    assert push_failures(records(client(phases(), *MEMBERS, send_failed(2000, A, 1)))) is None


@pytest.mark.parametrize(("asides", "lost", "unknown"), [(0, 1, 0), (1, 0, 1)])
def test_message_when_a_join_went_before_it_then_that_is_not_taken_for_it(asides: int, lost: int, unknown: int) -> None:
    """The app took one thing of a sender that was dropped: the join, if there was one, and else the message."""
    row = delivered(
        [aside(90, A)] * asides,
        sent(2000, A, 1),
        dropped(2001, A),
        closed(7050, B),
        on_server=(receive_in(1999 if asides else 2002, A),),
        reaches="others",
    )
    assert (row["lost"], row["unknown"]) == (lost, unknown)
