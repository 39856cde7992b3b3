"""Timeline: each thing falls into the quarter of a second in which it happened."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.checks.timeline import TABLE, check
from tests.unit.checks.histories import (
    CLOSE,
    STEADY,
    A,
    B,
    client,
    closed,
    dropped,
    joined,
    peer_closed,
    phases,
    received,
    records,
    samples,
    sent,
)


@pytest.fixture(scope="module")
def steps() -> dict[float, dict[str, Any]]:
    """The steps of a small trial by their start."""
    ledger = client(
        phases(),
        joined(100, A, member=0),
        joined(600, B, member=1),
        sent(STEADY - 1, A, 1),
        received(STEADY, A, A, 1),
        sent(STEADY + 249, A, 2),
        received(STEADY + 251, A, A, 2),
        received(STEADY + 255, B, A, 2),
        dropped(STEADY + 500, B),
        joined(STEADY + 1600, B + 1, member=1),
        peer_closed(STEADY + 2100, B + 1),
        closed(CLOSE + 1, A),
    )
    rows = check(records(ledger)).rows
    assert rows.columns == TABLE.schema.names()
    return {row["t_s"]: row for row in rows.to_dicts()}


def test_timeline_when_read_then_it_goes_without_gaps_from_the_first_record_to_the_closing(steps: Any) -> None:
    assert list(steps) == [number * 0.25 for number in range(-4, 4 * (CLOSE - STEADY) // 1000 + 1)]


def test_timeline_when_something_happens_at_an_edge_then_it_belongs_to_the_step_that_begins_there(steps: Any) -> None:
    assert [steps[t_s]["sent"] for t_s in (-0.25, 0.0, 0.25)] == [1, 1, 0]
    assert [steps[t_s]["received"] for t_s in (-0.25, 0.0, 0.25)] == [0, 1, 2]


def test_timeline_when_dropped_then_it_is_marked_once_and_zero_elsewhere(steps: Any) -> None:
    assert {t_s: step["dropped"] for t_s, step in steps.items() if step["dropped"]} == {0.5: 1}


def test_timeline_when_connections_come_and_go_then_open_sockets_follow(steps: Any) -> None:
    assert [steps[t_s]["open_sockets"] for t_s in (-1.0, -0.5, 0.25, 0.5, 1.5, 2.0, 5.75, 6.0)] == [
        1, 2, 2, 1, 2, 1, 1, 0,
    ]  # fmt: skip


def test_timeline_when_the_server_ends_a_connection_that_was_dropped_then_it_was_open_until_the_drop() -> None:
    ledger = client(phases(), joined(100, A), dropped(STEADY + 10, A), peer_closed(STEADY + 600, A))
    steps = check(records(ledger)).rows
    assert dict(steps.filter(steps["t_s"] >= -0.25).select("t_s", "open_sockets").rows())[0.0] == 0
    assert steps["open_sockets"].min() == 0


def test_timeline_when_nothing_arrived_then_latency_is_not_known(steps: Any) -> None:
    assert steps[0.25]["latency_ms_max"] == 6
    assert steps[0.25]["latency_ms_p50"] == 4
    assert steps[0.5]["latency_ms_max"] is None


def test_timeline_when_sampled_then_cpu_and_memory_are_told_for_each_step(steps: Any) -> None:
    assert steps[0.0]["server_cpu_percent"] == pytest.approx(50)
    assert steps[0.0]["generator_cpu_percent"] == pytest.approx(20)
    assert steps[0.0]["server_rss_mb"] == pytest.approx(50, abs=0.1)


def test_timeline_when_not_sampled_then_the_machine_is_not_known_and_not_idle() -> None:
    rows = check(records(client(phases(), joined(100, A)), samples=samples(until_ms=STEADY))).rows
    late = rows.filter(rows["t_s"] >= 0.25)
    assert late["server_cpu_percent"].null_count() == late.height
    assert late["server_rss_mb"].null_count() == late.height


def test_timeline_when_nobody_sends_or_drops_then_counts_are_zero() -> None:
    rows = check(records(client(phases()))).rows
    assert rows.select("sent", "received", "dropped", "open_sockets").unique().rows() == [(0, 0, 0, 0)]
