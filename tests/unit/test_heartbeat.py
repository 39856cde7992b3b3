"""Heartbeat: what holds the hub is noted with its length, and what was a wait for a processor is told apart."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import pytest

from loadtest.ledger import Event
from loadtest.users import heartbeat
from loadtest.users.heartbeat import BEAT_S, LATE_S, Heartbeat

HELD_S = 0.1
NS_A_S = 1_000_000_000


@contextmanager
def beating() -> Iterator[list[dict[str, int]]]:
    """Give what a heartbeat records while the hub runs."""
    noted: list[dict[str, int]] = []

    def record(event: Event, connection: int, **fields: int) -> None:
        assert (event, connection) == (Event.HELD_UP, 0)
        noted.append(fields)

    heart = Heartbeat(record)
    try:
        yield noted
    finally:
        heart.stop()


def test_heartbeat_when_a_greenlet_holds_the_hub_then_it_is_noted_with_its_length() -> None:
    with beating() as noted:
        gevent.sleep(2 * BEAT_S)
        time.sleep(HELD_S)
        gevent.sleep(2 * BEAT_S)
    assert max(one["value"] for one in noted) >= (HELD_S - BEAT_S) * NS_A_S
    assert all(one["value"] >= LATE_S * NS_A_S for one in noted)


def test_heartbeat_when_the_thread_waited_for_a_processor_then_no_more_of_it_than_the_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = itertools.count(step=3600 * NS_A_S)
    monkeypatch.setattr(heartbeat, "starved_ns_of_this_thread", lambda: lambda: next(hours))
    with beating() as noted:
        gevent.sleep(2 * BEAT_S)
        time.sleep(HELD_S)
        gevent.sleep(2 * BEAT_S)
    assert noted and all(one["argument"] == one["value"] // 1000 for one in noted)


def test_heartbeat_when_stopped_then_it_notes_nothing_more() -> None:
    with beating() as noted:
        pass
    time.sleep(HELD_S)
    gevent.sleep(2 * BEAT_S)
    assert noted == []
