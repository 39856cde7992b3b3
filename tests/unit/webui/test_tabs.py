"""Tabs: every row of each is a figure of a check, as a person reads it; what is not known is not 0."""

from __future__ import annotations

import pytest

from loadtest.bench.measuring import check_trial
from loadtest.bench.plan import Trial
from loadtest.checks import TrialRecords
from loadtest.dimensions import CellKey
from loadtest.webui.stage.stand import missed_in
from loadtest.webui.stage.tabs import TABS, Shown, Tab
from loadtest.webui.state import Row
from tests.unit.checks.histories import (
    A,
    B,
    client,
    dropped,
    ended,
    entered,
    joined,
    phases,
    records,
    scope,
    send_raised,
    server,
)

TRIAL = Trial(
    cell=CellKey(server="uvicorn", workers=1, layer="redis", consumer="sync", scenario="churn", drop="rst"),
    number=1,
    seed=1,
)
BY_KEY = {tab.key: tab for tab in TABS}


def shown(trial: TrialRecords, *, undecided: int = 0, is_over: bool = True) -> Shown:
    tables, invalid = check_trial(TRIAL, trial)
    return Shown(tables=tables, invalid=invalid, undecided=undecided, is_over=is_over)


@pytest.fixture
def two_drops() -> TrialRecords:
    """One that disconnect() was called for, and one that was missed."""
    return records(
        client(phases(), joined(100, A, member=0), joined(100, B, member=1), dropped(3000, A), dropped(3000, B)),
        server(
            scope(90, A), scope(90, B), entered(3010, A), ended(3011, A), send_raised(3005, B),
            ended(3006, B, "ClientDisconnected"),
        ),
        drops=("rst",),
        users=2,
    )  # fmt: skip


def figures(tab: Tab, of: Shown) -> dict[str, Row]:
    return {row["figure"]: row for row in tab.rows(of)}


def test_drops_when_one_of_two_was_missed_then_both_counts_and_the_interval_are_told(two_drops: TrialRecords) -> None:
    (row,) = BY_KEY["drops"].rows(shown(two_drops))
    assert (row["kind"], row["dropped"], row["called"], row["missed"]) == ("rst", "2", "1", "1")
    assert row["share"].startswith("50 % (")
    assert row["p99"] == "?", "of two drops there is no p99"


def test_drops_when_some_are_not_decided_then_a_row_of_their_own_says_so(two_drops: TrialRecords) -> None:
    rows = list(BY_KEY["drops"].rows(shown(two_drops, undecided=3, is_over=False)))
    assert {key: text for key, text in rows[-1].items() if text} == {"kind": "not decided yet", "dropped": "3"}


def test_missed_when_asked_for_then_each_has_its_cause_and_the_newest_is_first(two_drops: TrialRecords) -> None:
    tables = shown(two_drops).tables
    count, newest = missed_in(tables, 10)
    assert count == 1
    assert [(one.connection, one.cause) for one in newest] == [(B, "send to the gone client raised")]
    assert missed_in(tables, 0) == (1, ())


def test_left_behind_when_connections_are_still_open_then_nothing_is_called_left(two_drops: TrialRecords) -> None:
    rows = list(BY_KEY["left"].rows(shown(two_drops, is_over=False)))
    assert {row["left"] for row in rows} == {"known when all connections are gone"}
    assert {row["left"] for row in BY_KEY["left"].rows(shown(two_drops))} <= {"0", "?"}


def test_validity_when_figures_do_not_count_then_each_reason_has_a_row(two_drops: TrialRecords) -> None:
    of = shown(two_drops)
    told = Shown(tables=of.tables, invalid=("the machine slept", "steal"), undecided=0, is_over=True)
    assert [row["meaning"] for row in BY_KEY["validity"].rows(told) if row["figure"] == "not valid"] == [
        "the machine slept",
        "steal",
    ]


@pytest.mark.parametrize("tab", TABS, ids=lambda tab: tab.key)
def test_tab_when_filled_then_its_rows_have_its_headings_and_texts_only(tab: Tab, two_drops: TrialRecords) -> None:
    rows = list(tab.rows(shown(two_drops)))
    assert rows
    for row in rows:
        assert row.keys() <= tab.headings.keys()
        assert all(isinstance(value, str) for value in row.values())
        assert "nan" not in row.values()


def test_server_when_filled_then_load_and_what_it_holds_are_there(two_drops: TrialRecords) -> None:
    there = figures(BY_KEY["server"], shown(two_drops))
    assert {"open_sockets", "utilisation", "sync_thread_busy", "stalled_ms", "asyncio tasks", "group members"} <= {
        *there
    }
