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


class Noting:
    """A recorder of stalls."""

    def __init__(self) -> None:
        self.stalled_ns: list[int] = []

    def record(self, event: Event, connection: int, *, value: int) -> None:
        assert event is Event.STALLED
        self.stalled_ns.append(value)


def stalled_while_blocked(block: Callable[[float], Any]) -> list[int]:
    ledger: Any = Noting()

    async def main() -> None:
        stop = stalls.watch_for_stalls(asyncio.get_running_loop(), ledger)
        await asyncio.sleep(0)
        block(BLOCKED_S)
        await asyncio.sleep(2 * stalls.TICK_S)
        stop()
        told = list(ledger.stalled_ns)
        block(BLOCKED_S)
        await asyncio.sleep(2 * stalls.TICK_S)
        assert ledger.stalled_ns == told, "it was stopped"

    asyncio.run(main())
    found: list[int] = ledger.stalled_ns
    return found


def test_stall_when_a_handler_blocks_then_it_is_noted_with_its_length() -> None:
    assert sum(stalled_while_blocked(time.sleep)) >= (BLOCKED_S - stalls.TICK_S) * NS_A_S


def test_stall_when_the_thread_only_waited_for_a_processor_then_none_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = itertools.chain([0, 0], itertools.repeat(A_LONG_TIME_NS))
    monkeypatch.setattr(stalls, "starved_ns_of_this_thread", lambda: lambda: next(readings))
    assert stalled_while_blocked(time.sleep) == []


def test_wait_for_a_processor_when_read_then_it_never_falls() -> None:
    waited_ns = starved_ns_of_this_thread()
    readings = [waited_ns() for _ in range(100)]
    assert readings == sorted(readings)
