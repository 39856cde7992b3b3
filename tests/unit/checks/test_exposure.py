"""Exposure: of the connections that were asked in the window, the share that a drop would have missed."""

from __future__ import annotations

import pytest

from loadtest.checks.disconnects.audit import check
from loadtest.checks.exposure import exposure_of
from loadtest.ledger.record import Event
from tests.unit.checks.histories import RECOVER, SERVER, STEADY, A, B, Line, both, client, phases, records, server


def asked(t_ms: float, in_midst: int, of: int) -> Line:
    return Line(t_ms=t_ms, event=Event.EXPOSED, argument=in_midst, value=of)


def spared(t_ms: float, connection: int, count: int = 1) -> Line:
    return Line(t_ms=t_ms, event=Event.SPARED, connection=connection, value=count)


def found(*lines: Line) -> float | None:
    trial = records(client(phases()), server(*lines))
    assert trial.window is not None
    return exposure_of(trial, trial.window)


def test_exposure_when_connections_were_asked_then_it_is_the_share_in_the_midst_of_a_message() -> None:
    assert found(asked(2000, 1, 10), asked(2100, 5, 10), asked(2200, 0, 4)) == pytest.approx(6 / 24)


def test_exposure_when_a_handler_ended_without_a_send_then_those_are_taken_off() -> None:
    assert found(asked(2000, 3, 10), spared(2001, A), spared(2002, B, 2), asked(2100, 5, 10)) == pytest.approx(5 / 20)


def test_exposure_when_it_was_asked_outside_of_the_window_then_that_does_not_count() -> None:
    outside = [asked(STEADY - 1, 10, 10), spared(STEADY - 1, A), asked(RECOVER + 1, 10, 10)]
    assert found(*outside, asked(2000, 1, 10)) == pytest.approx(1 / 10)


def test_exposure_when_more_was_spared_in_the_window_than_asked_in_it_then_it_is_none_and_not_below() -> None:
    assert found(asked(STEADY - 1, 10, 10), spared(STEADY + 1, A, 2), asked(2000, 1, 10)) == 0


def test_exposure_when_nobody_was_asked_then_it_is_not_known() -> None:
    assert found() is None
    assert found(asked(2000, 0, 0)) is None


def test_exposure_when_there_are_several_processes_then_it_is_over_all_their_connections() -> None:
    told = both(server(asked(2000, 30, 30)), server(asked(2000, 0, 70), pid=SERVER + 1))
    trial = records(client(phases()), told)
    assert trial.window is not None
    assert exposure_of(trial, trial.window) == pytest.approx(0.3)


def test_disconnects_when_there_are_several_kinds_then_each_has_the_exposure_of_the_trial() -> None:
    rows = check(records(client(phases()), server(asked(2000, 1, 4)), drops=("rst", "fin"))).rows
    assert rows["exposure"].to_list() == [0.25, 0.25]
