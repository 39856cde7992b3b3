"""So far: what the checks are given of a test that still runs; nothing under way is called lost or missed."""

from __future__ import annotations

import pytest

from loadtest.checks import CHECKS, TrialRecords, run_check
from loadtest.ledger.record import Event
from loadtest.webui.stage.so_far import as_if_over, ends_ns, without_undecided
from tests.unit.checks.histories import (
    NS_A_MS,
    RECOVER,
    STEADY,
    A,
    B,
    Line,
    client,
    dropped,
    ended,
    entered,
    joined,
    phases,
    receive_in,
    received,
    records,
    scope,
    sent,
    server,
)

NOW_MS = 4000
BEGUN = [line for line in phases() if line.t_ms < RECOVER]


def running(*lines: Line | list[Line]) -> TrialRecords:
    return records(as_if_over(client(BEGUN, *lines), NOW_MS * NS_A_MS), server(scope(90, A), receive_in(3990, A)))


@pytest.mark.parametrize(
    ("until_ms", "now_ms", "ends_ms"),
    [(-1, 4000, None), (600, 4000, None), (STEADY, 2000, None), (STEADY, 4000, 3300), (RECOVER, 5001, RECOVER)],
)
def test_end_when_the_test_still_runs_then_it_is_as_far_as_samples_go_and_after_each_mark(
    until_ms: int, now_ms: int, ends_ms: int | None
) -> None:
    ledger = client([line for line in phases() if line.t_ms <= until_ms])
    assert ends_ns(ledger, now_ms * NS_A_MS) == (None if ends_ms is None else ends_ms * NS_A_MS)


def test_window_when_the_test_still_runs_then_it_ends_now() -> None:
    window = running().window
    assert window is not None
    assert (window.end_ns, window.closing_ns) == (NOW_MS * NS_A_MS, NOW_MS * NS_A_MS)
    assert not window.fell_quiet


def test_window_when_the_test_has_ended_then_it_is_left_as_it_was() -> None:
    whole = client(phases())
    assert as_if_over(whole, 9000 * NS_A_MS).equals(whole)


def test_delivery_when_a_message_is_under_way_then_it_is_not_called_lost() -> None:
    trial = running(joined(100, A, member=0), sent(2000, A, 1), received(2005, A, A, 1), sent(3999, A, 2))
    (delivery,) = (run_check(check, trial).rows for check in CHECKS if check.name == "delivery")
    assert delivery.select("expected", "delivered", "lost", "unknown").row(0) == (2, 1, 0, 1)


def test_checks_when_the_test_still_runs_then_none_of_them_fails() -> None:
    trial = running(joined(100, A, member=0), sent(2000, A, 1), received(2005, A, A, 1), dropped(3000, A))
    for check in CHECKS:
        assert not [why for _, why in run_check(check, trial).unknown if "failed" in why]


@pytest.mark.parametrize(
    ("on_server", "is_left_out"),
    [([], True), ([entered(3010, A)], False), ([ended(3010, A, "ClientDisconnected")], False)],
)
def test_drop_when_the_server_has_not_decided_then_it_is_left_out_and_counted(
    on_server: list[Line], is_left_out: bool
) -> None:
    ledger = client(BEGUN, joined(100, A), joined(100, B), dropped(1500, B), dropped(3000, A))
    left, undecided = without_undecided(ledger, server(scope(90, A), *on_server), since_ns=2000 * NS_A_MS)
    drops = left.filter(left["event"] == int(Event.DROPPED))["connection"].to_list()
    assert undecided == int(is_left_out)
    assert drops == ([B] if is_left_out else [B, A]), "an old one stays: it is missed by now"
