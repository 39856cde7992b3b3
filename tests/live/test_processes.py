"""Locust in several processes, as people run it: the members are one crowd, and every process drops its own."""

from __future__ import annotations

import polars as pl
import pytest

from loadtest.ledger import Event, Phase
from loadtest.ledger.reader import read_ledger
from loadtest.targets.database import Database
from tests.live.reference_app import reference_app
from tests.live.test_locustfiles import USERS, Locust

pytestmark = pytest.mark.live

OPTIONS = ("--processes=2", "--rate=4", "--room-size=4", "--drop-share=1", "--offline=0.2")


@pytest.fixture(scope="module", params=["free", "phases"])
def client(
    request: pytest.FixtureRequest, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> pl.DataFrame:
    """The ledger of both processes; with phases, and without them."""
    folder = tmp_path_factory.mktemp(f"processes-{request.param}")
    (ledger := folder / "ledger").mkdir()
    phases = () if request.param == "free" else ("--steady=3", "--warm-up=0.5", "--drain=2")
    with reference_app(folder=folder, database=database) as target:
        locust = Locust(
            "churn", target.url, folder / "run", *OPTIONS, *phases, f"--ledger={ledger}", run_s=None if phases else 4
        )
        code, out = locust.ended()
    assert code == 0, out
    assert "Traceback" not in out
    assert locust.failures() == {}
    assert len(list(ledger.glob("client-*-1.ledger"))) == 2, "a file for each process, none for the master"
    return read_ledger(ledger, "client").with_columns(phased=pl.lit(bool(phases)))


def of_each(client: pl.DataFrame, event: Event) -> list[pl.DataFrame]:
    """Return the records of an event, by process."""
    return client.filter(event=int(event)).partition_by("pid")


def test_processes_when_they_share_the_users_then_no_connection_has_the_name_of_another(client: pl.DataFrame) -> None:
    ids = [set(records["connection"]) for records in of_each(client, Event.OPENING)]
    assert len(ids) == 2
    assert not ids[0] & ids[1]
    assert {one >> 24 for one in ids[0] | ids[1]} == {1, 2}


def test_processes_when_they_share_the_users_then_members_are_numbered_round_robin(client: pl.DataFrame) -> None:
    members = sorted(sorted(set(records["value"])) for records in of_each(client, Event.OPENING))
    assert members == [list(range(0, USERS, 2)), list(range(1, USERS, 2))]
    rooms = client.filter(event=int(Event.OPENING)).group_by("text").agg(pl.col("value").unique().sort())
    assert sorted(rooms["value"].to_list()) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_processes_when_all_members_of_all_are_open_then_each_drops_its_own(client: pl.DataFrame) -> None:
    dropped = of_each(client, Event.DROPPED)
    assert len(dropped) == 2
    all_open_ns = max(max(records.head(USERS // 2)["time_ns"]) for records in of_each(client, Event.OPENED))
    assert all(min(records["time_ns"]) > all_open_ns for records in dropped)
    owners = [{one >> 24 for one in records["connection"]} for records in dropped]
    assert sorted(map(sorted, owners)) == [[1], [2]]
    assert not set(dropped[0]["time_ns"]) & set(dropped[1]["time_ns"])


def test_processes_when_there_are_phases_then_one_of_them_marks_each_once(client: pl.DataFrame) -> None:
    marks = client.filter(event=int(Event.PHASE))
    wanted = [int(phase) for phase in Phase] if client["phased"].all() else []
    assert marks["code"].to_list() == wanted
    assert set(marks["pid"]) <= {client.filter(pl.col("connection") // 2**24 == 1)["pid"][0]}


def test_received_messages_when_members_are_of_both_processes_then_they_come_from_both(client: pl.DataFrame) -> None:
    received = client.filter(event=int(Event.RECEIVED)).select("pid", generator=pl.col("value") // 2**56)
    assert received.unique().height == 4
