"""Each server there is: the reference app comes up on it, is asked, serves both consumers, and is ended."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from websockets.sync.client import connect

from loadtest.ledger import Event
from loadtest.servers import SERVERS, Server
from loadtest.stack.ports import free_port
from loadtest.stack.process import STOP_GRACE_S
from loadtest.targets.database import Database
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

EVERY = pytest.mark.parametrize("server", SERVERS.values(), ids=list(SERVERS))


@EVERY
@pytest.mark.parametrize("consumer", ["sync", "async"])
def test_server_when_the_app_runs_on_it_then_it_serves_tells_and_ends(
    server: Server, consumer: str, tmp_path: Path, database: Database, ledger: Path
) -> None:
    with reference_app(folder=tmp_path, database=database, server=server, consumer=consumer, ledger=ledger) as target:
        target.prime()
        assert target.open_connections() == 0
        with connect(f"{target.url}/ws/{consumer}/room/lobby/", compression=None) as ws:
            ws.send('{"message": "hello"}')
            assert ws.recv(20) == '{"message": "hello"}'
            assert target.open_connections() == 1
            (held,) = target.read_residue().processes
            assert held.unknown == {}
            assert held.groups is not None and list(held.groups) == ["chat_lobby"]
            began_s = time.monotonic()  # with a client that is still there
            pid = target.pid
            target.stop()
            assert time.monotonic() - began_s < STOP_GRACE_S, "it had to be killed"
        assert not psutil.pid_exists(pid)
        records = target.collect_ledger()
        assert (records.clock_offset_ns, records.clock_bound_ns) == (0, 0)
        events = set(records.in_our_time["event"])
        assert {Event.SCOPE, Event.ACCEPTED, Event.RECEIVE_IN, Event.DISCONNECT_ENTERED} <= events


@EVERY
def test_server_when_asked_what_runs_in_it_then_every_part_has_its_version(
    server: Server, tmp_path: Path, database: Database, ledger: Path
) -> None:
    with reference_app(folder=tmp_path, database=database, server=server, ledger=ledger) as target:
        told = target.identity()
    version, websockets = told[f"server {server.name}"].split(", ")
    assert version == server.version
    assert websockets.split()[-1][0].isdigit()
    assert told["layer inmemory"].startswith("channels ")
    assert told["target's database"].startswith("sqlite 3.")
    assert told["target's python"].startswith("3.")
    assert told["target's django"][0].isdigit()
    assert "unknown" not in " ".join(told.values())


@EVERY
def test_server_when_its_port_is_lost_to_another_then_it_is_started_again_on_the_next(
    server: Server, tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reference_app(folder=tmp_path / "first", database=database) as first:
        ports = iter([first.port, free_port("127.0.0.1")])
        monkeypatch.setattr("loadtest.targets.served.free_port", lambda host: next(ports))
        with reference_app(folder=tmp_path / "second", database=database, server=server) as second:
            assert second.port != first.port
            second.require_alive()
