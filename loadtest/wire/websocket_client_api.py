"""For code written for websocket-client: `create_connection` and a WebSocket with its common methods, on our wire.

    from loadtest.wire.websocket_client_api import create_connection      # was: from websocket import create_connection

The same names, arguments, results and exceptions, except for two things that websocket-client does worse: recv() raises
WebSocketConnectionClosedException when the server has closed, where websocket-client gives '' as for an empty
message; and close() sends one close frame, never two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from websocket import (
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketTimeoutException,
)

from loadtest.wire import frames
from loadtest.wire.connection import CLOSE_TIMEOUT_S, Connection
from loadtest.wire.errors import HandshakeRefused, OpenTimeout, ReceiveTimeout, WireError
from loadtest.wire.opening import OPEN_TIMEOUT_S, open_connection


def create_connection(
    url: str,
    timeout: float | None = None,
    *,
    header: Sequence[str] | Mapping[str, str] = (),
    cookie: str | None = None,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    http_proxy_host: str | None = None,
    http_proxy_port: int = 80,
) -> WebSocket:
    """Open a WebSocket like websocket-client's function of this name; timeout in seconds, also for recv()."""
    lines = [f"{name}: {value}" for name, value in header.items()] if isinstance(header, Mapping) else list(header)
    if cookie:
        lines.append(f"Cookie: {cookie}")
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    try:
        connection = open_connection(
            url,
            headers=pairs,
            origin=origin,
            subprotocols=subprotocols or (),
            timeout_s=OPEN_TIMEOUT_S if timeout is None else timeout,
            proxy=f"http://{http_proxy_host}:{http_proxy_port}" if http_proxy_host else None,
        )
    except WireError as error:
        _raise_theirs(error)
    return WebSocket(connection, timeout)


class WebSocket:
    """Our connection with websocket-client's methods."""

    def __init__(self, connection: Connection, timeout: float | None = None) -> None:
        """Take a connection that was opened without on_message."""
        self.connection = connection
        self.timeout = timeout

    @property
    def connected(self) -> bool:
        """Whether messages can be sent."""
        return self.connection.open

    @property
    def status(self) -> int:
        """The HTTP status of the handshake."""
        return self.connection.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The handshake's response headers, names in lower case."""
        return self.connection.headers

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self.connection.subprotocol

    def getstatus(self) -> int:
        """Return `status`."""
        return self.status

    def getheaders(self) -> Mapping[str, str]:
        """Return `headers`."""
        return self.headers

    def getsubprotocol(self) -> str | None:
        """Return `subprotocol`."""
        return self.subprotocol

    def settimeout(self, timeout: float | None) -> None:
        """Set how long recv() waits, in seconds; None: for ever."""
        self.timeout = timeout

    def gettimeout(self) -> float | None:
        """Return how long recv() waits."""
        return self.timeout

    def send(self, payload: str | bytes, opcode: int = frames.TEXT) -> int:
        """Send a text message, or a binary one when the opcode says so; return the payload's length."""
        data = payload.encode() if isinstance(payload, str) else bytes(payload)
        try:
            self.connection.send(data if opcode == frames.BINARY else data.decode())
        except WireError as error:
            _raise_theirs(error)
        return len(data)

    def send_text(self, text_data: str) -> int:
        """Send a text message."""
        return self.send(text_data)

    def send_bytes(self, data: bytes) -> int:
        """Send a binary message."""
        return self.send(data, frames.BINARY)

    def send_binary(self, payload: bytes) -> int:
        """Send a binary message."""
        return self.send(payload, frames.BINARY)

    def ping(self, payload: str | bytes = b"") -> None:
        """Send a ping."""
        try:
            self.connection.ping(payload.encode() if isinstance(payload, str) else payload)
        except WireError as error:
            _raise_theirs(error)

    def recv(self) -> str | bytes:
        """Wait for the next message."""
        try:
            return self.connection.recv(self.timeout)
        except WireError as error:
            _raise_theirs(error)

    def __iter__(self) -> Iterator[str | bytes]:
        """Yield message after message."""
        while True:
            yield self.recv()

    def close(self, status: int = 1000, reason: str | bytes = "", timeout: float | None = CLOSE_TIMEOUT_S) -> None:
        """Do the closing handshake; timeout in seconds."""
        text = reason if isinstance(reason, str) else reason.decode()
        self.connection.close(status, text, CLOSE_TIMEOUT_S if timeout is None else timeout)

    def shutdown(self) -> None:
        """Close the descriptor at once."""
        self.connection.release()

    def abort(self) -> None:
        """Close the descriptor at once."""
        self.connection.release()


def _raise_theirs(error: WireError) -> NoReturn:
    """Raise what websocket-client's users catch, with ours as its cause."""
    message: Any = str(error)
    if isinstance(error, HandshakeRefused):
        raise WebSocketBadStatusException(message, error.status) from error
    if isinstance(error, (ReceiveTimeout, OpenTimeout)):
        raise WebSocketTimeoutException(message) from error
    if hasattr(error, "code"):
        raise WebSocketConnectionClosedException(message) from error
    raise WebSocketException(message) from error
