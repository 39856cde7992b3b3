"""Stalls: what keeps the event loop for itself is noted, and a machine that has no processor for it is not."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest

from loadtest.ledger import Event
from loadtest.ledger.starved import starved_ns_of_this_thread
from loadtest.probe import stalls

NS_A_S = 1_000_000_000
BLOCKED_S = 2 * stalls.STALL_S
A_LONG_TIME_NS = 1000 * NS_A_S


@pytest.fixture
def stalled_ns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The stalls that were noted."""
    noted: list[int] = []

    class Noting:
        def record(self, event: Event, connection: int, *, value: int) -> None:
            assert event is Event.STALLED
            noted.append(value)

    monkeypatch.setattr(stalls, "recorder", Noting)
    return noted


def run_while_blocked(block: Callable[[float], Any]) -> None:
    async def main() -> None:
        stalls.watch_for_stalls(asyncio.get_running_loop())
        await asyncio.sleep(0)
        block(BLOCKED_S)
        await asyncio.sleep(2 * stalls.TICK_S)

    asyncio.run(main())


def test_stall_when_a_handler_blocks_then_it_is_noted_with_its_length(stalled_ns: list[int]) -> None:
    run_while_blocked(time.sleep)
    assert sum(stalled_ns) >= (BLOCKED_S - stalls.TICK_S) * NS_A_S


def test_stall_when_the_thread_only_waited_for_a_processor_then_none_is_noted(
    stalled_ns: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = itertools.chain([0, 0], itertools.repeat(A_LONG_TIME_NS))
    monkeypatch.setattr(stalls, "starved_ns_of_this_thread", lambda: lambda: next(readings))
    run_while_blocked(time.sleep)
    assert stalled_ns == []


def test_wait_for_a_processor_when_read_then_it_never_falls() -> None:
    waited_ns = starved_ns_of_this_thread()
    readings = [waited_ns() for _ in range(100)]
    assert readings == sorted(readings)
