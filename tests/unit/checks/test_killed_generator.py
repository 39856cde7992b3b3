"""A generator that is killed: its ledger ends with a DROPPED for each connection it held, and nothing after."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from loadtest.checks import TrialRecords, delivery, disconnects, drops, throughput, timeline
from loadtest.checks.unexpected_ends import ended_unexpectedly
from loadtest.ledger.record import Event
from tests.unit.checks.histories import (
    STEADY,
    A,
    Line,
    accepted,
    both,
    client,
    ended,
    entered,
    joined,
    phases,
    receive_in,
    received,
    records,
    scope,
    sent,
    server,
)

SECOND_GENERATOR = 12
X, Y = (2 << 24 | number for number in (1, 2))
"""Connections as the second generator names them."""
KILLED = 3000
KIND = "sigkill"


def killed(*connections: int) -> list[Line]:
    """The last records of a generator: no drop's last system call, for there was nobody left to see it."""
    return [
        Line(t_ms=KILLED + place / 1000, event=Event.DROPPED, connection=connection, text=KIND)
        for place, connection in enumerate(connections)
    ]


def trial(survivor: list[Line] | None = None, victim: list[Line] | None = None, **others: Any) -> TrialRecords:
    """A stays, member 0; X and Y, members 1 and 3 of the same room, die with the second generator."""
    first = client(phases(), joined(100, A, member=0), survivor or [])
    opened = [*joined(110, X, member=1), *joined(120, Y, member=3)]
    second = client(opened, victim or [], killed(X, Y), pid=SECOND_GENERATOR)
    return records(both(first, second), **{"drops": (KIND,), "users": 3, **others})


def deliveries(of: TrialRecords) -> dict[str, int]:
    figures = delivery.KIND.run(of).rows.row(0, named=True)
    return {name: figures[name] for name in ("expected", "delivered", "lost", "offline", "unknown", "edge")}


def test_drops_when_a_generator_was_killed_then_each_connection_it_held_is_one_with_a_fate() -> None:
    on_server = server(
        *(line for one in (A, X, Y) for line in (scope(99, one), accepted(100, one))), entered(KILLED + 4, X)
    )
    of = trial(server_ledger=on_server)
    row = disconnects.KIND.run(of).rows.row(0, named=True)
    assert (row["drop"], row["dropped"], row["disconnect_called"], row["missed"], row["unknown"]) == (KIND, 2, 1, 1, 0)
    assert row["detect_ms_max"] == 4
    verdicts = drops.check(of).rows.select("connection", "verdict", "cause").rows()
    assert verdicts == [(X, "called", None), (Y, "missed", "not noticed")]


def test_drops_when_a_killed_one_had_a_task_that_ended_then_it_is_missed_for_that_cause() -> None:
    on_server = server(*(scope(99, one) for one in (X, Y)), accepted(100, X), ended(KILLED + 9, X), entered(3009, Y))
    assert disconnects.KIND.run(trial(server_ledger=on_server)).rows["causes"].to_list() == [
        [{"value": "task ended without disconnect()", "count": 1}]
    ]


def test_delivery_when_a_member_was_killed_then_what_is_sent_later_is_offline_and_not_lost() -> None:
    survivor = [sent(2000, A, 1), sent(3500, A, 1 + 1), *(received(at, A, A, n) for at, n in ((2005, 1), (3505, 2)))]
    victim = [received(2005, X, A, 1), received(2005, Y, A, 1)]
    assert deliveries(trial(survivor, victim)) == {
        "expected": 4, "delivered": 4, "lost": 0, "offline": 2, "unknown": 0, "edge": 0,
    }  # fmt: skip


def test_delivery_when_a_message_was_under_way_to_the_killed_then_it_is_unknown() -> None:
    survivor = [sent(KILLED - 3, A, 1), received(KILLED + 2, A, A, 1)]
    assert deliveries(trial(survivor)) == {
        "expected": 3, "delivered": 1, "lost": 0, "offline": 0, "unknown": 2, "edge": 2,
    }  # fmt: skip


def test_delivery_when_a_message_may_have_waited_for_its_handling_then_it_is_unknown() -> None:
    """It may have arrived, and the generator been killed before it came to it."""
    took_long = [sent(2000, A, 1), received(2001, A, A, 1, lag_us=50_000)]
    victim = [received(2001, X, A, 1), received(2001, Y, A, 1)]
    survivor = [*took_long, sent(KILLED - 40, A, 2), received(KILLED - 39, A, A, 2)]
    assert deliveries(trial(survivor, victim))["unknown"] == 2
    assert deliveries(trial(survivor, victim))["lost"] == 0


def test_delivery_when_it_was_lost_long_before_the_kill_then_it_is_lost() -> None:
    survivor = [sent(2000, A, 1), received(2001, A, A, 1)]
    assert deliveries(trial(survivor, [received(2001, X, A, 1)]))["lost"] == 1


@pytest.mark.parametrize(("taken", "verdict"), [([receive_in(2999.5, X)], "lost"), ([], "unknown")])
def test_delivery_when_the_killed_had_sent_then_it_counts_only_if_the_server_took_it(
    taken: list[Line], verdict: str
) -> None:
    figures = deliveries(trial(victim=[sent(2999, X, 1)], server_ledger=server(*taken)))
    assert figures["offline"] == 0
    assert figures[verdict] >= 1
    assert figures["expected"] == 3 == figures["lost"] + figures["unknown"]


def test_delivery_when_each_generator_has_members_then_a_room_has_them_all() -> None:
    victim = [sent(2000, X, 1), received(2005, X, X, 1), received(2006, Y, X, 1)]
    assert deliveries(trial([received(2004, A, X, 1)], victim, server_ledger=server(receive_in(2001, X)))) == {
        "expected": 3, "delivered": 3, "lost": 0, "offline": 0, "unknown": 0, "edge": 0,
    }  # fmt: skip


def test_throughput_when_a_generator_was_killed_then_both_count_and_nothing_ended_unexpectedly() -> None:
    survivor = [sent(2000, A, 1), received(2005, A, A, 1), received(2105, A, X, 1)]
    victim = [received(2003, X, A, 1), received(2003, Y, A, 1),
              sent(2100, X, 1), received(2105, X, X, 1), received(2104, Y, X, 1)]  # fmt: skip
    of = trial(survivor, victim)
    row = throughput.KIND.run(of).rows.row(0, named=True)
    assert (row["sent"], row["received"], row["latency_ms_max"], row["valid"]) == (2, 6, 5.0, "yes")
    assert (row["answered"], row["watched_ms"]) == (2, None)
    assert ended_unexpectedly(of).is_empty()


def test_timeline_when_a_generator_was_killed_then_its_sockets_are_open_no_more() -> None:
    rows = timeline.check(trial()).rows
    before, after = (rows.filter(pl.col("t_s") == (at - STEADY) / 1000).row(0, named=True) for at in (2750, KILLED))
    assert (before["open_sockets"], after["open_sockets"], after["dropped"]) == (3, 1, 2)
