"""Cures on a real server: of a drop that the plain consumers miss for certain, what each cure lets stay."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from loadtest.brokers.redis import RedisServer
from loadtest.contract import ProcessResidue
from loadtest.layers import LAYERS
from loadtest.targets.control import ask_residue, ask_status
from loadtest.targets.database import Database
from loadtest.targets.reference import RunningReference as Target
from target_app.consumers import CONSUMERS
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

ANSWER_S = 20.0
LAST_WORDS = 10
"""So many are certain to have an answer before the disconnect is handled: see loadtest/drops/burst_close.py."""
NUMBERS = {row.name: 1000 + place for place, row in enumerate(CONSUMERS)}
"""The connection that each consumer has, in a room of that name."""
PLAIN = {"sync", "async"}
CLEANING = {name for name in NUMBERS if name.endswith(("guarded", "caught"))}


@pytest.fixture
def target(tmp_path: Path, database: Database, valkey: RedisServer) -> Iterator[Target]:
    (tmp_path / "ledger").mkdir()
    layer = LAYERS["redis-short-expiry"]
    with reference_app(
        layer=layer, database=database, folder=tmp_path, broker=valkey, ledger=tmp_path / "ledger"
    ) as target:
        yield target
        target.require_alive()


def test_cures_when_a_drop_is_missed_for_certain_then_each_leaves_what_it_says(
    target: Target, until: Callable[[Callable[[], object]], None]
) -> None:
    with ExitStack() as staying:
        for consumer, number in NUMBERS.items():
            leave_in_the_midst(opened(target, consumer, consumer, number))
        for consumer in ("async", "async-heartbeat", "sync", "sync-heartbeat"):
            staying.enter_context(opened(target, consumer, f"stays-{consumer}", 2000 + NUMBERS[consumer]))
        until(lambda: ask_status(target.control).answered[0].open == 4)

        at_once = dropped_and_online(target)
        assert at_once >= PLAIN, "the plain ones missed it"
        assert not at_once & CLEANING, "the guard and the caught send had disconnect() called"

        until(lambda: dropped_and_online(target) == PLAIN)  # presence with a heartbeat has expired
        until(lambda: rooms(target) == {"stays-async-heartbeat", "stays-sync-heartbeat"})
        assert {2000 + NUMBERS[name] for name in ("async-heartbeat", "sync-heartbeat")} <= present(target)


def opened(target: Target, consumer: str, room: str, number: int) -> ClientConnection:
    headers = {"X-Loadtest-Connection": str(number)}
    return connect(f"{target.url}/ws/{consumer}/room/{room}/", additional_headers=headers, compression=None)


def leave_in_the_midst(ws: ClientConnection) -> None:
    """Say some last words and close in one piece: when the first comes back, the client is gone."""
    for _ in range(LAST_WORDS):
        ws.protocol.send_text(json.dumps({"message": "bye"}).encode())
    ws.protocol.send_close(1000)
    ws.socket.sendall(b"".join(ws.protocol.data_to_send()))
    ws.socket.close()


def residue(target: Target) -> ProcessResidue:
    (found,) = ask_residue(target.control).answered
    assert found.unknown == {}
    return found


def present(target: Target) -> set[int | str]:
    told = residue(target).presence
    assert isinstance(told, list)
    return set(told)


def dropped_and_online(target: Target) -> set[str]:
    online = present(target)
    return {consumer for consumer, number in NUMBERS.items() if number in online}


def rooms(target: Target) -> set[str]:
    """Those that still have a member."""
    return {group.removeprefix("chat_") for group, members in (residue(target).groups or {}).items() if members}
