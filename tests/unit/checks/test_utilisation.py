"""Utilisation: the busy shares of a window, from what the probe told at intervals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadtest.checks.throughput.audit import check
from loadtest.checks.utilisation import Utilisation, utilisation_of
from loadtest.ledger.record import BusyBy, Event
from tests.unit.checks.histories import (
    CLOSE,
    NS_A_MS,
    RECOVER,
    SERVER,
    STEADY,
    Line,
    both,
    client,
    phases,
    records,
    samples,
    server,
)

WINDOW_MS = RECOVER - STEADY
OTHER = SERVER + 1


def told(event: Event, busy_ms: Callable[[int], float], *, every_ms: int = 100, until_ms: int = CLOSE) -> list[Line]:
    """Records of `busy_ms` so far at each moment, as one process keeps them."""
    code = int(BusyBy.SELECT) if event is Event.LOOP_BUSY else 0
    moments = range(100, until_ms, every_ms)
    return [Line(t_ms=at, event=event, code=code, value=round(busy_ms(at) * NS_A_MS)) for at in moments]


def loop(share: float, **others: int) -> list[Line]:
    return told(Event.LOOP_BUSY, lambda at: share * at, **others)


def thread(share: float, **others: int) -> list[Line]:
    return told(Event.SYNC_THREAD_BUSY, lambda at: share * at, **others)


def found(*lines: list[Line], broker: float | None = None) -> Utilisation:
    used = samples() if broker is None else samples(broker=broker)
    trial = records(client(phases()), server(*lines), samples=used)
    assert trial.window is not None
    return utilisation_of(trial, trial.window)


def test_shares_when_both_are_busy_evenly_then_they_are_those_of_the_window() -> None:
    busy = found(loop(0.25), thread(0.75), broker=0.5)
    assert [busy.loop, busy.sync_thread, busy.broker] == pytest.approx([0.25, 0.75, 0.5])
    assert busy.largest == busy.sync_thread


def test_shares_when_work_lies_outside_of_the_window_then_it_does_not_count() -> None:
    def busy_ms(at: int) -> float:
        return min(at, STEADY) + max(0, at - RECOVER) + min(max(0, at - 2000), 400)

    assert found(told(Event.LOOP_BUSY, busy_ms)).loop == pytest.approx(400 / WINDOW_MS)


def test_shares_when_the_edges_lie_between_records_then_lines_are_drawn_between_them() -> None:
    assert found(loop(0.5, every_ms=700)).loop == pytest.approx(0.5)


def test_shares_when_there_are_several_processes_then_they_are_the_busiest_ones() -> None:
    told_by_both = both(server(loop(0.2), thread(0.9)), server(loop(0.6), thread(0.1), pid=OTHER))
    trial = records(client(phases()), told_by_both)
    assert trial.window is not None
    busy = utilisation_of(trial, trial.window)
    assert [busy.loop, busy.sync_thread] == pytest.approx([0.6, 0.9])


def test_shares_when_no_probe_told_then_they_are_not_known_and_none_is_the_largest() -> None:
    busy = found(broker=0.5)
    assert (busy.loop, busy.sync_thread, busy.largest) == (None, None, None)
    assert busy.broker == pytest.approx(0.5)


def test_shares_when_a_process_fell_silent_inside_the_window_then_they_are_not_known() -> None:
    assert found(loop(0.5, until_ms=RECOVER - 200)).loop is None


def test_throughput_when_the_probe_told_then_the_row_has_the_shares_and_the_largest() -> None:
    row = check(records(client(phases()), server(loop(0.25), thread(0.75)))).rows.row(0, named=True)
    assert row["loop_busy"] == pytest.approx(0.25)
    assert row["sync_thread_busy"] == row["utilisation"] == pytest.approx(0.75)
