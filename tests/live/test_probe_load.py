"""What the probe tells of a server's load: busy shares, and the exposure to missed disconnects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import polars as pl
import pytest
from websockets.sync.client import ClientConnection, connect

from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.servers import SERVERS, Server
from loadtest.targets.database import Database
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
MESSAGE = '{"message": "hello"}'
ANSWER_S = 20.0
QUESTIONS = 30
"""Enough that a probe that finds somebody exposed now and then would be caught."""

EVERY = pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS.keys())


@contextmanager
def members(
    count: int, path: str, *, folder: Path, database: Database, ledger: Path, server: Server, consumer: str
) -> Iterator[list[ClientConnection]]:
    """Clients of the reference app."""
    with (
        reference_app(folder=folder, database=database, server=server, consumer=consumer, ledger=ledger) as target,
        ExitStack() as stack,
    ):
        target.prime()
        url = f"{target.url}/ws/{consumer}/{path}"
        yield [stack.enter_context(connect(url, compression=None)) for _ in range(count)]


def told(ledger: Path, event: Event, since_ns: int) -> pl.DataFrame:
    records = read_ledger(ledger, "server")
    return records.filter((pl.col("event") == int(event)) & (pl.col("time_ns") >= since_ns))


def busy_share(ledger: Path, event: Event, since_ns: int) -> float:
    records = told(ledger, event, since_ns)
    return float((records["value"][-1] - records["value"][0]) / (records["time_ns"][-1] - records["time_ns"][0]))


def exposed_share(ledger: Path, since_ns: int) -> float:
    asked, spared = told(ledger, Event.ASKED, since_ns), told(ledger, Event.SPARED, since_ns)
    in_midst = int(asked.filter(code=1)["value"].sum())
    return float((in_midst - int(spared["value"].sum())) / int(asked["value"].sum()))


def speak(clients: list[ClientConnection], messages: int) -> int:
    """Have each client send and get its answers; return when that began."""
    began_ns = time.monotonic_ns()
    for _ in range(messages):
        for client in clients:
            client.send(MESSAGE)
    for client in clients:
        for _ in range(messages):
            assert client.recv(ANSWER_S) == MESSAGE
    return began_ns


@EVERY
def test_exposure_when_nobody_speaks_then_all_are_asked_and_none_is_exposed(
    tmp_path: Path, database: Database, ledger: Path, until: Until, server: Server
) -> None:
    with members(
        2, "room/lobby/", folder=tmp_path, database=database, ledger=ledger, server=server, consumer="async"
    ) as clients:
        assert len(clients) == 2
        since_ns = time.monotonic_ns()

        def questions() -> pl.DataFrame:
            return told(ledger, Event.ASKED, since_ns)

        until(lambda: questions().height >= 4 and questions()["code"][-4:].sum() == 0)
        since_ns = questions()["time_ns"][-4]  # connect() of both is over
        until(lambda: questions().height >= QUESTIONS)
        assert questions()["connection"].n_unique() == 2
        assert questions()["code"].sum() == 0
        assert busy_share(ledger, Event.LOOP_BUSY, since_ns) < 0.9
        assert busy_share(ledger, Event.SYNC_THREAD_BUSY, since_ns) < 0.9


@EVERY
def test_shares_when_sync_handlers_sleep_then_the_thread_is_busy_and_all_are_exposed(
    tmp_path: Path, database: Database, ledger: Path, server: Server
) -> None:
    with members(
        3, "echo/?work=sleep:100", folder=tmp_path, database=database, ledger=ledger, server=server, consumer="sync"
    ) as clients:
        began_ns = speak(clients, messages=8)
        thread = busy_share(ledger, Event.SYNC_THREAD_BUSY, began_ns)
        assert 0.7 < thread <= 1.0
        assert busy_share(ledger, Event.LOOP_BUSY, began_ns) < thread
        assert 0.5 < exposed_share(ledger, began_ns) <= 1.0


def test_shares_when_an_async_handler_computes_then_the_loop_is_busy_and_the_thread_is_not(
    tmp_path: Path, database: Database, ledger: Path
) -> None:
    server = SERVERS["uvicorn"]
    with members(
        1, "echo/?work=cpu:50", folder=tmp_path, database=database, ledger=ledger, server=server, consumer="async"
    ) as clients:
        began_ns = speak(clients, messages=20)
        assert 0.7 < busy_share(ledger, Event.LOOP_BUSY, began_ns) <= 1.0
        assert busy_share(ledger, Event.SYNC_THREAD_BUSY, began_ns) < 0.5
