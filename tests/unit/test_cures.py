"""Cures: each keeps its promise on a server of a few lines, sync and async; and what it does not mend stays."""

from __future__ import annotations

import asyncio
import logging
import pkgutil
import subprocess
import sys
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import channels.consumer
import channels.db
import pytest
from autobahn.exception import Disconnected
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer
from channels.layers import InMemoryChannelLayer
from uvicorn.protocols.utils import ClientDisconnected

import loadtest.cures
from loadtest.cures.catching import CatchesSendErrors
from loadtest.cures.guard import ABNORMAL, AsyncGuard, SyncGuard
from loadtest.cures.heartbeat import AsyncHeartbeat, SyncHeartbeat

PROJECT = Path(__file__).resolve().parents[2]
LIMIT_S = 20.0
SERVERS_CODE = 1005
CONNECT = {"type": "websocket.connect"}
DISCONNECT = {"type": "websocket.disconnect", "code": SERVERS_CODE}


class Gone(OSError):
    """What a server raises for a send to a client that is gone, as ASGI wants it."""


class Mistake(Exception):
    """What a handler raises."""


@dataclass(slots=True, kw_only=True)
class Server:
    """A server as uvicorn: what comes waits in a queue, and once the client is gone a send raises."""

    messages: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    raises: Exception | None = None
    sent: list[str] = field(default_factory=list)
    log: list[object] = field(default_factory=list)
    """What the consumer writes down."""
    task: asyncio.Future[None] | None = None
    """That of the consumer."""

    def say(self, text: str) -> None:
        self.messages.put_nowait({"type": "websocket.receive", "text": text})

    def drop(self, error: Exception) -> None:
        self.raises = error
        self.messages.put_nowait(DISCONNECT)

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message["type"])
        if self.raises:
            raise self.raises


class AsyncPlain(AsyncWebsocketConsumer):
    """Writes down what it is told; `log` is that of the test."""

    groups = ["lobby"]  # noqa: RUF012 - as Channels has it
    log: list[object]
    fails: int = 0

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raise_what_is_said(text_data)
        await self.send(text_data=text_data)

    async def disconnect(self, code: int) -> None:
        self.log.append(code)
        self.fails -= 1
        if self.fails >= 0:
            raise Mistake

    async def heartbeat(self) -> None:
        self.log.append("beat")


class SyncPlain(WebsocketConsumer):
    """The same in sync."""

    groups = ["lobby"]  # noqa: RUF012
    log: list[object]
    fails: int = 0

    def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        raise_what_is_said(text_data)
        self.send(text_data=text_data)

    def disconnect(self, code: int) -> None:
        self.log.append(code)
        self.fails -= 1
        if self.fails >= 0:
            raise Mistake

    def heartbeat(self) -> None:
        self.log.append("beat")


def raise_what_is_said(text: str | None) -> None:
    if text == "mistake":
        raise Mistake
    if text == "stop":
        raise StopConsumer


PLAIN: dict[str, Any] = {"sync": SyncPlain, "async": AsyncPlain}
GUARD = {"sync": SyncGuard, "async": AsyncGuard}
BEATING = {"sync": SyncHeartbeat, "async": AsyncHeartbeat}
BOTH = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.fixture(autouse=True)
def layer(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryChannelLayer]:
    """The channel layer of every consumer; there are no settings and no database."""
    layer = InMemoryChannelLayer()
    monkeypatch.setattr(channels.consumer, "get_channel_layer", lambda alias: layer)
    monkeypatch.setattr(channels.db, "close_old_connections", lambda: None)
    yield layer


def played(
    consumer: Any,
    script: Callable[[Server], Coroutine[Any, Any, None]],
    raises: Exception | None = None,
    **changed: Any,
) -> list[object]:
    """Let a script act on a server with one connection; return what was written down, and how the task ended.

    `raises`: what the server raises from the first send on; `changed`: what the consumer has otherwise.
    """

    async def run() -> list[object]:
        server = Server(raises=raises)
        server.messages.put_nowait(CONNECT)
        cured: Any = type("Consumer", (consumer,), {"log": server.log, **changed})
        scope = {"type": "websocket", "path": "/"}
        server.task = task = asyncio.ensure_future(cured.as_asgi()(scope, server.messages.get, server.send))
        async with asyncio.timeout(LIMIT_S):
            await until(lambda: bool(server.sent) or task.done())
            await script(server)
            await asyncio.wait([task])
        if error := CancelledError() if task.cancelled() else task.exception():
            server.log.append(type(error))
        await asyncio.sleep(0)  # what was cancelled ends
        assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing runs on"
        return server.log

    return asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


def cured(kind: str, *cures: type[Any]) -> Any:
    return type("Cured", (*cures, PLAIN[kind]), {})


async def drop_while_busy(server: Server) -> None:
    """A message is handled first, and its answer finds the client gone."""
    server.say("hello")
    server.drop(Gone())


@BOTH
def test_plain_when_a_send_finds_the_client_gone_then_disconnect_is_missed(
    kind: str, layer: InMemoryChannelLayer
) -> None:
    assert played(PLAIN[kind], drop_while_busy) == [Gone]
    assert len(layer.groups["lobby"]) == 1


@BOTH
def test_guard_when_a_send_finds_the_client_gone_then_disconnect_is_called_and_the_error_goes_on(
    kind: str, layer: InMemoryChannelLayer
) -> None:
    assert played(cured(kind, GUARD[kind]), drop_while_busy) == [ABNORMAL, Gone]
    assert not layer.groups.get("lobby")


@BOTH
@pytest.mark.parametrize(("said", "ends"), [("mistake", [Mistake]), ("stop", [])])
def test_guard_when_a_handler_ends_the_task_then_disconnect_is_called(kind: str, said: str, ends: list[object]) -> None:
    async def script(server: Server) -> None:
        server.say(said)

    assert played(cured(kind, GUARD[kind]), script) == [ABNORMAL, *ends]


@BOTH
def test_guard_when_the_server_cancels_the_task_then_disconnect_is_called(kind: str) -> None:
    async def script(server: Server) -> None:
        assert server.task
        server.task.cancel()

    assert played(cured(kind, GUARD[kind]), script) == [ABNORMAL, CancelledError]


@BOTH
def test_guard_when_the_server_tells_of_the_disconnect_then_it_is_called_once_with_its_code(kind: str) -> None:
    async def script(server: Server) -> None:
        server.drop(Gone())

    assert played(cured(kind, GUARD[kind]), script) == [SERVERS_CODE]


@BOTH
def test_guard_when_disconnect_raises_then_it_is_called_a_second_time(kind: str) -> None:
    async def script(server: Server) -> None:
        server.drop(Gone())

    assert played(cured(kind, GUARD[kind]), script, fails=1) == [SERVERS_CODE, ABNORMAL, Mistake]


@BOTH
def test_guard_when_disconnect_always_raises_then_the_groups_are_left_all_the_same(
    kind: str, layer: InMemoryChannelLayer
) -> None:
    assert played(cured(kind, GUARD[kind]), drop_while_busy, fails=9) == [ABNORMAL, Mistake]
    assert not layer.groups.get("lobby")


@BOTH
def test_guard_when_the_consumer_had_not_begun_then_disconnect_is_not_called(
    kind: str, layer: InMemoryChannelLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> str:
        raise Mistake

    async def nothing(server: Server) -> None: ...

    monkeypatch.setattr(layer, "new_channel", refuse)
    assert played(cured(kind, GUARD[kind]), nothing) == [Mistake]


@BOTH
@pytest.mark.parametrize("error", [ClientDisconnected(), Disconnected("closed"), ConnectionResetError()])
def test_catching_when_a_send_finds_the_client_gone_then_the_disconnect_of_the_server_is_handled(
    kind: str, error: Exception, layer: InMemoryChannelLayer
) -> None:
    async def script(server: Server) -> None:
        server.say("hello")
        server.drop(error)

    assert played(cured(kind, CatchesSendErrors), script) == [SERVERS_CODE]
    assert not layer.groups.get("lobby")


@BOTH
def test_catching_when_the_client_goes_before_accept_then_disconnect_is_called(kind: str) -> None:
    async def script(server: Server) -> None:
        server.messages.put_nowait(DISCONNECT)

    assert played(cured(kind, CatchesSendErrors), script, raises=Gone()) == [SERVERS_CODE]


@BOTH
def test_catching_when_a_handler_raises_then_that_is_not_mended(kind: str) -> None:
    async def script(server: Server) -> None:
        server.say("mistake")

    assert played(cured(kind, CatchesSendErrors), script) == [Mistake]


@BOTH
def test_catching_when_the_server_refuses_for_another_reason_then_that_is_raised(kind: str) -> None:
    """A send after close(), say; or uvicorn gave up on the client, and will not tell of the disconnect for long."""

    async def script(server: Server) -> None:
        server.say("hello")
        server.drop(RuntimeError("Unexpected ASGI message 'websocket.send', after sending 'websocket.close'."))

    assert played(cured(kind, CatchesSendErrors), script) == [RuntimeError]


@BOTH
def test_heartbeat_when_connected_then_it_comes_again_and_again_until_the_disconnect(kind: str) -> None:
    log = played(cured(kind, BEATING[kind]), drop_after(3), heartbeat_s=0)
    assert log.count("beat") >= 3
    assert log[-1] == SERVERS_CODE, "none once disconnect() has begun"


@BOTH
def test_heartbeat_when_the_task_ends_without_disconnect_then_it_ends_too(kind: str) -> None:
    async def script(server: Server) -> None:
        server.say("mistake")

    assert set(played(cured(kind, BEATING[kind]), script, heartbeat_s=0)) <= {"beat", Mistake}


@BOTH
def test_heartbeat_when_it_raises_then_it_is_logged_and_the_next_one_comes(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def beat_async(self: Any) -> None:
        beat_sync(self)

    def beat_sync(self: Any) -> None:
        self.log.append("beat")
        raise Mistake

    beat = {"sync": beat_sync, "async": beat_async}[kind]
    with caplog.at_level(logging.ERROR, "loadtest.cures.heartbeat"):
        log = played(cured(kind, BEATING[kind]), drop_after(2), heartbeat_s=0, heartbeat=beat)
    assert log[-1] == SERVERS_CODE
    assert len(caplog.records) == log.count("beat") >= 2


def test_heartbeat_when_one_is_under_way_then_disconnect_waits_for_it() -> None:
    """Else a group that disconnect() has left might be joined again."""
    begun, told, may_end = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def heartbeat(self: Any) -> None:
        begun.set()
        await may_end.wait()
        self.log.append("beat")

    async def websocket_disconnect(self: Any, message: Any) -> None:
        told.set()
        await AsyncHeartbeat.websocket_disconnect(self, message)

    async def script(server: Server) -> None:
        await begun.wait()
        server.drop(Gone())
        await told.wait()
        for _ in range(10):  # turns of the loop, in which disconnect() would run if it did not wait
            await asyncio.sleep(0)
        may_end.set()

    changed: dict[str, Any] = {"heartbeat_s": 0, "heartbeat": heartbeat, "websocket_disconnect": websocket_disconnect}
    assert played(cured("async", AsyncHeartbeat), script, **changed) == ["beat", SERVERS_CODE]


@BOTH
def test_cures_when_all_are_taken_together_then_each_does_its_part(kind: str, layer: InMemoryChannelLayer) -> None:
    every = cured(kind, GUARD[kind], CatchesSendErrors, BEATING[kind])
    log = played(every, drop_while_busy, heartbeat_s=0)
    assert log[-1] == SERVERS_CODE and ABNORMAL not in log
    assert not layer.groups.get("lobby")


def test_cures_when_listed_then_the_package_names_each() -> None:
    modules = [found.name for found in pkgutil.iter_modules(loadtest.cures.__path__)]
    assert len(modules) >= 3
    assert all(f"`loadtest.cures.{module}`" in str(loadtest.cures.__doc__) for module in modules)


def test_cures_when_imported_then_nothing_else_of_ours_comes_with_them() -> None:
    program = (
        "import sys; from loadtest.cures import catching, guard, heartbeat\n"
        "print(sorted(name for name in sys.modules if name.startswith(('loadtest', 'target_app'))))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=PROJECT, check=True)
    modules = [f"loadtest.cures{name}" for name in ("", ".catching", ".guard", ".heartbeat")]
    assert run.stdout.strip() == str(["loadtest", *modules])


def drop_after(beats: int) -> Callable[[Server], Coroutine[Any, Any, None]]:
    """Return a script: the client goes when there were so many heartbeats."""

    async def script(server: Server) -> None:
        await until(lambda: server.log.count("beat") >= beats)
        server.drop(Gone())

    return script
