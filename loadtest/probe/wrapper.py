"""The ASGI wrapper: records the start and end of each WebSocket's task and what passes between it and the server."""

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from loadtest.contract import CONNECTION_DIGITS, CONNECTION_HEADER
from loadtest.contract.elsewhere import TOKEN_VARIABLE
from loadtest.ledger import Event
from loadtest.ledger.record import SERVER_NAMED
from loadtest.probe.channels import forget_channels
from loadtest.probe.from_start import FromStart
from loadtest.probe.handling import Handling, current_handling
from loadtest.probe.on_request import OnRequest
from loadtest.probe.recording import Ledger, class_name, is_recording, recorded_code

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER = CONNECTION_HEADER.lower().encode()
_RECEIVE_IN = int(Event.RECEIVE_IN)  # a plain number packs twice as fast, and this one comes with every message


def Probe(application: Application, *, metrics: bool = False, route: str = "") -> Application:
    """Return the outermost application of asgi.py with the probe around it, where it is asked for.

    The environment asks for a ledger; `metrics` for Prometheus metrics in the default registry of prometheus_client,
    `route` for these and an HTTP path that shows them, such as "/metrics". A process that keeps a ledger, or may be
    asked for one, is a bench's: it has no metrics and no such path. Where nothing is asked for it is the application
    itself, so that a probe that is off costs nothing. Raises OSError when the ledger cannot be written, ValueError
    where the token or the route is none, ImportError where metrics are asked for and prometheus_client is not there.
    """
    if is_recording():
        return ProbedApplication(application, FromStart())
    if token := os.environ.get(TOKEN_VARIABLE):
        return ProbedApplication(application, OnRequest(token))
    if metrics or route:
        from loadtest.probe.counting import Counting

        return ProbedApplication(application, Counting(route))
    return application


class AnySession(Protocol):
    """What goes on at a stretch: the connections, and what takes in what happens to them."""

    @property
    def open(self) -> dict[int, Handling]:
        """What each connection does whose application task has not ended."""

    def ledger_of(self, connection: int) -> Ledger:
        """Return what takes in what happens to a connection, which is new."""


class Recording(Protocol):
    """Whether this process records, and into which session."""

    @property
    def session(self) -> AnySession | None:
        """The one that records now."""

    async def start_once(self) -> None:
        """Make what needs the running event loop, unless that was done."""

    async def answered(self, scope: Scope, send: Send) -> bool:
        """Answer a request that is for the probe and not for the application; False where it is not."""


class ProbedApplication:
    """An ASGI application that records what the wrapped one does with each WebSocket (ASGI 3, websocket 2.4)."""

    def __init__(self, application: Application, recording: Recording) -> None:
        """Wrap an application."""
        self.application = application
        """What it wraps."""
        self._recording = recording
        self._unnamed = itertools.count(SERVER_NAMED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the wrapped application for one scope."""
        await self._recording.start_once()
        session = self._recording.session
        if scope["type"] == "websocket" and session is not None:
            await self._record(session, scope, receive, send)
        elif not await self._recording.answered(scope, send):
            await self.application(scope, receive, send)

    async def _record(self, session: AnySession, scope: Scope, receive: Receive, send: Send) -> None:
        connection = _named_by_client(scope)
        if connection is None or connection in session.open:
            connection = next(self._unnamed)
        ledger = session.ledger_of(connection)
        session.open[connection] = handling = Handling(connection, ledger)
        current_handling.set(handling)
        ledger.record_text(Event.SCOPE, connection, str(scope["path"]))
        ended_by = ""
        try:
            await self.application(scope, _recorded_receive(handling, receive), _recorded_send(handling, send))
        except BaseException as error:
            ended_by = class_name(error)
            raise
        finally:
            ledger.record_text(Event.TASK_ENDED, connection, ended_by)
            del session.open[connection]
            forget_channels(handling)


def _named_by_client(scope: Scope) -> int | None:
    for name, value in scope["headers"]:
        if name == _HEADER and value.isdigit() and len(value) <= CONNECTION_DIGITS:
            return int(value)
    return None


def _recorded_receive(handling: Handling, receive: Receive) -> Receive:
    record = handling.ledger.record
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
    ledger = handling.ledger
    connection = handling.connection
    accepted = False

    async def recorded(message: Message) -> None:
        nonlocal accepted
        if handling.imagined:
            handling.send()
        try:
            await send(message)
        except BaseException as error:
            ledger.record_text(Event.SEND_RAISED, connection, class_name(error))
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
