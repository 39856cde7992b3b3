"""One open WebSocket on gevent's hub: no reader greenlet, one recv a wake-up, never a switch inside a callback."""

from __future__ import annotations

import errno
import logging
import math
import socket as names
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from gevent import get_hub, getcurrent
from gevent.event import Event as Signal

from loadtest.wire import arrivals, frames
from loadtest.wire.deflate import Deflate
from loadtest.wire.errors import (
    CloseTimeout,
    ConnectionClosed,
    ConnectionLost,
    ProtocolError,
    ReceiveTimeout,
    WireError,
    WriteQueueFull,
)

READABLE: Final = 1  # libev's EV_READ
WRITABLE: Final = 2  # libev's EV_WRITE
STAMP_SPACE: Final = arrivals.STAMP_SPACE
WHOLE_TEXT: Final = frames.WHOLE_TEXT
RECV_BYTES: Final = (1 << 16) + (1 << 12)
"""One recv a wake-up takes at most this much, so that no connection starves the others.

A message of 64 KiB and its header in one piece cost half of what they cost in two; a buffer of more than 128 KiB would
come from mmap(2) each time.
"""
TLS_RECORDS_AT_ONCE: Final = 4
"""A TLS record holds at most 16 KiB, so this is about RECV_BYTES."""
MAX_QUEUED_BYTES: Final = 1 << 20
"""What may wait for a peer that does not read; one message more is always taken when nothing waits."""
MAX_INBOX_MESSAGES: Final = 1024
"""Messages kept for recv(); beyond it reading pauses and TCP holds the peer back."""
DRAIN_S: Final = 10.0
"""How long a connection that we have ended may wait for the peer's FIN before its descriptor is closed."""
UNREAD_S: Final = 5.0
"""How long close_unread() waits for something to leave unread; a pong comes within a round trip."""
HOLD_READ_S: Final = 1.0
"""How often a held connection that reads slowly does so: many of them must not keep the hub busy."""
CLOSE_TIMEOUT_S: Final = 5.0
NO_LINGER: Final = struct.pack("ii", 1, 0)  # close() sends RST (socket(7), SO_LINGER)
WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

_log = logging.getLogger(__name__)
_monotonic_ns = time.monotonic_ns
_lag_ns = arrivals.lag_ns
_encode = frames.encode

_OPEN, _CLOSING, _ENDED, _RELEASED = range(4)
# open; we have sent a close frame or FIN; all has been said and only the peer's FIN is awaited; nothing is left


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """How a connection ended.

    `code` and `reason` as in RFC 6455 7.1.5: 1005 is a close frame without a code, 1006 no close frame at all.
    `by`: "peer" sent a close frame, FIN or RST; "us" began it; "protocol" the peer broke the protocol and we failed
    the connection with `code`; "handler" on_message raised `error`.
    """

    code: int
    reason: str
    error: BaseException | None
    by: Literal["peer", "us", "protocol", "handler"]


class Connection:
    """An open WebSocket.

    Without on_message, messages are kept for recv(). With it, each is handed over on the hub, with the arrival time
    in CLOCK_MONOTONIC nanoseconds: on_message must not block or switch, and if it raises, this connection ends. The
    arrival is the kernel's where it tells (see arrivals.py), else the moment of reading; `lag_ns` is the time between
    the two for what was read last, -1 where the kernel does not tell (TLS, other systems than Linux).
    on_closed is called once, on the hub, when the peer ended the connection, lost it or broke the protocol; never
    when we closed or dropped it. All methods must be called from the thread of the hub.
    """

    __slots__ = (
        "__weakref__",
        "_deflate",
        "_drain_timer",
        "_fin_wanted",
        "_head",
        "_inbox",
        "_parser",
        "_queue",
        "_queued_bytes",
        "_reader",
        "_signal",
        "_socket",
        "_stamped",
        "_state",
        "_writer",
        "closure",
        "id",
        "lag_ns",
        "on_closed",
        "on_message",
    )

    def __init__(
        self,
        socket: Any,
        *,
        connection_id: int = 0,
        head: bytes = b"",
        early: bytes = b"",
        reader: Any = None,
        on_message: Callable[[Connection, str | bytes, int], None] | None = None,
        on_closed: Callable[[Connection, Closure], None] | None = None,
        max_message_bytes: int = frames.MAX_MESSAGE_BYTES,
        deflate: Deflate | None = None,
    ) -> None:
        """Take over a non-blocking socket (plain or TLS) after its handshake.

        head: the server's HTTP answer; early: bytes that came in one piece with it; reader: a stopped watcher of the
        socket, to be used and closed here; deflate: what was agreed on.
        """
        self.id = connection_id
        self._inbox: deque[str | bytes] | None = deque() if on_message is None else None
        self.on_message = on_message or _keep
        self.on_closed = on_closed
        self.closure: Closure | None = None
        self._head = head
        self._socket = socket
        is_tls = self._tls
        self._stamped = not is_tls and arrivals.has_stamps(socket)
        self.lag_ns = -1
        self._parser = frames.Parser(max_message_bytes, deflate)
        self._deflate = deflate
        self._state = _OPEN
        self._queue: deque[bytes] | None = None
        self._queued_bytes = 0
        self._fin_wanted = False
        self._signal: Signal | None = None
        self._writer: Any = None
        self._drain_timer: Any = None
        loop = get_hub().loop
        self._reader: Any = reader or loop.io(socket.fileno(), READABLE)
        if early or is_tls:  # a TLS layer may hold decrypted bytes already, which wake no watcher
            loop.run_callback(self._start_with, early)
        else:
            self._reader.start(self._on_event)

    # what a user does

    @property
    def open(self) -> bool:
        """Messages can be sent: neither side has begun to end it."""
        return self._state == _OPEN

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

    @property
    def released(self) -> bool:
        """Nothing is left of it here: no watcher, no descriptor."""
        return self._state == _RELEASED

    def send(self, message: str | bytes) -> None:
        """Send a text (str) or binary (bytes) message now, or queue it when the socket is full.

        Raises ConnectionClosed or ConnectionLost when it has ended, WriteQueueFull when too much waits already.
        """
        if self._state:
            raise self._why_not()
        if self._queue and self._queued_bytes + len(message) > MAX_QUEUED_BYTES:
            raise WriteQueueFull(
                f"{self._queued_bytes} bytes wait for connection {self.id}, which does not read; send slower"
            )
        frame = _encode(message) if self._deflate is None else frames.encode_compressed(message, self._deflate)
        if self._queue:
            self._enqueue(frame)
            return
        try:
            sent = self._socket.send(frame)
        except WOULD_BLOCK:
            self._enqueue(frame)
            return
        except OSError as error:
            raise self._broken(error) from error
        if sent != len(frame):
            self._enqueue(frame[sent:])

    def ping(self, data: bytes = b"") -> None:
        """Send a ping (RFC 6455 5.5.2); its pong is not reported."""
        if self._state:
            raise self._why_not()
        if len(data) > frames.MAX_CONTROL_BYTES:
            raise ValueError(f"a ping carries at most 125 bytes, not {len(data)}")
        self.write_raw(frames.build(frames.PING, data))

    def recv(self, timeout_s: float | None = None) -> str | bytes:
        """Wait for the next message; only for connections opened without on_message.

        Raises ReceiveTimeout, and ConnectionClosed or ConnectionLost or ProtocolError once all has been read.
        """
        if self._inbox is None:
            raise TypeError("recv() is for connections without on_message: this one hands its messages to a callback")
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._inbox:
            if self._state >= _ENDED:
                raise self._why_not()
            if not self._wait_for_change(deadline):
                raise ReceiveTimeout(f"no message on connection {self.id} within {timeout_s} s")
        message = self._inbox.popleft()
        if len(self._inbox) == MAX_INBOX_MESSAGES // 2:
            self.resume_reading()
        return message

    def close(self, code: int = 1000, reason: str = "", timeout_s: float = CLOSE_TIMEOUT_S) -> Closure:
        """Do the closing handshake (RFC 6455 7.1.2) and wait for its end, at most timeout_s; give how it ended.

        Sends one close frame however often it is called; never raises for what the peer does.
        """
        _check_may_wait()
        self.send_close_frame(code, reason)
        self.resume_reading()
        deadline = time.monotonic() + timeout_s
        while self._state != _RELEASED:
            if not self._wait_for_change(deadline):
                self._settle(1006, "", CloseTimeout(f"no end of connection {self.id} within {timeout_s} s"), "us")
                self.release()
        assert self.closure is not None
        return self.closure

    # the powers a drop needs: none of them waits, none raises because the connection has ended already

    def encode(self, message: str | bytes) -> bytes:
        """Give the bytes of the frame that carries the message, uncompressed."""
        return frames.encode(message)

    def send_close_frame(self, code: int | None = 1000, reason: str = "") -> None:
        """Send a close frame, once, and take no more messages; what still arrives is handed on."""
        frame = frames.close_frame(code, reason)
        if self._state == _OPEN:
            self._state = _CLOSING
            self.write_raw(frame)

    def write_raw(self, data: bytes) -> None:
        """Send these bytes as they are, after what is queued; unbounded, so for drops and control frames only."""
        if self._state >= _ENDED or self._fin_wanted:
            return
        if self._queue:
            self._enqueue(data)
            return
        try:
            sent = self._socket.send(data)
        except WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self._broken(error)
            return
        if sent != len(data):
            self._enqueue(data[sent:])

    def shutdown_write(self) -> None:
        """Send FIN after what is queued; reading goes on (half-close, RFC 9293 3.6)."""
        if self._state < _ENDED:
            self._state = _CLOSING
            self._end_writing()

    def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Read and discard on the hub until the peer's FIN, then release.

        After timeout_s without it we send FIN too, and after as much again release anyway.
        A descriptor closed with unread data would send RST instead of FIN (RFC 1122 4.2.2.13).
        """
        if self._state >= _ENDED:
            return
        self._state = _ENDED
        self._settle(1006, "", None, "us")
        self._discard(timeout_s)

    def hold(self, read_bytes_per_s: float = 0.0) -> None:
        """Keep the socket until release() or reset(); nothing is sent, answered or handed on any more.

        What arrives is read at this rate (0: never, infinite: at once) and thrown away. on_closed tells that the
        peer has ended it, as far as reading shows.
        """
        if self._state >= _ENDED:
            return
        self._state = _ENDED
        self._reader.stop()
        if read_bytes_per_s == math.inf:
            self._reader.start(self._read_held, RECV_BYTES)
        elif read_bytes_per_s:
            self._drain_timer = get_hub().loop.timer(HOLD_READ_S, HOLD_READ_S)
            self._drain_timer.start(self._read_held, max(1, round(read_bytes_per_s * HOLD_READ_S)))

    def close_unread(self, timeout_s: float = UNREAD_S) -> None:
        """Stop reading, and release as soon as data waits unread, which sends RST; at the latest after timeout_s."""
        if self._state >= _ENDED:
            return
        self._state = _ENDED
        self._settle(1006, "", None, "us")
        self._reader.stop()
        self._reader.start(self.release)
        self._drain_timer = get_hub().loop.timer(timeout_s)
        self._drain_timer.start(self.release)

    def set_option(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option of the TCP socket (setsockopt(2)), unless nothing is left of it."""
        if self._state != _RELEASED:
            self._tcp.setsockopt(level, name, value)

    def reset(self) -> None:
        """Send RST now, dropping what is queued here and in the kernel (RFC 9293 3.10.5, ABORT)."""
        if self._state != _RELEASED:
            self._socket.setsockopt(names.SOL_SOCKET, names.SO_LINGER, NO_LINGER)
            self.release()

    def pause_reading(self) -> None:
        """Take nothing more from the socket: the kernel's buffers fill, pings stay unanswered."""
        if self._state != _RELEASED:
            self._reader.stop()

    def resume_reading(self) -> None:
        """Undo pause_reading()."""
        if self._state < _ENDED and not self._reader.active:
            self._start_with(b"")

    def release(self) -> None:
        """Detach all watchers and close the descriptor; the kernel sends FIN, or RST when data is unread."""
        if self._state == _RELEASED:
            return
        self._state = _RELEASED
        self._settle(1006, "", None, "us")
        for watcher in (self._reader, self._writer, self._drain_timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._writer = self._drain_timer = self._queue = None
        self._socket.close()
        self._changed()

    @property
    def _on_event(self) -> Callable[[], None]:
        """What reads: one of three ways, by what the socket can do."""
        if self._tls:
            return self._on_tls_readable
        return self._on_stamped if self._stamped else self._on_readable

    @property
    def _tcp(self) -> Any:
        """The TCP socket: of a TLS socket the one below."""
        return getattr(self._socket, "_sock", self._socket)

    @property
    def _tls(self) -> bool:
        return self._tcp is not self._socket

    # reading, on the hub

    def _on_stamped(self) -> None:
        """Read once, with the kernel's word on when it arrived."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(RECV_BYTES, STAMP_SPACE)
        except WOULD_BLOCK:
            return
        except OSError as error:
            self._lost(_lost_by(error))
            return
        self.lag_ns = lag_ns = _lag_ns(ancillary)
        self._take(data, _monotonic_ns() - lag_ns if lag_ns > 0 else _monotonic_ns())

    def _on_readable(self) -> None:
        """Read once, where the kernel stamps nothing."""
        try:
            data = self._socket.recv(RECV_BYTES)
        except WOULD_BLOCK:
            return
        except OSError as error:
            self._lost(_lost_by(error))
            return
        self._take(data, _monotonic_ns())

    def _take(self, data: bytes, arrival_ns: int) -> None:
        if not data:
            self._lost(ConnectionLost("the peer sent FIN without a close frame"))
            return
        if data[0] == WHOLE_TEXT and self._parser.idle and data[1] == len(data) - 2 and data[1] < 126:
            try:  # one short, whole text frame: nothing to hold, nothing to put together
                text = data[2:].decode()
            except UnicodeDecodeError:
                pass  # the parser will say so
            else:
                self._hand_over(text, arrival_ns)
                return
        self._events(self._parser.feed(data), arrival_ns)

    def _hand_over(self, message: str | bytes, arrival_ns: int) -> None:
        try:
            self.on_message(self, message, arrival_ns)
        except Exception as error:  # noqa: BLE001 - the caller's code must not end the hub
            _log.error("on_message of connection %s raised; the connection ends", self.id, exc_info=error)
            if self._state < _ENDED:
                self._fail(1011, "the client's handler failed", error, "handler")

    def _on_tls_readable(self) -> None:
        """Read until the TLS layer is empty: what it has decrypted already wakes no watcher."""
        for _ in range(TLS_RECORDS_AT_ONCE):
            if self._state >= _ENDED or not self._reader.active:
                return
            try:
                data = self._socket.recv(RECV_BYTES)
            except WOULD_BLOCK:
                return
            except OSError as error:
                self._lost(_lost_by(error))
                return
            if not data:
                self._lost(ConnectionLost("the peer ended the TLS session without a close frame"))
                return
            self._events(self._parser.feed(data), _monotonic_ns())
        get_hub().loop.run_callback(self._on_tls_readable)

    def _start_with(self, early: bytes) -> None:
        if self._state >= _ENDED or self._reader.active:
            return
        self._reader.start(self._on_event)
        if self._tls:
            get_hub().loop.run_callback(self._on_tls_readable)
        if early:
            self._events(self._parser.feed(early), _monotonic_ns())

    def _events(self, events: list[frames.Event], arrival_ns: int) -> None:
        for event in events:
            if self._state >= _ENDED:
                return
            if event.__class__ is str or event.__class__ is bytes:
                self._hand_over(event, arrival_ns)
            else:
                self._control(event)

    def _control(self, event: frames.Event) -> None:
        if isinstance(event, frames.Ping):
            if self._queued_bytes < MAX_QUEUED_BYTES:  # else a peer that pings and does not read fills our memory
                self.write_raw(frames.build(frames.PONG, event.data))
        elif isinstance(event, frames.Close):
            self._closed_by_peer(event)
        elif isinstance(event, ProtocolError):
            self._fail(event.code, str(event), event, "protocol")

    def _closed_by_peer(self, close: frames.Close) -> None:
        began_it = self._state == _OPEN
        self._settle(close.code, close.reason, None, "peer" if began_it else "us")
        if began_it:
            self.write_raw(frames.build(frames.CLOSE, close.payload))
        self._state = _ENDED
        self._discard(DRAIN_S)
        self._changed()
        self._report(began_it)

    def _fail(self, code: int, reason: str, error: BaseException, by: Literal["protocol", "handler"]) -> None:
        """Fail the connection (RFC 6455 7.1.7): close frame, FIN, nothing that arrives counts any more."""
        was_open = self._state == _OPEN
        self._settle(code, reason, error, by if was_open else "us")
        if was_open:
            self.write_raw(frames.close_frame(code, reason.encode()[:120].decode(errors="ignore")))
        self._state = _ENDED
        self._discard(DRAIN_S)
        self._end_writing()
        self._changed()
        self._report(was_open)

    def _lost(self, error: ConnectionLost) -> None:
        was_open = self._state == _OPEN
        self._settle(1006, "", error, "peer" if was_open else "us")
        self.release()
        self._report(was_open)

    def _report(self, peer_ended_it: bool) -> None:
        if not (peer_ended_it and self.on_closed and self.closure):
            return
        try:
            self.on_closed(self, self.closure)
        except Exception:  # noqa: BLE001 - the caller's code must not end the hub
            _log.exception("on_closed of connection %s raised", self.id)

    def _discard(self, timeout_s: float) -> None:
        """Read only to throw away, until the peer's FIN (of TLS its close_notify) or the deadline."""
        self._reader.stop()
        self._reader.start(self._on_discardable)
        self._drain_timer = get_hub().loop.timer(timeout_s, timeout_s)
        self._drain_timer.start(self._on_drained_too_long)

    def _on_drained_too_long(self) -> None:
        """A peer that does not end it gets our FIN, and as much time again; then it is left to the kernel."""
        if self._fin_wanted:
            self.release()
        else:
            self._end_writing()

    def _on_discardable(self) -> None:
        if self._state == _RELEASED:
            return
        try:
            for _ in range(TLS_RECORDS_AT_ONCE if self._tls else 1):
                if not self._socket.recv(RECV_BYTES):
                    self.release()
                    return
        except WOULD_BLOCK:
            return
        except OSError:
            self.release()
            return
        if self._tls:  # more may be decrypted already, which wakes no watcher
            get_hub().loop.run_callback(self._on_discardable)

    def _read_held(self, at_most: int) -> None:
        """Read once for nobody, but see the end."""
        try:
            data = self._socket.recv(at_most)
        except WOULD_BLOCK:
            return
        except OSError as error:
            lost = _lost_by(error)
        else:
            for event in self._parser.feed(data):
                if isinstance(event, frames.Close):
                    self._settle(event.code, event.reason, None, "peer")
            if data:
                return
            lost = ConnectionLost("the peer sent FIN without a close frame")
        self._settle(1006, "", lost, "peer")
        self.release()
        self._report(True)

    # writing

    def _enqueue(self, data: bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(data)
        self._queued_bytes += len(data)
        if self._writer is None:
            self._writer = get_hub().loop.io(self._socket.fileno(), WRITABLE)
            self._writer.start(self._on_writable)

    def _on_writable(self) -> None:
        queue = self._queue
        try:
            while queue:
                sent = self._socket.send(queue[0])
                self._queued_bytes -= sent
                if sent != len(queue[0]):
                    queue[0] = queue[0][sent:]
                    return
                queue.popleft()
        except WOULD_BLOCK:
            return
        except OSError as error:
            self._broken(error)
            return
        self._stop_writer()
        if self._fin_wanted:
            self._send_fin()

    def _stop_writer(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
            self._writer = None
        self._queue = None
        self._queued_bytes = 0

    def _broken(self, error: OSError) -> ConnectionLost:
        """The socket takes no more. What the peer said before is still to be read, and tells why it ended."""
        self._stop_writer()
        lost = _lost_by(error)
        if self._state != _RELEASED and not self._reader.active:  # reading is paused: nobody else will notice
            get_hub().loop.run_callback(self._lost, lost)
        return lost

    def _end_writing(self) -> None:
        self._fin_wanted = True
        if not self._queue:
            self._send_fin()

    def _send_fin(self) -> None:
        try:
            self._tcp.shutdown(names.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # ENOTCONN: the peer's RST was first, and reading will tell
                raise

    # waiting

    def _settle(self, code: int, reason: str, error: BaseException | None, by: Any) -> None:
        """Keep how it ended; the first to know is right."""
        if self.closure is None:
            self.closure = Closure(code=code, reason=reason, error=error, by=by)

    def _why_not(self) -> WireError:
        closure = self.closure
        if closure is None or (closure.by == "us" and closure.error is None):
            return ConnectionClosed(
                closure.code if closure else 1005, "", f"connection {self.id} was closed or dropped by us"
            )
        if isinstance(closure.error, WireError):
            return closure.error
        return ConnectionClosed(
            closure.code, closure.reason, f"connection {self.id} ended: {closure.code} {closure.reason}".rstrip()
        )

    def _wait_for_change(self, deadline: float | None) -> bool:
        """Switch to the hub until something happened to this connection; False: the deadline has passed."""
        _check_may_wait()
        remaining = None if deadline is None else deadline - time.monotonic()
        if remaining is not None and remaining <= 0:
            return False
        if self._signal is None:
            self._signal = Signal()
        self._signal.clear()
        return bool(self._signal.wait(remaining))

    def _changed(self) -> None:
        if self._signal is not None:
            self._signal.set()


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


def _lost_by(error: OSError) -> ConnectionLost:
    if isinstance(error, ConnectionResetError):
        return ConnectionLost("the peer sent RST")
    return ConnectionLost(f"the connection broke: {error}")


def status_of(head: bytes) -> int:
    """Give the status of an HTTP head; 0 where there is none."""
    _, _, rest = head.partition(b"\r\n")[0].partition(b" ")
    try:
        return int(rest.partition(b" ")[0])
    except ValueError:
        return 0


def parse_headers(head: bytes) -> dict[str, str]:
    """Give the headers of an HTTP head; names in lower case, repeated ones joined with ", " (RFC 9110 5.3)."""
    headers: dict[str, str] = {}
    for line in head.split(b"\n")[1:]:  # a bare newline ends a line too, as websocket-client reads it
        name, separator, value = line.decode("latin-1").partition(":")
        if separator:
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
