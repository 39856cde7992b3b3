"""Busy time: the loop is at work but for its waiting, the sync thread from taking up a call to its end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import SyncToAsync, sync_to_async

from loadtest.ledger import Event
from loadtest.ledger.record import BusyBy
from loadtest.probe import busy

WORK_S = 0.2
NS_A_S = 1_000_000_000


class Noting:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[tuple[int, int, int]] = []

    def record(self, event: int, connection: int, *, code: int = 0, value: int = 0) -> None:
        assert connection == 0
        self.records.append((event, code, value))

    def told_s(self, event: Event) -> list[float]:
        return [value / NS_A_S for kind, _, value in self.records if kind == event]


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What is recorded, with a sync thread of this test's own."""
    noting = Noting()
    with ThreadPoolExecutor(max_workers=1) as executor:
        monkeypatch.setattr(SyncToAsync, "single_thread_executor", executor)
        yield noting


def test_loop_when_a_handler_blocks_it_then_that_counts_and_waiting_does_not(noted: Any) -> None:
    async def main() -> None:
        busy.watch_busy(asyncio.get_running_loop(), noted)
        time.sleep(WORK_S)
        before_s = noted.told_s(Event.LOOP_BUSY)[0]
        await asyncio.sleep(3 * WORK_S)
        after_s = noted.told_s(Event.LOOP_BUSY)[-1]
        assert WORK_S <= after_s - before_s < 3 * WORK_S

    asyncio.run(main())
    assert {code for event, code, _ in noted.records if event == Event.LOOP_BUSY} == {BusyBy.SELECT}


def test_loop_when_it_has_no_selector_then_it_is_the_cpu_time_of_its_thread() -> None:
    class Bare:
        def call_later(self, delay: float, tick: Any) -> None: ...

    busy_ns, by = busy._of_loop(Bare())  # type: ignore[arg-type]
    assert (busy_ns, by) == (time.thread_time_ns, BusyBy.CPU)


def test_sync_thread_when_a_call_sleeps_then_it_counts_from_its_beginning(noted: Any) -> None:
    go_on, in_call = threading.Event(), threading.Event()

    def call() -> str:
        in_call.set()
        assert go_on.wait(10)
        return "done"

    async def main() -> None:
        busy_ns = busy._of_sync_thread()
        assert busy_ns is not None
        assert busy_ns() == 0
        calling = asyncio.ensure_future(sync_to_async(call)())
        while not in_call.is_set():
            await asyncio.sleep(0)
        readings = [busy_ns(), busy_ns()]
        assert 0 < readings[0] < readings[1]
        go_on.set()
        assert await calling == "done"

    asyncio.run(main())


def test_sync_thread_when_a_call_raises_then_its_time_counts_and_the_next_one_runs(noted: Any) -> None:
    async def main() -> None:
        busy_ns = busy._of_sync_thread()
        assert busy_ns is not None
        with pytest.raises(ZeroDivisionError):
            await sync_to_async(lambda: 1 / 0)()
        assert await sync_to_async(int)("7") == 7
        ended_ns = busy_ns()
        assert 0 < ended_ns == busy_ns()

    asyncio.run(main())


def test_sync_thread_when_asgiref_has_none_then_nothing_is_told_of_it(
    noted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(SyncToAsync, "single_thread_executor")

    async def main() -> None:
        busy.watch_busy(asyncio.get_running_loop(), noted)

    asyncio.run(main())
    assert [event for event, _, _ in noted.records] == [Event.LOOP_BUSY]


def test_busy_when_it_is_stopped_then_nothing_is_timed_or_told_any_more(noted: Any) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        stop = busy.watch_busy(loop, noted)
        assert "select" in vars(loop._selector)
        stop()
        assert "select" not in vars(loop._selector)
        assert "submit" not in vars(SyncToAsync.single_thread_executor)
        told = len(noted.records)
        await asyncio.sleep(2 * busy.RECORD_S)
        assert len(noted.records) == told

    asyncio.run(main())
