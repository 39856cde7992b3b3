"""One open WebSocket as its user sees it: send, receive, close, wait; protocol, pump and endings are its parts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from gevent import get_hub, getcurrent
from gevent.event import Event as Signal

from loadtest.wire import frames
from loadtest.wire.deflate import Deflate
from loadtest.wire.endings import Endings
from loadtest.wire.errors import CloseTimeout, ReceiveTimeout, WriteQueueFull
from loadtest.wire.http_head import parse_headers, status_of
from loadtest.wire.parser import MAX_MESSAGE_BYTES
from loadtest.wire.protocol import ABNORMAL, ENDED, OPEN, Closure, Protocol
from loadtest.wire.writer import MAX_QUEUED_BYTES, WOULD_BLOCK

MAX_INBOX_MESSAGES: Final = 1024
"""Messages kept for recv(); beyond it reading pauses and TCP holds the peer back."""
CLOSE_TIMEOUT_S: Final = 5.0

_encode = frames.encode

OnMessage = Callable[["Connection", str | bytes, int], None]
OnClosed = Callable[["Connection", Closure], None]


class Connection(Endings):
    """An open WebSocket.

    Without on_message, messages are kept for recv(). With it, each is handed over on the hub, with the arrival time
    in CLOCK_MONOTONIC nanoseconds: on_message must not block or switch, and if it raises, this connection ends. The
    arrival is the kernel's where it tells (see arrivals.py), else the moment of reading; `lag_ns` is the time from
    then to the handing over, -1 where the kernel does not tell (TLS, other systems than Linux).
    on_closed is called once, on the hub, when the peer ended the connection, lost it or broke the protocol; never
    when we closed or dropped it. All methods must be called from the thread of the hub.
    """

    __slots__ = ("__weakref__", "_head", "_inbox")

    def __init__(
        self,
        socket: Any,
        *,
        connection_id: int = 0,
        head: bytes = b"",
        early: bytes = b"",
        reader: Any = None,
        on_message: OnMessage | None = None,
        on_closed: OnClosed | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        deflate: Deflate | None = None,
    ) -> None:
        """Take over a non-blocking socket (plain or TLS) after its handshake.

        head: the server's HTTP answer; early: bytes that came in one piece with it; reader: a stopped watcher of the
        socket, to be used and closed here; deflate: what was agreed on.
        """
        self._head = head
        self._inbox: deque[str | bytes] | None = deque() if on_message is None else None
        protocol = Protocol(connection_id, max_message_bytes, deflate)
        super().__init__(socket, protocol, connection_id, reader, early, on_message or _keep, on_closed)

    @property
    def open(self) -> bool:
        """Messages can be sent: neither side has begun to end it."""
        return self._protocol.state == OPEN

    @property
    def closure(self) -> Closure | None:
        """How it ended; None while it has not."""
        return self._protocol.closure

    @property
    def status(self) -> int:
        """The HTTP status of the opening handshake."""
        return status_of(self._head) or 101

    @property
    def headers(self) -> Mapping[str, str]:
        """The handshake's response headers; names in lower case, repeated ones joined with ", ", no accept key."""
        return parse_headers(self._head)

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol the server chose."""
        return self.headers.get("sec-websocket-protocol")

    def send(self, message: str | bytes) -> None:
        """Send a text (str) or binary (bytes) message now, or queue it when the socket is full.

        Raises ConnectionClosed or ConnectionLost when it has ended, WriteQueueFull when too much waits already.
        """
        protocol = self._protocol
        if protocol.state or protocol.deflate or self._queue:
            self._send_specially(message)
            return
        frame = _encode(message)  # what protocol.message() does; this call more would cost 60 ns of 6 µs a round trip
        try:
            sent = self._socket.send(frame)
        except WOULD_BLOCK:
            sent = 0
        except OSError as error:
            raise self._broken(error) from error
        if sent != len(frame):
            self._enqueue(frame[sent:])

    def _send_specially(self, message: str | bytes) -> None:
        """Send a message that is compressed, or that others wait before, or refuse it."""
        if self._queue and self.open and self._queued_bytes + len(message) > MAX_QUEUED_BYTES:
            raise WriteQueueFull(
                f"{self._queued_bytes} bytes wait for connection {self.id}, which does not read; send slower"
            )
        error = self._write(self._protocol.message(message))
        if error is not None:
            raise error

    def ping(self, data: bytes = b"") -> None:
        """Send a ping (RFC 6455 5.5.2); its pong is not reported."""
        self._write(self._protocol.ping(data))

    def recv(self, timeout_s: float | None = None) -> str | bytes:
        """Wait for the next message; only for connections opened without on_message.

        Raises ReceiveTimeout, and ConnectionClosed or ConnectionLost or ProtocolError once all has been read.
        """
        inbox = self._inbox
        if inbox is None:
            raise TypeError("recv() is for connections without on_message: this one hands its messages to a callback")
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not inbox:
            if self._protocol.state == ENDED:
                raise self._protocol.refusal()
            if not self._wait_for_change(deadline):
                raise ReceiveTimeout(f"no message on connection {self.id} within {timeout_s} s")
        message = inbox.popleft()
        if len(inbox) == MAX_INBOX_MESSAGES // 2:
            self.resume_reading()
        return message

    def close(self, code: int = 1000, reason: str = "", timeout_s: float = CLOSE_TIMEOUT_S) -> Closure:
        """Do the closing handshake (RFC 6455 7.1.2), wait for its end, at most timeout_s, and return how it ended.

        Sends one close frame however often it is called; never raises for what the peer does.
        """
        _check_may_wait()
        self.send_close_frame(code, reason)
        self.resume_reading()
        deadline = time.monotonic() + timeout_s
        while not self.released:
            if not self._wait_for_change(deadline):
                error = CloseTimeout(f"no end of connection {self.id} within {timeout_s} s")
                self._protocol.settle(ABNORMAL, "", error, "us")
                self.release()
        assert self.closure is not None
        return self.closure

    def _wait_for_change(self, deadline: float | None) -> bool:
        """Switch to the hub until something happens to this connection; False when the deadline has passed."""
        _check_may_wait()
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            return False
        if self._signal is None:
            self._signal = Signal()
        self._signal.clear()
        return bool(self._signal.wait(remaining))


def _check_may_wait() -> None:
    if getcurrent() is get_hub():
        raise RuntimeError(
            "recv() and close() wait, so they cannot be called on the hub (from on_message or on_closed); "
            "use send_close_frame() and drain() there"
        )


def _keep(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
    """The on_message of connections that are read with recv()."""
    inbox = connection._inbox
    assert inbox is not None
    if len(inbox) >= MAX_INBOX_MESSAGES and not connection.open:
        return  # it is being closed: nobody will take these, and pausing would keep the end from being read
    inbox.append(message)
    if len(inbox) >= MAX_INBOX_MESSAGES and connection.open:
        connection.pause_reading()
    connection._changed()
