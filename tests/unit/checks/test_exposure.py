"""Exposure: of the open connections that were asked in the window, the share that a drop would have missed."""

from __future__ import annotations

import pytest

from loadtest.checks.disconnects.audit import check
from loadtest.checks.exposure import exposure_of
from loadtest.ledger.record import Event
from tests.unit.checks.histories import (
    RECOVER,
    SERVER,
    STEADY,
    A,
    B,
    C,
    D,
    Line,
    both,
    client,
    closed,
    dropped,
    joined,
    peer_closed,
    phases,
    records,
    server,
)

ALL = [line for connection in (A, B, C, D) for line in joined(100, connection)]


def waits(t_ms: float, connection: int, times: int = 1) -> Line:
    return Line(t_ms=t_ms, event=Event.ASKED, connection=connection, value=times)


def in_midst(t_ms: float, connection: int, times: int = 1) -> Line:
    return Line(t_ms=t_ms, event=Event.ASKED, connection=connection, code=1, value=times)


def spared(t_ms: float, connection: int, times: int = 1) -> Line:
    return Line(t_ms=t_ms, event=Event.SPARED, connection=connection, value=times)


def found(*lines: Line, on_client: list[Line] = ALL) -> float | None:
    trial = records(client(phases(), on_client), server(*lines))
    assert trial.window is not None
    return exposure_of(trial, trial.window)


def test_exposure_when_connections_were_asked_then_it_is_the_share_in_the_midst_of_a_message() -> None:
    assert found(in_midst(2000, A), waits(2000, B), waits(2000, C), waits(3000, D)) == pytest.approx(1 / 4)


def test_exposure_when_a_question_was_late_then_it_counts_as_often_as_it_was_due() -> None:
    assert found(in_midst(2000, A, times=9), waits(3000, A)) == pytest.approx(9 / 10)


def test_exposure_when_a_handler_ended_without_a_send_then_it_is_taken_off() -> None:
    assert found(in_midst(2000, A, 3), in_midst(2000, B), spared(2000, A, 2), waits(3000, C)) == pytest.approx(2 / 5)


def test_exposure_when_it_was_asked_outside_of_the_window_then_that_does_not_count() -> None:
    outside = [in_midst(STEADY - 1, A), spared(STEADY - 1, A), in_midst(RECOVER + 1, A)]
    assert found(*outside, waits(2000, A), in_midst(2000, B)) == pytest.approx(1 / 2)


def test_exposure_when_a_client_had_gone_and_the_server_did_not_know_then_it_does_not_count() -> None:
    gone = [*ALL, *dropped(1990, A), peer_closed(1990, B), closed(1990, C)]
    late = [in_midst(2000, A), in_midst(2000, B), in_midst(2000, C), spared(2000, A)]
    assert found(*late, in_midst(1980, A), waits(2000, D), on_client=gone) == pytest.approx(1 / 2)


def test_exposure_when_the_client_did_not_know_yet_that_it_was_open_then_it_does_not_count() -> None:
    assert found(in_midst(2000, A), waits(2000, B), on_client=[*joined(2010, A), *joined(100, B)]) == 0


def test_exposure_when_more_was_spared_than_asked_then_it_is_none_and_not_below() -> None:
    assert found(spared(2000, A, 2), waits(2000, A)) == 0


def test_exposure_when_nobody_was_asked_then_it_is_not_known() -> None:
    assert found() is None


def test_exposure_when_there_are_several_processes_then_it_is_over_all_their_connections() -> None:
    told = both(server(in_midst(2000, A), in_midst(2000, B), in_midst(2000, C)), server(waits(2000, D), pid=SERVER + 1))
    trial = records(client(phases(), ALL), told)
    assert trial.window is not None
    assert exposure_of(trial, trial.window) == pytest.approx(3 / 4)


def test_disconnects_when_there_are_several_kinds_then_each_has_the_exposure_of_the_trial() -> None:
    rows = check(records(client(phases(), ALL), server(in_midst(2000, A), waits(2000, B)), drops=("rst", "fin"))).rows
    assert rows["exposure"].to_list() == [0.5, 0.5]
