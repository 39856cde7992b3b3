"""Stalls of a server's event loop, those that had not ended among them."""

from dataclasses import replace

import pytest

from loadtest.checks.stalls import stalls_ms, stood_still_ms
from loadtest.ledger.record import Event
from tests.unit.checks.histories import CLOSE, STEADY, A, Line, client, phases, records, scope, server


def test_stalls_when_the_probe_noted_some_then_those_within_the_window_count() -> None:
    lines = [Line(t_ms=t_ms, event=Event.STALLED, value=200_000_000) for t_ms in (STEADY - 1, 2000, CLOSE + 300)]
    trial = records(client(phases()), server(*lines))
    assert trial.window is not None
    assert stalls_ms(trial, trial.window) == pytest.approx([200])


def test_stalls_when_one_had_not_ended_when_the_window_did_then_the_part_within_it_counts() -> None:
    over_the_end = Line(t_ms=CLOSE + 50, event=Event.STALLED, value=450_000_000)
    trial = records(client(phases()), server(scope(90, A), over_the_end))
    assert trial.window is not None
    assert stalls_ms(trial, trial.window) == pytest.approx([400])
    assert stood_still_ms(trial, trial.window) == 0.0


def test_stalls_when_a_process_never_goes_on_then_its_silence_is_one() -> None:
    busy = [Line(t_ms=t_ms, event=Event.LOOP_BUSY) for t_ms in range(0, 3000, 100)]
    trial = records(client(phases()), server(scope(90, A), *busy))
    assert trial.window is not None
    assert stalls_ms(trial, trial.window) == pytest.approx([CLOSE - 2900])
    assert stood_still_ms(trial, trial.window) == pytest.approx(CLOSE - 2900)
    with_outage = replace(trial, has_outage=True)
    assert stalls_ms(with_outage, trial.window) == []
    assert stood_still_ms(with_outage, trial.window) == 0.0


def test_stalls_when_there_was_no_probe_then_it_is_not_known() -> None:
    trial = records(client(phases()))
    assert trial.window is not None
    assert stalls_ms(trial, trial.window) is None
