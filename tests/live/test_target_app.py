"""The reference app: what each consumer does on each layer, seen from outside."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from loadtest.brokers.redis import RedisServer
from loadtest.contract import ProcessResidue
from loadtest.layers import LAYERS
from loadtest.targets.control import ask_residue, ask_status
from loadtest.targets.database import MANAGE, Database
from loadtest.targets.reference import RunningReference as Target
from target_app.consumers import CONSUMERS
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
ANSWER_S = 20.0

EVERY_CONSUMER = pytest.mark.parametrize("consumer", [row.name for row in CONSUMERS])
PLAIN_CONSUMER = pytest.mark.parametrize("consumer", [row.name for row in CONSUMERS if not row.variant_of])
LASTING = [layer.name for layer in LAYERS.values() if "group_expiry" not in layer.config]
"""Layers whose members stay until they leave; tests/live/test_cures.py has the other one."""
NUMBERS = iter(range(1000, 1_000_000))
"""Connection ids and room names, so that tests on one server do not meet."""


@pytest.fixture(scope="module", params=LASTING)
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Database, valkey: RedisServer
) -> Iterator[Target]:
    """A target on each layer in turn."""
    folder = tmp_path_factory.mktemp(request.param)
    yield from running(request.param, folder, database, valkey)


@pytest.fixture(scope="module")
def in_memory(tmp_path_factory: pytest.TempPathFactory, database: Database, valkey: RedisServer) -> Iterator[Target]:
    """A target on the in-memory layer, where the layer does not matter."""
    yield from running("inmemory", tmp_path_factory.mktemp("one"), database, valkey)


def running(layer: str, folder: Path, database: Database, valkey: RedisServer) -> Iterator[Target]:
    (folder / "ledger").mkdir()
    with reference_app(
        layer=LAYERS[layer],
        database=database,
        folder=folder,
        broker=valkey,
        ledger=folder / "ledger",
    ) as target:
        yield target
        target.require_alive()


def opened(target: Target, path: str, number: int | None = None) -> ClientConnection:
    headers = {} if number is None else {"X-Loadtest-Connection": str(number)}
    return connect(f"{target.url}/ws/{path}", additional_headers=headers, compression=None)


def text(message: str) -> str:
    return json.dumps({"message": message})


def residue(target: Target) -> ProcessResidue:
    (found,) = ask_residue(target.control).answered
    assert found.unknown == {}
    return found


def members(target: Target, room: str) -> int:
    return len((residue(target).groups or {}).get(f"chat_{room}", []))


def online(target: Target, number: int) -> bool:
    return number in present(target)


def present(target: Target) -> list[int | str]:
    told = residue(target).presence
    return told if isinstance(told, list) else []


@EVERY_CONSUMER
def test_echo_when_a_message_is_sent_then_it_comes_back_as_json(target: Target, consumer: str) -> None:
    with opened(target, f"{consumer}/echo/") as ws:
        for message in ("hello", "", "Grüße 👋", "x" * 10_000):
            ws.send(text(message))
            assert ws.recv(ANSWER_S) == text(message)


@EVERY_CONSUMER
def test_room_when_a_member_sends_then_all_members_of_that_room_receive(target: Target, consumer: str) -> None:
    room, other = f"r{next(NUMBERS)}", f"r{next(NUMBERS)}"
    with (
        opened(target, f"{consumer}/room/{room}/") as first,
        opened(target, f"{consumer}/room/{room}/") as second,
        opened(target, f"{consumer}/room/{other}/") as outsider,
    ):
        for sender in (first, second):
            sender.send(text("hello"))
            assert [ws.recv(ANSWER_S) for ws in (first, second)] == [text("hello")] * 2
        outsider.send(text("alone"))
        assert outsider.recv(ANSWER_S) == text("alone")


@EVERY_CONSUMER
@pytest.mark.parametrize("route", ["echo", "room"])
def test_presence_when_opened_and_closed_then_online_and_offline_and_the_group_is_left(
    target: Target, consumer: str, route: str, until: Until
) -> None:
    number = next(NUMBERS)
    path = f"{consumer}/echo/" if route == "echo" else f"{consumer}/room/r{number}/"
    with opened(target, path, number):
        assert online(target, number)
        assert members(target, f"r{number}") == (route == "room")
    until(lambda: not online(target, number) and not members(target, f"r{number}"))


@EVERY_CONSUMER
def test_guard_when_the_task_ends_without_disconnect_then_only_the_guarded_clean_up(
    target: Target, consumer: str, until: Until
) -> None:
    """Text that is no JSON makes receive() raise: the task ends there, just as when a send raises."""
    number = next(NUMBERS)
    with opened(target, f"{consumer}/room/r{number}/", number) as ws:
        ws.send("no json")
        with pytest.raises(ConnectionClosed):
            ws.recv(ANSWER_S)
    if consumer.endswith("guarded"):
        until(lambda: not online(target, number) and not members(target, f"r{number}"))
    else:
        assert members(target, f"r{number}") == 1
        assert online(target, number) or consumer.endswith("heartbeat"), "without a heartbeat it never expires"


@pytest.mark.parametrize("consumer", ["sync-guarded", "async-guarded"])
def test_guard_when_members_are_reset_while_the_room_is_busy_then_nothing_of_them_stays(
    target: Target, consumer: str, until: Until, request: pytest.FixtureRequest
) -> None:
    if "redis-stock" in request.node.name:
        pytest.skip("on redis-stock members die by themselves, the sender of this test too")
    room, numbers = f"r{next(NUMBERS)}", [next(NUMBERS) for _ in range(10)]
    with ExitStack() as closing, opened(target, f"{consumer}/room/{room}/") as sender:
        doomed = [closing.enter_context(opened(target, f"{consumer}/room/{room}/", number)) for number in numbers]
        stop = threading.Event()
        talking = threading.Thread(target=talk, args=(sender, stop))
        talking.start()
        try:
            for ws in doomed:
                ws.recv(ANSWER_S)
                reset(ws)
            until(lambda: members(target, room) == 1)
            until(lambda: not set(numbers) & set(present(target)))
            until(lambda: ask_status(target.control).answered[0].open == 1)
        finally:
            stop.set()
            talking.join()


def talk(sender: ClientConnection, stop: threading.Event) -> None:
    """Send without end, one message for each that comes back."""
    while not stop.is_set():
        sender.send(text("busy"))
        sender.recv(ANSWER_S)


def reset(ws: ClientConnection) -> None:
    """End the connection with RST."""
    ws.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(ws.socket.detach())


@PLAIN_CONSUMER
def test_work_sleep_when_asked_then_an_answer_takes_that_long(in_memory: Target, consumer: str) -> None:
    assert seconds_for_an_answer(in_memory, f"{consumer}/echo/?work=sleep:150") >= 0.15


@PLAIN_CONSUMER
def test_work_cpu_when_asked_then_the_server_spends_that_much(in_memory: Target, consumer: str) -> None:
    before = cpu_s(in_memory)
    assert seconds_for_an_answer(in_memory, f"{consumer}/echo/?work=cpu:400") >= 0.4
    assert cpu_s(in_memory) - before >= 0.2  # the system's books are kept by clock ticks, not as finely as our own


@PLAIN_CONSUMER
@pytest.mark.parametrize("work", ["none", "orm", "sleep:0", "cpu:0"])
def test_work_when_any_kind_then_the_answer_is_the_same(in_memory: Target, consumer: str, work: str) -> None:
    with opened(in_memory, f"{consumer}/echo/?work={work}") as ws:
        ws.send(text("hello"))
        assert ws.recv(ANSWER_S) == text("hello")


def test_work_sleep_when_async_then_others_are_served_meanwhile_and_when_sync_not(in_memory: Target) -> None:
    assert seconds_for_two(in_memory, "async/echo/?work=sleep:500") < 1.0
    assert seconds_for_two(in_memory, "sync/echo/?work=sleep:500") >= 1.0


def seconds_for_an_answer(target: Target, path: str) -> float:
    with opened(target, path) as ws:
        start = time.monotonic()
        ws.send(text("hello"))
        ws.recv(ANSWER_S)
        return time.monotonic() - start


def seconds_for_two(target: Target, path: str) -> float:
    with opened(target, path) as first, opened(target, path) as second:
        start = time.monotonic()
        first.send(text("hello"))
        second.send(text("hello"))
        first.recv(ANSWER_S)
        second.recv(ANSWER_S)
        return time.monotonic() - start


def cpu_s(target: Target) -> float:

    times = psutil.Process(target.pid).cpu_times()
    used_s: float = times.user + times.system
    return used_s


@PLAIN_CONSUMER
@pytest.mark.parametrize("work", ["nap:5", "sleep", "sleep:-1", "sleep:x", "sleep:60001", "cpu:1.5", "orm:1", ""])
@pytest.mark.parametrize("route", ["echo", "room/r1"])
def test_work_when_unknown_then_the_connection_is_refused(
    in_memory: Target, consumer: str, work: str, route: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(in_memory, f"{consumer}/{route}/?work={work}")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["none/echo/", "sync/room/", "sync/room/%20/", "sync/room/" + "x" * 81 + "/", "none"])
def test_route_when_there_is_none_then_the_connection_is_refused(in_memory: Target, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(in_memory, path)
    assert refused.value.response.status_code == 403


def test_room_when_its_name_is_as_long_as_can_be_then_it_works(in_memory: Target) -> None:
    with opened(in_memory, f"async/room/{'x' * 80}/") as ws:
        ws.send(text("hello"))
        assert ws.recv(ANSWER_S) == text("hello")


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "1.5", ""])
def test_presence_when_the_header_is_no_number_then_the_connection_has_none(in_memory: Target, number: str) -> None:
    headers = {"X-Loadtest-Connection": number}
    with connect(f"{in_memory.url}/ws/sync/echo/", additional_headers=headers) as ws:
        ws.send(text("hello"))
        assert ws.recv(ANSWER_S) == text("hello")
        assert residue(in_memory).presence == []


def test_presence_when_many_open_and_close_at_once_then_no_write_fails(in_memory: Target, until: Until) -> None:
    def come_and_go(consumer: str) -> None:
        for _ in range(15):
            with opened(in_memory, f"{consumer}/echo/?work=orm", next(NUMBERS)) as ws:
                ws.send(text("hello"))
                ws.recv(ANSWER_S)

    threads = [threading.Thread(target=come_and_go, args=(row.name,)) for row in CONSUMERS for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until(lambda: residue(in_memory).presence == [])
    assert "locked" not in in_memory.process.log_tail(1000)


def test_page_when_fetched_then_it_offers_each_consumer_and_loads_nothing_from_elsewhere(
    in_memory: Target,
) -> None:
    with urllib.request.urlopen(in_memory.url.replace("ws:", "http:")) as answer:
        page = answer.read().decode()
    assert all(f'value="{row.name}"' in page for row in CONSUMERS)
    assert "http://" not in page and "https://" not in page and "src=" not in page


def test_healthz_when_the_database_is_not_migrated_then_503(database: Database, tmp_path: Path) -> None:
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    code = (
        "import django; django.setup()\n"
        "from django.test import RequestFactory\n"
        "from target_app.views import healthz\n"
        "answer = healthz(RequestFactory().get('/healthz'))\n"
        "print(answer.status_code, answer.content.decode())\n"
    )
    env["DJANGO_SETTINGS_MODULE"] = "target_app.settings"
    said = subprocess.check_output([sys.executable, "-c", code], env=env, text=True)
    assert said.startswith("503 OperationalError: no such table")


def test_manage_when_run_from_anywhere_then_checks_pass_and_no_migration_is_missing(tmp_path: Path) -> None:
    env = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/any.sqlite3"}
    for command in (["check", "--fail-level", "WARNING"], ["makemigrations", "--check", "--dry-run"]):
        subprocess.run([sys.executable, str(MANAGE), *command], env=env, cwd=tmp_path, check=True)
