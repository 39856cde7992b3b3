"""The contract of every check: its columns, what it says when it fails, and that no trial is too empty for it."""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings

from loadtest.bench.measuring import check_trial
from loadtest.bench.plan import Trial
from loadtest.checks import CHECKS, Check, CheckResult, TrialRecords, run_check
from loadtest.checks import dropped as dropped_module
from loadtest.dimensions import CellKey
from loadtest.ledger.reader import SCHEMA
from loadtest.report.columns import KEY_NAMES, TABLES
from loadtest.report.tables import Tables
from tests.unit.checks.histories import (
    STEADY,
    A,
    B,
    C,
    client,
    dropped,
    entered,
    joined,
    peer_closed,
    phases,
    reasons,
    received,
    records,
    scope,
    sent,
    server,
)
from tests.unit.checks.random_histories import History, histories

TRIAL = Trial(
    cell=CellKey(server="uvicorn", workers=1, layer="inmemory", consumer="sync", scenario="churn", drop="mixed"),
    number=1,
    seed=1,
)
EVERY_CHECK = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)

TWO_JOINED = [*joined(100, A), *joined(100, B, member=1)]
GOOD = records(
    client(phases(), TWO_JOINED, sent(2000, A, 1), received(2001, A, A, 1), received(2002, B, A, 1), dropped(2500, B)),
    server(scope(99, A), scope(99, B), entered(2510, B)),
    drops=("rst", "fin"),
    users=2,
)


def broken(_trial: TrialRecords) -> CheckResult:
    raise KeyError("no such thing")


def own_columns(table: str) -> set[str]:
    """The columns of a table that a check has to fill: all its figures, and the key column it may override."""
    return {column.name for column in TABLES[table].figures}


@EVERY_CHECK
def test_columns_when_compared_with_the_results_format_then_they_are_the_same(check: Check) -> None:
    assert set(check.columns) - set(KEY_NAMES) == own_columns(check.table.name)


@EVERY_CHECK
def test_rows_when_a_trial_is_good_then_they_have_the_columns_and_nothing_else(check: Check) -> None:
    finding = run_check(check, GOOD)
    assert set(finding.rows.columns) == set(check.columns)
    assert not any("failed" in why for _, why in finding.unknown)


@EVERY_CHECK
def test_check_when_it_fails_then_each_column_without_a_figure_is_unknown_with_the_reason(check: Check) -> None:
    finding = run_check(dataclasses.replace(check, run=broken), GOOD)
    told = reasons(finding)
    known = {column.name for column in finding.rows if not column.null_count()}
    assert known <= {"drop", "kind", "users", "valid"}
    assert told.keys() == own_columns(check.table.name) - known
    assert all(check.name in why and "no such thing" in why for why in told.values())


def test_validity_check_when_it_fails_then_the_trial_is_not_valid() -> None:
    (throughput,) = (check for check in CHECKS if check.name == "throughput")
    finding = run_check(dataclasses.replace(throughput, run=broken), GOOD)
    assert finding.rows["valid"].to_list() == ["no"]
    assert "no such thing" in finding.invalid[0]


@EVERY_CHECK
def test_blank_rows_when_a_check_fails_then_the_results_take_them(check: Check) -> None:
    checks = [dataclasses.replace(one, run=broken) if one is check else one for one in CHECKS]
    tables, _ = check_trial(TRIAL, GOOD, checks)
    assert tables.frame("unknown").filter(tables.frame("unknown")["why"].str.contains("no such thing")).height > 0


def nothing_recorded() -> TrialRecords:
    return records(drops=("rst",), before=(), after=(), after_unknown="no process of the server answered")


def only_the_client() -> TrialRecords:
    return dataclasses.replace(GOOD, server=server())


def only_the_server() -> TrialRecords:
    return dataclasses.replace(GOOD, client=client())


def phases_and_nothing_else() -> TrialRecords:
    return records(client(phases()), drops=("rst",))


def no_samples() -> TrialRecords:
    return dataclasses.replace(GOOD, samples=GOOD.samples.clear())


@pytest.mark.parametrize(
    "trial", [nothing_recorded, only_the_client, only_the_server, phases_and_nothing_else, no_samples]
)
def test_campaign_when_records_are_empty_then_the_trial_is_saved_and_says_what_is_not_known(trial: Any) -> None:
    of = trial()
    assert of.client.schema == SCHEMA
    tables, invalid = check_trial(TRIAL, of)
    assert isinstance(tables, Tables)
    assert tables.frame("throughput")["valid"].to_list() == ["no" if invalid else "yes"]
    assert invalid or trial is only_the_client, "without the generator's ledger and samples no trial is valid"
    assert tables.frame("disconnects")["drop"].to_list() == list(of.drops)
    assert tables.frame("disconnects")["missed"].sum() == 0, "what was not seen is unknown, never missed"


@settings(max_examples=15)
@given(histories())
def test_campaign_when_the_history_is_random_then_the_sums_hold_and_no_check_fails(history: History) -> None:
    tables, _ = check_trial(TRIAL, history.records())
    assert not tables.frame("unknown")["why"].str.contains("failed").any()
    for row in tables.frame("disconnects").to_dicts():
        assert row["dropped"] == row["disconnect_called"] + row["missed"] + row["unknown"]
    for row in tables.frame("delivery").to_dicts():
        assert row["expected"] == row["delivered"] + row["lost"] + row["unknown"]


def test_campaign_when_several_kinds_are_dropped_then_each_row_names_its_kind_and_the_others_the_cell() -> None:
    tables, _ = check_trial(TRIAL, GOOD)
    assert tables.frame("disconnects")["drop"].to_list() == ["rst", "fin"]
    assert tables.frame("delivery")["drop"].to_list() == ["mixed"]


def test_campaign_when_a_check_names_a_connection_then_the_results_name_it_with_its_trial() -> None:
    missed = dataclasses.replace(GOOD, server=server(scope(99, A), scope(99, B)))
    lines = [*TWO_JOINED, *(sent(2000 + 100 * n, A, n) for n in range(9)), received(2001, A, A, 0)]
    lines += [received(2001, B, A, 0), *joined(100, C, member=2, room="other"), peer_closed(3000, C)]
    silent = records(client(phases(), lines))
    assert check_trial(TRIAL, missed)[0].frame("disconnects")["example"].to_list() == [f"{TRIAL.folder}:{B}", ""]
    tables, _ = check_trial(TRIAL, silent)
    assert tables.frame("throughput")["unexpected_example"].item() == f"{TRIAL.folder}:{C}"
    assert tables.frame("delivery")["lost_example"].item() in {f"{TRIAL.folder}:{one}" for one in (A, B)}
    assert tables.frame("delivery")["deaf_example"].item() in {f"{TRIAL.folder}:{one}" for one in (A, B)}


def test_dropped_connections_when_two_checks_need_them_then_they_are_worked_out_once_a_trial(monkeypatch: Any) -> None:
    asked: list[TrialRecords] = []
    audit_of = dropped_module._audit

    def audit(trial: TrialRecords) -> pl.DataFrame:
        asked.append(trial)
        return audit_of(trial)

    monkeypatch.setattr(dropped_module, "_audit", audit)
    one, other = dataclasses.replace(GOOD), dataclasses.replace(GOOD)
    for trial in (one, other):
        check_trial(TRIAL, trial)
    assert [trial is one for trial in asked] == [True, False]
    assert len(asked) == 2


def test_dropped_connections_when_they_cannot_be_worked_out_then_the_columns_of_both_checks_are_unknown(
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(dropped_module, "_audit", broken)
    tables, _ = check_trial(TRIAL, dataclasses.replace(GOOD))
    assert tables.frame("disconnects")["missed"].to_list() == [None, None]
    reasons = dict(tables.frame("unknown").select("column", "why").rows())
    assert "'disconnects' failed" in reasons["disconnects.missed"]
    assert "'drops' failed" in reasons["drops.verdict"]


def test_window_when_a_phase_was_not_reached_then_there_is_none() -> None:
    assert records(client(phases()[:-2])).window is None
    window = GOOD.window
    assert window is not None and window.start_ns == STEADY * 1_000_000 and window.duration_s == 4
