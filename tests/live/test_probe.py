"""The probe: what the server's ledger says of each connection, on the reference app and on a project unlike it."""

import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from loadtest.brokers.redis import RedisServer
from loadtest.layers import LAYERS
from loadtest.ledger import Event
from loadtest.ledger.reader import read_ledger
from loadtest.ledger.record import SERVER_NAMED
from loadtest.stack.folders import short_folder
from loadtest.stack.process import Process
from loadtest.targets.control import ask_residue, ask_status
from loadtest.targets.database import Database
from loadtest.targets.reference import RunningReference as Target
from tests.live.reference_app import reference_app

pytestmark = pytest.mark.live

Until = Callable[[Callable[[], object]], None]
APPS = Path(__file__).with_name("apps")
ANSWER_S = 20.0
NUMBERS = iter(range(1, 1_000_000))

Step = str | tuple[str, object]
"""An event's name, and where it matters its code, value or text."""


class Chat:
    """The small project under uvicorn."""

    def __init__(self, port: int, ledger: Path, control: Path, process: Process) -> None:
        self.port = port
        self.ledger = ledger
        self.control = control
        self.process = process

    def open(self, path: str, number: int | None = None) -> ClientConnection:
        headers = {} if number is None else {"X-Loadtest-Connection": str(number)}
        return connect(f"ws://127.0.0.1:{self.port}/{path}/", additional_headers=headers, compression=None)

    def events(self, number: int) -> list[Step]:
        return [step for _, step in numbered_steps(self.ledger, number)]

    def ended(self, number: int) -> bool:
        return any(name == "TASK_ENDED" for name, _ in map(pair, self.events(number)))


@contextmanager
def chat_server(folder: Path, env: Mapping[str, str]) -> Iterator[tuple[Process, int]]:
    command = [sys.executable, "-m", "uvicorn", "chat.asgi:application", "--port", "0", "--lifespan", "off"]
    env = {**os.environ, "PYTHONPATH": str(APPS), **env}
    with Process(command, name="chat", log=folder / "chat.log", env=env, cwd=folder) as process:
        while not (found := re.search(r"running on http://127\.0\.0\.1:(\d+)", process.log_tail())):
            assert process.wait(0.02) is None, process.log_tail()
        yield process, int(found[1])


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    """The project with the probe recording; at the end it is still alive."""
    folder = tmp_path_factory.mktemp("chat")
    ledger = folder / "ledger"
    ledger.mkdir()
    with short_folder() as control:
        env = {"LOADTEST_LEDGER": str(ledger), "LOADTEST_CONTROL": str(control)}
        with chat_server(folder, env) as (process, port):
            yield Chat(port, ledger, control, process)
            assert process.alive, process.log_tail()
            process.stop(grace_s=0)  # one of its consumers hangs


def numbered_steps(ledger: Path, number: int) -> list[tuple[int, Step]]:
    """A connection's events in order, each with its time, without the samples of its exposure."""
    asked = pl.col("event").is_in([int(Event.ASKED), int(Event.SPARED)])
    records = read_ledger(ledger, "server").filter(~asked, connection=number)
    return [(row["time_ns"], step_of(row)) for row in records.iter_rows(named=True)]


def step_of(row: Mapping[str, Any]) -> Step:
    name = Event(row["event"]).name
    detail = row["text"] or row["code"] or row["value"]
    if name == "CHANNEL" or not detail:
        return name
    return name, detail


def pair(step: Step) -> tuple[str, object]:
    return (step, None) if isinstance(step, str) else step


def begun(path: str, consumer: str, *groups: str) -> list[Step]:
    added: list[Step] = [("GROUP_ADDED", group) for group in groups]
    return [("SCOPE", f"/{path}/"), ("CONSUMER", f"chat.consumers.{consumer}"), "CHANNEL", "CONNECT_IN", *added]


def left(code: int, *groups: str) -> list[Step]:
    discarded: list[Step] = [("GROUP_DISCARDED", group) for group in groups]
    return [("DISCONNECT_IN", code), *discarded, ("DISCONNECT_ENTERED", code), "DISCONNECT_RETURNED", "TASK_ENDED"]


@pytest.mark.parametrize(("path", "consumer"), [("json", "Json"), ("async-json", "AsyncJson")])
def test_ledger_when_a_json_consumer_answers_and_is_left_then_each_event_is_there_once(
    chat: Chat, until: Until, path: str, consumer: str
) -> None:
    number = next(NUMBERS)
    with chat.open(path, number) as ws:
        for text in ('{"a": 1}', '{"b": "é"}'):
            ws.send(text)
            assert json.loads(ws.recv(ANSWER_S)) == json.loads(text)
    until(lambda: chat.ended(number))
    taken: list[Step] = [("RECEIVE_IN", 8), ("RECEIVE_IN", 10)]
    assert chat.events(number) == [*begun(path, consumer), "ACCEPTED", *taken, *left(1000)]


@pytest.mark.parametrize(
    ("path", "consumer", "groups"),
    [
        ("grouped", "Grouped", ["everyone"]),
        ("async-grouped", "AsyncGrouped", ["everyone", "nobody"]),
        ("mixed-in", "MixedIn", ["everyone", "nobody"]),
    ],
)
def test_ledger_when_a_consumer_has_groups_then_joining_and_leaving_each_is_there_and_disconnect_once(
    chat: Chat, until: Until, path: str, consumer: str, groups: list[str]
) -> None:
    number = next(NUMBERS)
    with chat.open(path, number) as ws:
        ws.close(4321)
    until(lambda: chat.ended(number))
    assert chat.events(number) == [*begun(path, consumer, *groups), "ACCEPTED", *left(4321, *groups)]


@pytest.mark.parametrize(
    ("path", "consumer"), [("raises", "Raises"), ("async-raises", "AsyncRaises"), ("decorated", "Decorated")]
)
def test_ledger_when_disconnect_raises_then_its_exception_and_the_tasks_are_there(
    chat: Chat, until: Until, path: str, consumer: str
) -> None:
    number = next(NUMBERS)
    with chat.open(path, number):
        pass
    until(lambda: chat.ended(number))
    assert chat.events(number) == [
        *(*begun(path, consumer), "ACCEPTED", ("DISCONNECT_IN", 1000), ("DISCONNECT_ENTERED", 1000)),
        *(("DISCONNECT_RAISED", "LookupError"), ("TASK_ENDED", "LookupError")),
    ]


def test_ledger_when_disconnect_runs_in_the_database_thread_then_it_is_entered_and_returned(
    chat: Chat, until: Until
) -> None:
    number = next(NUMBERS)
    with chat.open("in-database-thread", number):
        pass
    until(lambda: chat.ended(number))
    assert chat.events(number) == [*begun("in-database-thread", "InDatabaseThread"), "ACCEPTED", *left(1000)]


def test_ledger_when_the_app_calls_disconnect_itself_then_it_works_and_is_recorded_too(
    chat: Chat, until: Until
) -> None:
    number = next(NUMBERS)
    with chat.open("by-keyword", number) as ws:
        ws.send("go")
        until(lambda: "DISCONNECT_RETURNED" in chat.events(number))
    until(lambda: chat.ended(number))
    by_hand: list[Step] = [("RECEIVE_IN", 2), ("DISCONNECT_ENTERED", 4000), "DISCONNECT_RETURNED"]
    assert chat.events(number) == [*begun("by-keyword", "ByKeyword"), "ACCEPTED", *by_hand, *left(1000)]


@pytest.mark.parametrize(("path", "consumer", "code"), [("rejects", "Rejects", 4403), ("denies", "Denies", 1000)])
def test_ledger_when_a_consumer_rejects_then_so_it_stands_there_and_not_as_a_close(
    chat: Chat, until: Until, path: str, consumer: str, code: int
) -> None:
    number = next(NUMBERS)
    with pytest.raises(InvalidStatus, match="403"):
        chat.open(path, number)
    until(lambda: chat.ended(number))
    assert chat.events(number)[:5] == [*begun(path, consumer), ("REJECTED", code)]
    assert names(chat.events(number)).isdisjoint({"ACCEPTED", "CLOSE_OUT"})


def test_ledger_when_connect_raises_then_the_task_ends_with_it_and_nothing_was_accepted(
    chat: Chat, until: Until
) -> None:
    number = next(NUMBERS)
    with pytest.raises(InvalidStatus, match="500"):
        chat.open("raises-in-connect", number)
    until(lambda: chat.ended(number))
    ended: Step = ("TASK_ENDED", "PermissionError")
    assert chat.events(number) == [*begun("raises-in-connect", "RaisesInConnect"), ended]


def test_ledger_when_a_consumer_closes_then_its_code_and_the_disconnect_after_it_are_there(
    chat: Chat, until: Until
) -> None:
    number = next(NUMBERS)
    with chat.open("closes-itself", number) as ws:
        ws.send("go")
        with pytest.raises(ConnectionClosed, match="4001"):
            ws.recv(ANSWER_S)
    until(lambda: chat.ended(number))
    began: list[Step] = [*begun("closes-itself", "ClosesItself"), "ACCEPTED", ("RECEIVE_IN", 2), ("CLOSE_OUT", 4001)]
    assert chat.events(number) == [*began, *left(4001)]


def test_ledger_when_receive_raises_then_the_task_ends_with_it_and_disconnect_never_runs(
    chat: Chat, until: Until
) -> None:
    number = next(NUMBERS)
    with chat.open("raises-in-receive", number) as ws:
        ws.send("go")
        with pytest.raises(ConnectionClosed):
            ws.recv(ANSWER_S)
    until(lambda: chat.ended(number))
    assert chat.events(number) == [
        *(*begun("raises-in-receive", "RaisesInReceive"), "ACCEPTED"),
        *(("RECEIVE_IN", 2), ("TASK_ENDED", "ZeroDivisionError")),
    ]


def test_ledger_when_disconnect_hangs_then_it_is_entered_and_not_returned_and_the_task_is_still_open(
    chat: Chat, until: Until
) -> None:
    number = next(NUMBERS)
    with chat.open("hangs", number):
        pass
    until(lambda: ("DISCONNECT_ENTERED", 1000) in chat.events(number))
    (status,) = ask_status(chat.control).answered
    assert status.open == 1
    assert chat.events(number)[-1] == ("DISCONNECT_ENTERED", 1000)


def test_ledger_when_a_client_vanishes_then_the_code_is_the_servers_own(chat: Chat, until: Until) -> None:
    number = next(NUMBERS)
    with chat.open("async-json", number) as ws:
        ws.socket.shutdown(2)
        until(lambda: chat.ended(number))
    codes = [detail for name, detail in map(pair, chat.events(number)) if name.startswith("DISCONNECT_") and detail]
    assert len(codes) == 2
    assert codes[0] == codes[1]


def test_ledger_when_a_connection_has_no_name_of_ours_then_the_server_names_it(chat: Chat, until: Until) -> None:
    def unnamed() -> set[int]:
        connections = read_ledger(chat.ledger, "server")["connection"].unique()
        return {number for number in connections if number >= SERVER_NAMED}

    before = unnamed()
    headers = [None, "-5", "no number", "99999999999999999999", "1.5", ""]
    for header in headers:
        extra = {} if header is None else {"X-Loadtest-Connection": header}
        with connect(f"ws://127.0.0.1:{chat.port}/async-json/", additional_headers=extra):
            pass
    until(lambda: all(chat.ended(number) for number in unnamed()))
    new = unnamed() - before
    assert len(new) == len(headers)
    for number in new:
        assert chat.events(number) == [*begun("async-json", "AsyncJson"), "ACCEPTED", *left(1000)]


def test_ledger_when_two_connections_come_with_one_name_then_the_second_gets_its_own(chat: Chat, until: Until) -> None:
    number = next(NUMBERS)
    with chat.open("async-json", number), chat.open("async-json", number) as second:
        second.send("{}")
        second.recv(ANSWER_S)
    until(lambda: chat.ended(number))
    assert chat.events(number) == [*begun("async-json", "AsyncJson"), "ACCEPTED", *left(1000)]


def test_ledger_when_the_server_is_killed_then_what_was_recorded_can_be_read(tmp_path: Path, until: Until) -> None:
    with chat_server(tmp_path, {"LOADTEST_LEDGER": str(tmp_path)}) as (process, port):
        url = f"ws://127.0.0.1:{port}/async-grouped/"
        with suppress(ConnectionClosed), connect(url, additional_headers={"X-Loadtest-Connection": "7"}):
            until(lambda: "ACCEPTED" in [step for _, step in numbered_steps(tmp_path, 7)])
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(ANSWER_S) == -signal.SIGKILL
    events = [step for _, step in numbered_steps(tmp_path, 7)]
    assert events == [*begun("async-grouped", "AsyncGrouped", "everyone", "nobody"), "ACCEPTED"]


def test_probe_when_there_is_no_ledger_then_the_app_works_and_nothing_is_recorded(tmp_path: Path, until: Until) -> None:
    with short_folder() as control, chat_server(tmp_path, {"LOADTEST_CONTROL": str(control)}) as (process, port):
        for path in ("json", "async-json"):
            url = f"ws://127.0.0.1:{port}/{path}/"
            with connect(url, additional_headers={"X-Loadtest-Connection": "7"}) as ws:
                ws.send("[1]")
                assert ws.recv(ANSWER_S) == "[1]"
        assert process.alive
        assert list(control.iterdir()) == []
        assert [path.name for path in tmp_path.iterdir()] == ["chat.log"]


def test_probe_when_the_ledger_cannot_be_written_then_the_server_does_not_start(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="No such file or directory: '/no/such/folder"),
        chat_server(tmp_path, {"LOADTEST_LEDGER": "/no/such/folder"}),
    ):
        pass


def names(steps: list[Step]) -> set[str]:
    return {name for name, _ in map(pair, steps)}


@pytest.fixture(scope="module", params=["inmemory", "redis", "redis-pubsub"])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Database, valkey: RedisServer
) -> Iterator[tuple[Target, Path]]:
    """The reference app on each layer in turn, and its ledger."""
    folder = tmp_path_factory.mktemp(request.param)
    ledger = folder / "ledger"
    ledger.mkdir()
    with reference_app(
        layer=LAYERS[request.param],
        database=database,
        folder=folder,
        broker=valkey,
        ledger=ledger,
    ) as target:
        yield target, ledger


@pytest.mark.parametrize(("consumer", "module"), [("sync", "sync"), ("async", "async_")])
def test_reference_app_when_a_member_comes_speaks_and_goes_then_the_ledger_has_all_of_it_on_every_layer(
    target: tuple[Target, Path], until: Until, consumer: str, module: str
) -> None:
    running, ledger = target
    number = next(NUMBERS)
    path = f"/ws/{consumer}/room/r{number}/"
    headers = {"X-Loadtest-Connection": str(number)}
    with connect(running.url + path, additional_headers=headers, compression=None) as ws:
        ws.send('{"message": "hello"}')
        assert ws.recv(ANSWER_S) == '{"message": "hello"}'
    until(lambda: "TASK_ENDED" in [step for _, step in numbered_steps(ledger, number)])
    steps = numbered_steps(ledger, number)
    assert [step for _, step in steps] == [
        ("SCOPE", path),
        ("CONSUMER", f"target_app.consumers.{module}.RoomConsumer"),
        *("CHANNEL", "CONNECT_IN", ("GROUP_ADDED", f"chat_r{number}"), "ACCEPTED", ("RECEIVE_IN", 20)),
        *(("DISCONNECT_IN", 1000), ("DISCONNECT_ENTERED", 1000), ("GROUP_DISCARDED", f"chat_r{number}")),
        *("DISCONNECT_RETURNED", "TASK_ENDED"),
    ]
    assert [time_ns for time_ns, _ in steps] == sorted(time_ns for time_ns, _ in steps)


def test_residue_when_members_come_and_go_then_it_is_told_before_meanwhile_and_after_on_every_layer(
    target: tuple[Target, Path], until: Until
) -> None:
    running, _ = target

    def members_and_present() -> tuple[int, list[int | str]]:
        (found,) = ask_residue(running.control).answered
        assert found.unknown == {}
        assert found.groups is not None
        assert isinstance(found.presence, list)
        assert (found.fds or {})["socket"] >= 2
        assert found.tasks
        assert any("MainThread" in thread for thread in found.threads or ())
        return sum(map(len, found.groups.values())), found.presence

    until(lambda: members_and_present() == (0, []))
    numbers = [next(NUMBERS) for _ in range(4)]
    with ExitStack() as members:
        for number, consumer in zip(numbers, ["sync", "async"] * 2, strict=True):
            headers = {"X-Loadtest-Connection": str(number)}
            members.enter_context(connect(f"{running.url}/ws/{consumer}/room/lobby/", additional_headers=headers))
        until(lambda: members_and_present() == (4, numbers))
    until(lambda: members_and_present() == (0, []))
    (status,) = ask_status(running.control).answered
    assert status.open == 0
