"""Connections that ended or did not open by themselves, told from those that we gave up."""

import pytest

from loadtest.checks.open_failures import NO_REASON, open_failures
from loadtest.checks.throughput.audit import check
from loadtest.checks.timeline import check as check_timeline
from loadtest.checks.unexpected_ends import ended_unexpectedly
from tests.unit.checks.histories import (
    A,
    B,
    C,
    Line,
    client,
    closed,
    dropped,
    joined,
    open_failed,
    opening,
    peer_closed,
    phases,
    records,
)


def test_unexpected_ends_when_the_server_ends_a_connection_then_it_is_counted() -> None:
    trial = records(client(phases(), joined(100, A), joined(100, B), peer_closed(2000, A)))
    assert ended_unexpectedly(trial).to_list() == [A]


@pytest.mark.parametrize("given_up", [dropped(1900, A), closed(1900, A)])
def test_unexpected_ends_when_we_had_given_it_up_then_its_end_is_not_counted(given_up: Line) -> None:
    assert ended_unexpectedly(records(client(phases(), joined(100, A), given_up, peer_closed(2000, A)))).is_empty()


def test_unexpected_ends_when_told_twice_then_it_is_counted_once() -> None:
    twice = (peer_closed(2000, A), peer_closed(2001, A))
    assert ended_unexpectedly(records(client(phases(), joined(100, A), twice))).to_list() == [A]


def test_open_sockets_when_a_connection_dies_in_its_opening_then_it_was_never_among_them() -> None:
    gone = [opening(2000, B), *dropped(2001, B, "upgrade-half")]
    rows = check_timeline(records(client(phases(), joined(100, A), gone))).rows
    assert rows.filter(rows["t_s"] == 0.0)["open_sockets"].item() == 1
    assert set(rows.filter(rows["t_s"] >= 0.0)["open_sockets"]) == {1}
    assert rows["dropped"].sum() == 1


def test_open_failures_when_a_connection_could_not_be_opened_then_it_is_counted_with_its_reason() -> None:
    trial = records(client(phases(), joined(100, A), open_failed(2000, B), open_failed(2100, C, None)))
    assert open_failures(trial).to_list() == ["refused 403", NO_REASON]
    row = check(trial).rows.row(0, named=True)
    assert row["open_failed"] == 2
    assert {pair["value"]: pair["count"] for pair in row["open_failures"]} == {"refused 403": 1, NO_REASON: 1}


def test_open_failures_when_it_was_dropped_while_it_opened_then_it_is_no_failure() -> None:
    gone = [*dropped(1999, B, "upgrade-half"), *open_failed(2000, B)]
    row = check(records(client(phases(), joined(100, A), gone))).rows.row(0, named=True)
    assert (row["open_failed"], row["open_failures"]) == (0, [])
