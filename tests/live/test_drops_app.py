"""Each drop kind against the reference app under the probe, and silent drops, idle and blocker through the bench."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import polars as pl
import pytest

from loadtest.bench.measuring import check_trial
from loadtest.bench.plan import Plan, Trial
from loadtest.bench.trial import TrialSetup, run_trial
from loadtest.checks import TrialRecords
from loadtest.checks.dropped import dropped_connections
from loadtest.checks.records import NS_A_MS
from loadtest.contract import CONNECTION_HEADER
from loadtest.drops import DROPS, Drop
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.report.tables import Tables
from loadtest.targets.control import ask_status
from loadtest.targets.database import Database
from loadtest.targets.reference import PreparedReference
from loadtest.targets.reference import RunningReference as Target
from loadtest.wire import Connection, open_connection, open_until
from tests.again import again_until
from tests.live.reference_app import reference_app
from tests.live.wire_processes import wait_until
from tests.unit.plans import make_plan

pytestmark = pytest.mark.live

POSSIBLE = [kind for kind in DROPS.values() if kind.unavailable() is None]
PING_S = 1.0
SETTLES_S = 15.0
"""Every server process notices every drop within its ping interval and timeout, 2 s; this is for a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What the server recorded of one connection of each kind, dropped in a room of its own."""

    server: pl.DataFrame
    number: dict[str, int]
    still_open: int

    def events(self, kind: Drop) -> list[Event]:
        """Return what happened to the connection that was dropped so, in order."""
        mine = self.server.filter(pl.col("connection") == self.number[kind.name])
        return [Event(event) for event in mine["event"]]


@pytest.fixture(scope="module", params=["sync", "async"])
def everything_dropped(
    request: pytest.FixtureRequest, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dropped]:
    """One connection of each kind, dropped while the server has nothing else to do."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "ledger").mkdir()
    numbers = {kind.name: (1 << 24) + number for number, kind in enumerate(POSSIBLE, 1)}
    target = reference_app(
        database=database,
        folder=folder,
        ledger=folder / "ledger",
        ping_interval_s=PING_S,
        ping_timeout_s=PING_S,
    )
    held: list[Connection] = []
    with target:
        for kind in POSSIBLE:
            held += dropped(kind, target, request.param, numbers[kind.name])
        wait_until(lambda: not still_open(target), "the server's notice of every drop", SETTLES_S)
        left = still_open(target)
        for connection in held:
            connection.reset()
    yield Dropped(server=read_ledger(folder / "ledger", "server"), number=numbers, still_open=left)


def dropped(kind: Drop, target: Target, consumer: str, number: int) -> list[Connection]:
    """Open, use and drop a connection; return it if it is to be held."""
    url = f"{target.url}/ws/{consumer}/room/{kind.name}/"
    headers = [(CONNECTION_HEADER, str(number))]
    if kind.stage == "open":
        came_back: list[Any] = []
        connection = open_connection(
            url, connection_id=number, headers=headers, on_message=lambda *arguments: came_back.append(arguments)
        )
        connection.send('{"message": "hello"}')
        wait_until(lambda: came_back, "the message's return")
    else:
        connection = open_until(kind.stage, url, connection_id=number, headers=headers)
    kind.drop(connection)
    return [connection] if kind.holds else []


def still_open(target: Target) -> int:
    return sum(status.open for status in ask_status(target.control).answered)


def test_drops_when_the_server_pings_then_none_is_open_for_good(everything_dropped: Dropped) -> None:
    assert everything_dropped.still_open == 0


@pytest.mark.parametrize("kind", POSSIBLE, ids=lambda kind: kind.name)
def test_drop_when_the_reference_app_serves_then_its_ledger_is_of_one_piece(
    everything_dropped: Dropped, kind: Drop
) -> None:
    events = everything_dropped.events(kind)
    if kind.stage == "half-request":
        assert events == [], "half a request reaches no application"
        return
    assert events[0] is Event.SCOPE
    assert events[-1] is Event.TASK_ENDED
    for once in (Event.SCOPE, Event.TASK_ENDED, Event.CONNECT_IN, Event.DISCONNECT_ENTERED):
        assert events.count(once) <= 1, once.name
    assert (Event.DISCONNECT_ENTERED in events) == (Event.DISCONNECT_RETURNED in events)
    assert Event.DISCONNECT_ENTERED in events or Event.SEND_RAISED in events, "a reason why it was not called"
    if kind.stage == "open":
        assert Event.ACCEPTED in events and Event.RECEIVE_IN in events


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    trial: Trial
    plan: Plan
    records: TrialRecords
    tables: Tables


def carried_out(database: Database, folder: Path, **given: Any) -> Outcome:
    beside_others = {"pin": False, "allow_contention": True}
    chosen = {"consumers": "async", "layers": "inmemory", "trials": 1, "warm_up": 0.2, "load": "fixed"}
    plan = make_plan({**chosen, **beside_others, **given})
    (trial,) = plan.trials_in_order()
    setup = TrialSetup(plan=plan, target=PreparedReference(database=database))
    records = run_trial(trial, setup, folder / "trial").records
    tables, _ = check_trial(trial, records)
    return Outcome(trial=trial, plan=plan, records=records, tables=tables)


@pytest.fixture(scope="module")
def churn(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A trial in which every kind falls at least twice."""
    return carried_out(
        database,
        tmp_path_factory.mktemp("churn"),
        scenarios="churn",
        drops=[kind.name for kind in POSSIBLE],
        duration=2,
        users=60,
        drop_share=0.7,
    )


def test_bench_when_all_drops_are_mixed_then_every_connection_is_accounted_for(churn: Outcome) -> None:
    rows = churn.tables.frame("disconnects")
    assert set(rows["drop"]) == {kind.name for kind in POSSIBLE}
    assert (rows["dropped"] == rows["disconnect_called"] + rows["missed"] + rows["unknown"]).all()
    assert (rows["dropped"] + rows["never_reached"] >= 2).all()
    assert rows["unknown"].sum() == 0
    assert rows.filter(rows["never_reached"] > 0)["drop"].to_list() == ["upgrade-half"]


def test_bench_when_drops_are_silent_then_they_are_held_until_all_was_measured(churn: Outcome) -> None:
    assert churn.plan.server_ping == "1/1"
    assert churn.records.settled_ns is not None
    each = dropped_connections(churn.records).filter(pl.col("drop").is_in(["zombie", "blackhole", "never-reader"]))
    assert each["task_left"].sum() == 0, "each came to its end while it was held, not when it was let go of"
    lasted = each.select((pl.col("ended_ns") - pl.col("dropped_ns")) / NS_A_MS).to_series()
    # The median: on a very busy machine a server gives up on a healthy client, and that may be the one we drop
    assert median(lasted) > 100, f"nothing but a ping without an answer tells the server: {lasted.to_list()}"


def test_bench_when_the_held_are_ended_by_the_server_then_no_failure_is_counted(churn: Outcome, tmp_path: Path) -> None:
    ended = churn.records.client_events(Event.PEER_CLOSED)["connection"]
    dropped = churn.records.client_events(Event.DROPPED)
    assert set(ended) <= set(dropped["connection"])
    assert len(ended), "a half-closed one reads that the server has ended it"
    assert churn.tables.frame("throughput")["ended_unexpectedly"].to_list() == [0]


def test_bench_when_drops_act_in_the_opening_then_no_member_loses_its_connection(churn: Outcome) -> None:
    early = churn.records.client_events(Event.DROPPED).filter(pl.col("text").is_in(["upgrade-half", "upgrade-gone"]))
    opened = churn.records.client_events(Event.OPENED)
    assert set(early["connection"]).isdisjoint(opened["connection"])


def test_idle_when_the_layer_is_redis_as_in_the_tutorials_then_someone_dies_unasked(
    database: Database, tmp_path: Path
) -> None:
    def idle(number: int) -> Any:
        folder = tmp_path / str(number)
        folder.mkdir()
        outcome = carried_out(database, folder, scenarios="idle", layers="redis-stock", users=10, duration=6)
        return outcome.tables.frame("throughput").to_dicts()[0]

    row = again_until(lambda row: row["valid"] == "yes", idle)
    assert row["ended_unexpectedly"] >= 1
    assert (row["sent"], row["received"], row["messages_per_s"]) == (0, 0, 0.0)
    assert row["latency_ms_p50"] is None
    assert row["valid"] == "yes"


def test_blocker_when_its_handler_burns_cpu_then_the_others_wait_and_only_they_are_measured(
    database: Database, tmp_path: Path
) -> None:
    outcome = carried_out(database, tmp_path, scenarios="blocker", blocker_work="cpu:400", users=6, duration=2)
    row = outcome.tables.frame("throughput").to_dicts()[0]
    assert row["latency_ms_max"] > 200, row
    assert row["sent"] == pytest.approx(5 * 10 * 2, rel=0.3)
    foreign = outcome.records.client_events(Event.FOREIGN)
    assert 1 <= foreign["connection"].n_unique() <= foreign.height <= 6
    assert outcome.tables.frame("delivery")["lost"].to_list() == [0]
    assert outcome.tables.frame("residue").filter(kind="presence rows")["left"].to_list() == [0]


def test_bench_when_a_generator_is_killed_then_every_connection_it_held_is_accounted_for(
    database: Database, tmp_path: Path
) -> None:
    outcome = carried_out(database, tmp_path, scenarios="churn", drops="sigkill", users=21, room_size=7, duration=2)
    row = outcome.tables.frame("disconnects").to_dicts()[0]
    assert (row["dropped"], row["disconnect_called"] + row["missed"], row["unknown"]) == (10, 10, 0)
    killed = outcome.records.client_events(Event.DROPPED)
    opening = outcome.records.client_events(Event.OPENING)
    assert killed["pid"].n_unique() == 1 and set(killed["pid"]) < set(opening["pid"])
    members = opening.join(killed.select("connection", dropped=pl.lit(True)), on="connection", how="left")
    rooms = members.group_by("text").agg(pl.col("dropped").is_null().sum().alias("left"), pl.len())
    assert rooms["len"].to_list() == [7, 7, 7] and set(rooms["left"]) <= {3, 4}, "each room has members of both"
    assert outcome.tables.frame("throughput")["valid"].to_list() == ["yes"]
    assert outcome.tables.frame("throughput")["ended_unexpectedly"].to_list() == [0]
