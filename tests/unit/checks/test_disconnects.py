"""Disconnects and what became of each drop: histories of a few lines, one good, the others with a known defect."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.checks import dropped as words
from loadtest.checks.disconnects.audit import check
from loadtest.checks.dropped import dropped_connections
from loadtest.checks.drops import check as check_each
from loadtest.checks.kind import CheckResult
from loadtest.checks.records import TrialRecords
from tests.unit.checks.histories import (
    SERVER,
    STEADY,
    A,
    B,
    C,
    Line,
    accepted,
    both,
    channel,
    client,
    disconnect_in,
    dropped,
    ended,
    entered,
    held,
    joined,
    opening,
    phases,
    raised,
    reasons,
    receive_in,
    records,
    returned,
    scope,
    send_raised,
    server,
    truncated,
)

DROPPED_AT = 2000
ONE_1006 = {"value": "1006", "count": 1}


def cleaned_up(connection: int, *, code: int = 1006, after_ms: float = 10) -> list[Line]:
    """What a server records that does all right."""
    at = DROPPED_AT + after_ms
    return [
        scope(99, connection),
        channel(99, connection, f"specific.{connection}"),
        accepted(100, connection),
        disconnect_in(at - 1, connection, code),
        entered(at, connection, code),
        returned(at + 1, connection),
        ended(at + 2, connection),
    ]


def up_and_running(connection: int) -> list[Line]:
    """What a server records of a connection that goes on."""
    return [scope(99, connection), channel(99, connection, f"specific.{connection}"), accepted(100, connection)]


def gone(*connections: int, kind: str | None = "rst") -> list[Line]:
    """What the client records of connections that it opened and dropped."""
    return [
        line
        for member, connection in enumerate(connections)
        for line in (*joined(100, connection, member=member), *dropped(DROPPED_AT, connection, kind))
    ]


def trial(lines: list[Line], *on_server: Line | list[Line], **others: Any) -> TrialRecords:
    return records(client(phases(), lines), server(*on_server), **{"drops": ("rst",), **others})


def row(finding: CheckResult) -> dict[str, Any]:
    assert finding.rows.height == 1
    return finding.rows.row(0, named=True)


def verdicts(of: TrialRecords) -> dict[int, tuple[str, str | None]]:
    return {connection: (verdict, cause) for connection, verdict, cause in
            dropped_connections(of).select("connection", "verdict", "cause").iter_rows()}  # fmt: skip


def test_disconnects_when_all_is_cleaned_up_then_nothing_is_missed_or_left() -> None:
    finding = check(trial(gone(A, B), cleaned_up(A), cleaned_up(B, code=1005, after_ms=30)))
    assert finding.unknown == ()
    assert row(finding) == {
        "drop": "rst", "dropped": 2, "disconnect_called": 2, "missed": 0, "unknown": 0, "exposure": None,
        "missed_share": 0.0, "missed_share_low": 0.0, "missed_share_high": pytest.approx(0.658, abs=0.001),
        "detect_ms_p50": pytest.approx(10, abs=21), "detect_ms_p99": None, "detect_ms_max": 30, "detect_error_ms": 0,
        "codes": [{"value": "1005", "count": 1}, ONE_1006],
        "groups_left": 0, "tasks_left": 0, "presence_left": 0, "never_reached": 0,
        "noticed": 2, "returned": 2, "raised": 0, "queues_left": 0, "subscriptions_left": 0, "causes": [],
        "example": "",
    }  # fmt: skip


def test_disconnects_when_a_connection_was_dropped_before_the_window_then_it_does_not_count() -> None:
    in_warm_up = [*joined(100, B, member=1), *dropped(STEADY - 1, B, "rst")]
    found = trial([*gone(A), *in_warm_up], cleaned_up(A), up_and_running(B))
    assert row(check(found))["dropped"] == 1
    assert dropped_connections(found)["connection"].to_list() == [A]


def test_disconnects_when_a_connection_is_dropped_then_its_age_is_since_it_was_open() -> None:
    found = trial([*gone(A), opening(1500, B), *dropped(DROPPED_AT, B, "rst")], cleaned_up(A))
    ages = dropped_connections(found)["age_s"].to_list()
    assert ages == [pytest.approx(DROPPED_AT / 1000 - 0.1, abs=0.002), None]


def test_disconnects_when_disconnect_is_never_entered_then_it_is_missed() -> None:
    figures = row(check(trial(gone(A, B), cleaned_up(A), up_and_running(B))))
    assert (figures["dropped"], figures["disconnect_called"], figures["missed"], figures["unknown"]) == (2, 1, 1, 0)
    assert (figures["tasks_left"], figures["codes"], figures["example"]) == (1, [ONE_1006], str(B))


def test_disconnects_when_entered_only_as_the_server_was_stopped_then_it_is_missed_and_its_task_was_left() -> None:
    late = trial(gone(A), up_and_running(A), entered(9000, A, 1012), ended(9001, A), settled_ns=8_000_000_000)
    figures = row(check(late))
    assert (figures["disconnect_called"], figures["missed"], figures["tasks_left"]) == (0, 1, 1)
    assert (figures["codes"], figures["detect_ms_max"]) == ([], None)


def test_disconnects_when_entered_several_times_then_the_first_counts_and_nothing_is_multiplied() -> None:
    lines = [*cleaned_up(A), entered(2500, A, 1000), entered(2600, A, 1001), ended(2700, A)]
    figures = row(check(trial(gone(A), lines)))
    assert (figures["dropped"], figures["disconnect_called"]) == (1, 1)
    assert (figures["codes"], figures["detect_ms_max"]) == ([ONE_1006], 10)


def test_disconnects_when_a_connection_comes_twice_in_the_ledgers_then_it_is_one() -> None:
    twice = trial([*gone(A), *dropped(2100, A)], cleaned_up(A), [scope(3000, A), scope(3001, A)])
    assert row(check(twice))["dropped"] == 1


def test_disconnects_when_the_process_is_gone_then_it_is_unknown_and_never_missed() -> None:
    two_processes = both(server(cleaned_up(A)), server(up_and_running(B), pid=22))
    finding = check(records(client(phases(), gone(A, B)), two_processes, drops=("rst",)))
    figures = row(finding)
    assert (figures["dropped"], figures["disconnect_called"], figures["missed"], figures["unknown"]) == (2, 1, 0, 1)
    assert figures["tasks_left"] is None
    assert "22" in reasons(finding)["unknown"]
    assert "tasks_left" in reasons(finding)


def test_disconnects_when_two_processes_live_then_each_drop_is_looked_up_in_its_own() -> None:
    two_processes = both(server(up_and_running(A)), server(cleaned_up(B), pid=22))
    figures = row(check(records(client(phases(), gone(A, B)), two_processes, drops=("rst",), after=(held(), held(22)))))
    assert (figures["disconnect_called"], figures["missed"], figures["unknown"]) == (1, 1, 0)


def test_disconnects_when_the_residue_was_not_read_then_only_what_was_seen_is_known() -> None:
    finding = check(trial(gone(A, B), cleaned_up(A), up_and_running(B), after=(), after_unknown="it did not answer"))
    figures = row(finding)
    assert (figures["disconnect_called"], figures["missed"], figures["unknown"]) == (1, 0, 1)
    assert [figures[name] for name in ("groups_left", "tasks_left", "presence_left", "queues_left")] == [None] * 4
    why = reasons(finding)
    assert all("it did not answer" in why[name] for name in ("unknown", "groups_left", "tasks_left"))


def test_disconnects_when_the_task_ended_before_the_process_died_then_it_is_missed() -> None:
    gone_by_a_send = [*up_and_running(B), send_raised(2010, B, "Gone"), ended(2011, B, "Gone")]
    found = trial(gone(A, B), cleaned_up(A), gone_by_a_send, after=(), after_unknown="nobody was there to read it")
    assert verdicts(found) == {A: ("called", None), B: ("missed", words.SEND_RAISED)}


def test_disconnects_when_the_task_was_cancelled_and_the_process_died_then_it_is_unknown() -> None:
    cancelled = [*up_and_running(A), ended(2011, A, words.CANCELLED)]
    assert verdicts(trial(gone(A), cancelled, after=(), after_unknown="it is gone")) == {A: ("unknown", None)}
    assert verdicts(trial(gone(A), cancelled)) == {A: ("missed", words.HANDLER_RAISED)}


def test_disconnects_when_one_process_did_not_answer_then_groups_are_unknown() -> None:
    finding = check(trial(gone(A), cleaned_up(A), after_unknown="process 22 did not answer: timed out"))
    assert row(finding)["groups_left"] is None
    assert "22" in reasons(finding)["groups_left"]


def test_disconnects_when_one_process_could_not_read_its_layer_then_groups_are_unknown() -> None:
    broken = held(22, groups=None, queues=None, unknown={"groups": "no reader", "queues": "no reader"})
    finding = check(trial(gone(A), cleaned_up(A), after=(held(), broken)))
    figures = row(finding)
    assert (figures["groups_left"], figures["queues_left"], figures["presence_left"]) == (None, None, 0)
    assert "process 22: no reader" in reasons(finding)["groups_left"]


def test_disconnects_when_a_ledger_was_cut_then_what_is_not_in_it_is_unknown() -> None:
    finding = check(trial(gone(A, B), cleaned_up(A), up_and_running(B), truncated(1900)))
    figures = row(finding)
    assert (figures["disconnect_called"], figures["missed"], figures["unknown"]) == (1, 0, 1)
    assert (figures["tasks_left"], figures["groups_left"]) == (None, None)
    assert "could not grow" in reasons(finding)["unknown"]


def test_disconnects_when_it_died_in_the_upgrade_then_it_was_never_reached_and_not_dropped() -> None:
    before_the_answer = [opening(1999, B), *dropped(DROPPED_AT, B)]
    figures = row(check(trial([*gone(A), *before_the_answer], cleaned_up(A))))
    assert (figures["dropped"], figures["disconnect_called"], figures["never_reached"]) == (1, 1, 1)
    assert (figures["tasks_left"], figures["groups_left"], figures["unknown"]) == (0, 0, 0)


def test_disconnects_when_the_server_let_it_in_but_did_not_record_it_then_it_is_unknown() -> None:
    finding = check(trial(gone(A, B), cleaned_up(A)))
    figures = row(finding)
    assert (figures["dropped"], figures["unknown"], figures["never_reached"], figures["groups_left"]) == (2, 1, 0, None)
    assert "not in its ledger" in reasons(finding)["unknown"]


def test_disconnects_when_the_server_was_ending_it_already_then_it_is_called_without_a_detection_time() -> None:
    figures = row(check(trial(gone(A), cleaned_up(A, after_ms=-5))))
    assert (figures["disconnect_called"], figures["detect_ms_p50"], figures["detect_ms_max"]) == (1, None, None)


def test_disconnects_when_nothing_was_dropped_then_each_planned_kind_has_a_row_of_zeroes() -> None:
    finding = check(trial([], drops=("fin", "rst")))
    assert finding.rows["drop"].to_list() == ["fin", "rst"]
    assert finding.rows.select("dropped", "missed", "unknown", "groups_left", "tasks_left").rows() == [(0,) * 5] * 2
    assert finding.rows["detect_ms_p50"].to_list() == [None, None]
    assert finding.unknown == ()


def test_disconnects_when_kinds_are_mixed_then_each_has_its_own_row() -> None:
    lines = [*gone(A), *gone(B, kind="fin"), *gone(C, kind="fin")]
    mixed = trial(lines, cleaned_up(A), up_and_running(B), cleaned_up(C), drops=("fin", "rst"))
    rows = check(mixed).rows.select("drop", "dropped", "disconnect_called", "missed").rows()
    assert rows == [("fin", 2, 1, 1), ("rst", 1, 1, 0)]


@pytest.mark.parametrize("kind", [None, "no such kind"])
def test_disconnects_when_a_drop_is_of_no_planned_kind_then_that_is_said(kind: str | None) -> None:
    finding = check(trial(gone(A, kind=kind), cleaned_up(A)))
    assert row(finding)["dropped"] == 0
    assert "1 connections were dropped" in reasons(finding)["dropped"]


def test_disconnects_when_no_drops_were_planned_then_there_are_no_rows() -> None:
    finding = check(trial([], drops=()))
    assert finding.rows.is_empty()
    assert finding.unknown == ()


def test_disconnects_when_something_is_left_then_it_is_charged_to_the_dropped_connection() -> None:
    left = held(
        groups={"chat": [f"specific.{A}", f"specific.{C}", "of somebody else"]},
        queues={f"specific.{A}": 3, f"specific.{B}": 0},
        subscriptions=["__group__chat", f"specific.{A}", f"specific.{B}"],
        presence=[B, 77],
    )
    figures = row(check(trial(gone(A, B), cleaned_up(A), cleaned_up(B), up_and_running(C), after=(left,))))
    assert [figures[name] for name in ("groups_left", "queues_left", "presence_left")] == [1, 1, 1]
    assert figures["subscriptions_left"] == 2


def test_disconnects_when_the_app_does_not_tell_who_is_online_then_presence_is_unknown() -> None:
    finding = check(trial(gone(A), cleaned_up(A), after=(held(presence=None),)))
    assert row(finding)["presence_left"] is None
    assert "does not tell" in reasons(finding)["presence_left"]


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ([], [f"specific.{A}"], 1),
        (["old.channel"], ["old.channel"], 0),
        (3, 3, 0),
        ([], ["user 7"], None),
        (0, 2, None),
    ],
)
def test_disconnects_when_the_app_tells_names_or_a_number_then_presence_is_known_where_they_are_of_connections(
    before: Any, after: Any, left: int | None
) -> None:
    lines = trial(gone(A), cleaned_up(A), before=(held(presence=before),), after=(held(presence=after),))
    finding = check(lines)
    assert row(finding)["presence_left"] == left
    why = reasons(finding).get("presence_left")
    assert why == (None if left is not None else "the app tells how many are left, and not of which connections")


def test_disconnects_when_disconnect_raises_then_it_was_called_and_did_not_return() -> None:
    lines = [*up_and_running(A), entered(2010, A), raised(2011, A), ended(2012, A, "ValueError")]
    figures = row(check(trial(gone(A), lines)))
    assert (figures["disconnect_called"], figures["returned"], figures["raised"], figures["tasks_left"]) == (1, 0, 1, 0)


@pytest.mark.parametrize(
    ("lines", "busy", "cause"),
    [
        ([*up_and_running(A), send_raised(2001, A), ended(2002, A, "ClientDisconnected")], {}, words.SEND_RAISED),
        ([*up_and_running(A), receive_in(2001, A), ended(2002, A, "KeyError")], {}, words.HANDLER_RAISED),
        ([*up_and_running(A), ended(2002, A)], {}, words.ENDED_SILENTLY),
        ([scope(99, A)], {A: "websocket.connect"}, words.CONNECT_RUNNING),
        (up_and_running(A), {A: "chat.message"}, words.HANDLER_BUSY),
        ([*up_and_running(A), disconnect_in(2001, A)], {A: ""}, words.HANDLER_BUSY),
        (up_and_running(A), {A: ""}, words.NOT_NOTICED),
    ],
)
def test_dropped_connections_when_missed_then_the_cause_is_told(
    lines: list[Line], busy: dict[int, str], cause: str
) -> None:
    assert verdicts(trial(gone(A), lines, after=(held(busy=busy),))) == {A: ("missed", cause)}


def test_dropped_connections_when_called_then_there_is_no_cause() -> None:
    assert verdicts(trial(gone(A), cleaned_up(A))) == {A: ("called", None)}


def test_dropped_connections_when_the_server_pid_is_alive_then_it_is_the_one_that_answered() -> None:
    assert dropped_connections(trial(gone(A), cleaned_up(A)))["pid"].to_list() == [SERVER]


def test_each_drop_when_audited_then_its_times_count_from_the_drop_and_what_never_came_is_blank() -> None:
    rows = check_each(trial(gone(A, B), cleaned_up(A, after_ms=10), up_and_running(B))).rows
    columns = ("connection", "noticed_ms", "detect_ms", "returned", "ended_ms", "task_left")
    assert sorted(rows.select(columns).rows()) == [(A, 9, 10, 1, 12, 0), (B, None, None, None, None, 1)]


def test_disconnects_when_there_is_no_probe_then_only_what_clients_did_is_known_and_nothing_is_0() -> None:
    trial = records(
        _dropped_twice(), server(), drops=("rst",), before=(), after=(), after_unknown="no probe", unprobed="no probe"
    )
    result = check(trial)
    (row,) = result.rows.to_dicts()
    assert (row["drop"], row["dropped"], row["unknown"]) == ("rst", 2, 2)
    assert {name for name, value in row.items() if value is not None} == {"drop", "dropped", "unknown"}
    told = reasons(result)
    assert told.pop("unknown") == "2 dropped connections: no probe"
    assert set(told.values()) == {"no probe"}
    assert told.keys() == row.keys() - {"drop", "dropped", "unknown"}


@pytest.mark.parametrize(("entered_ms", "detect_ms"), [(1999.9, 0.0), (1999.0, None), (2000.4, 0.4)])
def test_disconnects_when_the_servers_clock_is_of_another_machine_then_times_within_its_bound_are_0(
    entered_ms: float, detect_ms: float | None
) -> None:
    ledger = server(scope(90, A), accepted(95, A), entered(entered_ms, A), returned(2003, A), ended(2004, A))
    ours = client(phases(), joined(100, A), dropped(2000, A))
    (row,) = check(records(ours, ledger, drops=("rst",), clock_bound_ns=200_000)).rows.to_dicts()
    assert row["detect_error_ms"] == 0.2
    assert row["disconnect_called"] == 1
    assert row["detect_ms_max"] == (None if detect_ms is None else pytest.approx(detect_ms))


def _dropped_twice() -> Any:
    return client(phases(), joined(100, A), joined(100, B, member=1), dropped(2000, A), dropped(2100, B))
