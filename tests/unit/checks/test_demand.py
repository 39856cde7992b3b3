"""Demand: what was offered and answered, what never came, and whether the server was asked for more than it can do."""

from __future__ import annotations

import random
from collections.abc import Iterable
from math import inf
from typing import Any

import pytest

from loadtest.checks import throughput
from loadtest.checks.throughput.demand import STANDING_MS
from loadtest.ledger.record import Event
from tests.unit.checks.histories import (
    CLOSE,
    DRAIN,
    RECOVER,
    STEADY,
    A,
    B,
    Line,
    client,
    closed,
    dropped,
    joined,
    phases,
    received,
    records,
    sent,
)

WARM_UP = 500


def unsent(count: int = 0, *, overdue_ms: int = 0, at: float = RECOVER) -> Line:
    """Return what a generator notes as the window ends."""
    return Line(t_ms=at, event=Event.UNSENT, argument=overdue_ms, value=count)


def row(*lines: Line | list[Line], quiet: bool = True, noted: Line | None = None) -> dict[str, Any]:
    plan = unsent() if noted is None else noted
    trial = records(client(phases(quiet=quiet), joined(100, A), plan, *lines))
    return throughput.KIND.run(trial).rows.row(0, named=True)


def echoes(took_ms: Iterable[tuple[float, float | None]]) -> list[Line]:
    """Return echoes, each planned at a time and back after another; None: never."""
    lines = []
    for number, (at, took) in enumerate(took_ms, start=1):
        lines.append(sent(at, A, number))
        lines += [] if took is None else [received(at + took, A, A, number)]
    return lines


def served(
    every_ms: float, work_ms: float, *, until: float = RECOVER, holds: int = 10**6
) -> list[tuple[float, float | None]]:
    """Return what a server does that takes so long for a message, one after the other, and holds so many."""
    chance = random.Random(1)
    free_at, at = 0.0, float(WARM_UP)
    found: list[tuple[float, float | None]] = []
    while (at := at + chance.expovariate(1 / every_ms)) < until:
        if (free_at - at) / work_ms > holds:
            found.append((at, None))
            continue
        free_at = max(free_at, at) + work_ms
        found.append((at, free_at - at))
    return found


@pytest.mark.parametrize("load", [0.2, 0.5, 0.8, 0.9])
def test_overload_when_the_server_can_do_what_it_is_asked_for_then_there_is_none(load: float) -> None:
    figures = row(echoes(served(every_ms=10, work_ms=10 * load)))
    assert figures["overloaded"] == "no"
    assert figures["answered"] == figures["offered"]


@pytest.mark.parametrize("load", [1.1, 1.3, 2, 5])
def test_overload_when_the_server_cannot_do_what_it_is_asked_for_then_it_is_told(load: float) -> None:
    figures = row(echoes(served(every_ms=10, work_ms=10 * load)))
    assert figures["overloaded"] == "yes"
    assert figures["backlog"] >= (load - 1) / load * 100


def test_overload_when_a_layer_throws_away_what_does_not_fit_then_it_is_told_too() -> None:
    figures = row(echoes(served(every_ms=10, work_ms=30, holds=20)))
    assert figures["overloaded"] == "yes"
    assert figures["answered"] < figures["offered"] / 2
    assert figures["latency_ms_p99"] == inf and figures["latency_ms_p50"] == inf


def test_overload_when_messages_are_lost_without_a_queue_then_it_is_no_overload() -> None:
    lost = [(at, None if number % 3 == 0 else took) for number, (at, took) in enumerate(served(10, 2))]
    figures = row(echoes(lost))
    assert figures["overloaded"] == "no" and figures["answered"] < figures["offered"]


def test_overload_when_every_message_takes_long_and_none_waits_then_it_is_no_overload() -> None:
    assert row(echoes((at, 5 * STANDING_MS) for at in range(WARM_UP, RECOVER, 10)))["overloaded"] == "no"


def test_overload_when_the_server_was_held_up_for_a_while_then_it_is_no_overload() -> None:
    held = [(at, max(2.0, 4000 - at) if at > 3500 else 2.0) for at in range(WARM_UP, RECOVER, 10)]
    assert row(echoes(held))["overloaded"] == "no"


def test_overload_when_one_of_two_workers_is_behind_then_the_fast_other_does_not_hide_it() -> None:
    fast = [(at, 2.0) for at in range(WARM_UP, RECOVER, 10)]
    slow = [(at + 5, 2.0 * (at - WARM_UP)) for at in range(WARM_UP, RECOVER, 10)]
    assert row(echoes(sorted(fast + slow)))["overloaded"] == "yes"


def test_overload_when_users_follow_no_plan_then_there_is_none() -> None:
    trial = records(client(phases(), joined(100, A), echoes(served(every_ms=10, work_ms=30))))
    assert throughput.KIND.run(trial).rows["overloaded"].to_list() == ["no"]


def test_offered_when_users_awaited_answers_then_what_they_did_not_send_was_offered_and_never_came() -> None:
    lines = echoes([(2000, 900), (3000, 900)])
    late = [sent(RECOVER + 50, A, 3, late_us=60_000), received(RECOVER + 51, A, A, 3)]
    figures = row(lines, late, noted=unsent(5, overdue_ms=400))
    assert (figures["offered"], figures["sent"], figures["answered"], figures["backlog"]) == (7, 2, 3, 6)
    assert figures["latency_ms_p50"] == inf and figures["latency_from_send_ms_p99"] == 900
    assert figures["watched_ms"] == CLOSE - RECOVER + 400


def test_offered_when_a_message_was_planned_before_the_window_then_it_is_none_of_it() -> None:
    early = [sent(STEADY + 5, A, 1, late_us=10_000), received(STEADY + 6, A, A, 1)]
    assert (row(early)["offered"], row(early)["answered"]) == (0, 0)


def test_latency_when_less_than_one_in_a_hundred_is_lost_then_p99_is_of_what_came_and_the_slowest_is_not_known() -> (
    None
):
    figures = row(echoes((1500 + number, None if number == 7 else number) for number in range(1, 201)))
    assert (figures["latency_ms_p50"], figures["latency_ms_p99"]) == (102, 199)
    assert figures["latency_ms_max"] == inf
    assert figures["watched_ms"] == CLOSE - 1507


def test_latency_when_more_than_one_in_a_hundred_is_lost_then_p99_is_more_than_was_waited() -> None:
    figures = row(echoes((1500 + number, None if number % 20 == 0 else 3) for number in range(1, 201)))
    assert (figures["latency_ms_p50"], figures["latency_ms_p90"], figures["latency_ms_p99"]) == (3, 3, inf)
    assert figures["watched_ms"] == CLOSE - 1520


def test_latency_when_messages_were_still_arriving_then_what_is_missing_was_waited_for_until_then() -> None:
    figures = row(echoes([(2000, 3), (3000, None), (4000, None)]), quiet=False)
    assert (figures["latency_ms_p50"], figures["watched_ms"]) == (inf, CLOSE - 4000)


def test_latency_when_others_took_as_long_as_the_trial_had_left_then_what_is_missing_is_infinitely_late() -> None:
    slow = [sent(1500, A, 1), received(6500, A, A, 1), closed(CLOSE, A)]
    never = [sent(2000 + number, A, 2 + number) for number in range(1, 10)]
    figures = row(slow, never)
    assert (figures["latency_ms_p50"], figures["watched_ms"]) == (inf, CLOSE - 2009)
    assert (figures["overloaded"], figures["backlog"], figures["answered"]) == ("yes", 10, 1)


def test_latency_when_a_drop_may_have_cut_a_message_off_then_it_is_left_out() -> None:
    lines = [*joined(100, B, member=1), sent(2000, A, 1), received(2005, A, A, 1), received(2005, B, A, 1)]
    cut = [sent(3000, A, 2), received(3005, A, A, 2), *dropped(3002, B)]
    figures = row(lines, cut)
    assert (figures["latency_ms_max"], figures["watched_ms"], figures["answered"]) == (5, None, 2)


def test_latency_when_sent_late_then_that_from_the_sending_stands_beside_it() -> None:
    figures = row([sent(2000, A, 1, late_us=250_000), received(2004, A, A, 1)])
    assert (figures["latency_ms_p99"], figures["latency_from_send_ms_p99"], figures["late_ms_p99"]) == (254, 4, 250)


def test_answered_when_one_receiver_of_a_broadcast_never_got_it_then_it_is_not() -> None:
    lines = [*joined(100, B, member=1), sent(2000, A, 1), received(2005, A, A, 1), sent(DRAIN - 2500, A, 2)]
    came = [received(DRAIN - 2495, A, A, 2), received(DRAIN - 2495, B, A, 2)]
    assert (row(lines, came)["offered"], row(lines, came)["answered"]) == (2, 1)
