"""The ASGI wrapper: records the start and end of each WebSocket's task and what passes between it and the server."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, MutableMapping
from random import Random
from typing import Any

from loadtest.contract import CONNECTION_DIGITS, CONNECTION_HEADER
from loadtest.ledger import Event
from loadtest.ledger.record import SERVER_NAMED
from loadtest.probe.busy import watch_busy
from loadtest.probe.control import Control
from loadtest.probe.exposure import Sampling
from loadtest.probe.handling import Handling, current_handling
from loadtest.probe.recording import (
    class_name,
    forget_channels,
    is_recording,
    recorded_code,
    recorder,
)
from loadtest.probe.stalls import watch_for_stalls

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER = CONNECTION_HEADER.lower().encode()
_RECEIVE_IN = int(Event.RECEIVE_IN)  # a plain number packs twice as fast, and this one comes with every message


class Probe:
    """An ASGI application that records what the wrapped one does with each WebSocket (ASGI 3, websocket 2.4)."""

    def __init__(self, application: Application) -> None:
        """Wrap `application`, the outermost one of asgi.py; raises OSError when the ledger cannot be written."""
        self.application = application
        """What it wraps."""
        self._unnamed = itertools.count(SERVER_NAMED)
        self._open: dict[int, Handling] = {}
        self._watched_loop: asyncio.AbstractEventLoop | None = None
        if is_recording():
            recorder()
            self._control = Control(self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the wrapped application for one scope."""
        if not is_recording():
            await self.application(scope, receive, send)
            return
        await self._control.start_once()
        if self._watched_loop is None:
            self._watched_loop = asyncio.get_running_loop()
            watch_for_stalls(self._watched_loop)
            watch_busy(self._watched_loop)
            Sampling(self._watched_loop, self._open, Random())
        if scope["type"] == "websocket":
            await self._record(scope, receive, send)
        else:
            await self.application(scope, receive, send)

    async def _record(self, scope: Scope, receive: Receive, send: Send) -> None:
        ledger = recorder()
        connection = _named_by_client(scope)
        if connection is None or connection in self._open:
            connection = next(self._unnamed)
        self._open[connection] = handling = Handling(connection)
        current_handling.set(handling)
        ledger.record(Event.SCOPE, connection, argument=ledger.text(str(scope["path"])))
        ended_by = 0
        try:
            await self.application(scope, _recorded_receive(handling, receive), _recorded_send(handling, send))
        except BaseException as error:
            ended_by = ledger.text(class_name(error))
            raise
        finally:
            ledger.record(Event.TASK_ENDED, connection, argument=ended_by)
            del self._open[connection]
            forget_channels(connection)


def _named_by_client(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == _HEADER and value.isdigit() and len(value) <= CONNECTION_DIGITS:
            return int(value)
    return None


def _recorded_receive(handling: Handling, receive: Receive) -> Receive:
    record = recorder().record
    connection = handling.connection

    async def recorded() -> Message:
        handling.is_receiving = True
        if handling.in_midst:
            asyncio.get_running_loop().call_soon(handling.receive)
        message = await receive()
        handling.is_receiving = False
        match message["type"]:
            case "websocket.receive":
                length = len(message.get("text") or message.get("bytes") or "")
                record(_RECEIVE_IN, connection, 0, 0, length)
            case "websocket.disconnect":
                handling.is_open = False
                handling.disconnect()
                record(Event.DISCONNECT_IN, connection, code=recorded_code(message.get("code")))
            case "websocket.connect":
                record(Event.CONNECT_IN, connection)
        return message

    return recorded


def _recorded_send(handling: Handling, send: Send) -> Send:
    ledger = recorder()
    connection = handling.connection
    accepted = False

    async def recorded(message: Message) -> None:
        nonlocal accepted
        if handling.imagined:
            handling.send()
        try:
            await send(message)
        except BaseException as error:
            ledger.record(Event.SEND_RAISED, connection, argument=ledger.text(class_name(error)))
            raise
        match message["type"]:
            case "websocket.send":
                return
            case "websocket.accept":
                accepted = handling.is_open = True
                ledger.record(Event.ACCEPTED, connection)
            case "websocket.close":
                handling.is_open = False
                event = Event.CLOSE_OUT if accepted else Event.REJECTED
                ledger.record(event, connection, code=recorded_code(message.get("code") or 1000))
            case "websocket.http.response.start":
                ledger.record(Event.REJECTED, connection, code=message["status"])

    return recorded
