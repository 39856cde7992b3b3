"""The pump: moves bytes between a socket and the protocol on gevent's hub; one recv a wake-up, no reader greenlet.

A round trip costs 10.4 µs of CPU and an idle user 9.8 KB. Greenlets that read with websocket-client's recv() cost 75.7
µs and 13.2 KB in the same run (make perf, echo and idle).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from gevent import get_hub
from gevent.event import Event as Signal

from loadtest.wire import arrivals
from loadtest.wire.errors import ConnectionLost
from loadtest.wire.frames import Close, Parsed, Ping
from loadtest.wire.protocol import ENDED, INTERNAL_ERROR, OPEN, Closure, Protocol
from loadtest.wire.writer import MAX_QUEUED_BYTES, WOULD_BLOCK, Writer, lost_by

READABLE: Final = 1  # libev's EV_READ
RECV_BYTES: Final = (1 << 16) + (1 << 12)
"""One recv a wake-up takes at most this much, so that no connection starves the others.

A message of 64 KiB and its header in one piece cost half of what they cost in two; a buffer of more than 128 KiB would
come from mmap(2) each time.
"""
TLS_RECORDS_AT_ONCE: Final = 4
"""A TLS record holds at most 16 KiB, so this is about RECV_BYTES."""
DRAIN_S: Final = 10.0
"""How long a connection that we have ended may wait for the peer's FIN before its descriptor is closed."""

_log = logging.getLogger(__name__)
_stamp_space = arrivals.STAMP_SPACE
_monotonic_ns = time.monotonic_ns
_lag_ns = arrivals.lag_ns


class Pump(Writer):
    """Reads when the socket is readable, hands messages over and sends what the protocol answers."""

    __slots__ = ("_drain_timer", "_signal", "_stamped", "id", "lag_ns", "on_closed", "on_message")

    def __init__(
        self,
        socket: Any,
        protocol: Protocol,
        connection_id: int,
        reader: Any,
        early: bytes,
        on_message: Callable[[Any, str | bytes, int], None],
        on_closed: Callable[[Any, Closure], None] | None,
    ) -> None:
        self._socket = socket
        self._protocol = protocol
        self._writer = self._queue = None
        self._queued_bytes = 0
        self._fin_wanted = self.released = False
        self.id = connection_id
        self.on_message = on_message
        self.on_closed = on_closed
        self.lag_ns = -1
        """Nanoseconds from the arrival of the last message to its handing over; -1 where the kernel does not tell."""
        self._signal: Signal | None = None
        self._drain_timer: Any = None
        is_tls = self._tls
        self._stamped = not is_tls and arrivals.has_stamps(socket)
        loop = get_hub().loop
        self._reader = reader or loop.io(socket.fileno(), READABLE)
        if early or is_tls:  # a TLS layer may hold decrypted bytes already, which wake no watcher
            loop.run_callback(self._start_reading, early)
        else:
            self._reader.start(self._on_event)

    @property
    def _on_event(self) -> Callable[[], None]:
        """What reads: one of three ways, by what the socket can do."""
        if self._tls:
            return self._on_tls_readable
        return self._on_stamped if self._stamped else self._on_readable

    def _start_reading(self, early: bytes = b"") -> None:
        if self._protocol.state == ENDED or self._reader.active:
            return
        self._reader.start(self._on_event)
        if self._tls:
            get_hub().loop.run_callback(self._on_tls_readable)
        if early:
            self._take(early, _monotonic_ns())

    def _on_stamped(self) -> None:
        """Read once, with the kernel's word on when it arrived."""
        try:
            data, ancillary, _, _ = self._socket.recvmsg(RECV_BYTES, _stamp_space)
        except WOULD_BLOCK:
            return
        except OSError as error:
            self._lost(lost_by(error))
            return
        self.lag_ns = lag_ns = _lag_ns(ancillary)
        arrival_ns = _monotonic_ns()
        if lag_ns > 0:
            arrival_ns -= lag_ns
        text = self._protocol.short_text(data)
        if text is None:
            self._take(data, arrival_ns)
            return
        try:  # as _take() would, in two calls less
            self.on_message(self, text, arrival_ns)
        except Exception as error:  # noqa: BLE001 - the caller's code must not end the hub
            self._handler_failed(error)

    def _on_readable(self) -> None:
        """Read once, where the kernel stamps nothing."""
        try:
            data = self._socket.recv(RECV_BYTES)
        except WOULD_BLOCK:
            return
        except OSError as error:
            self._lost(lost_by(error))
            return
        self._take(data, _monotonic_ns())

    def _on_tls_readable(self) -> None:
        """Read until the TLS layer is empty: what it has decrypted already wakes no watcher."""
        for _ in range(TLS_RECORDS_AT_ONCE):
            if self._protocol.state == ENDED or not self._reader.active:
                return
            try:
                data = self._socket.recv(RECV_BYTES)
            except WOULD_BLOCK:
                return
            except OSError as error:
                self._lost(lost_by(error))
                return
            if not data:
                self._lost(ConnectionLost("the peer ended the TLS session without a close frame"))
                return
            self._take(data, _monotonic_ns())
        get_hub().loop.run_callback(self._on_tls_readable)

    def _take(self, data: bytes, arrival_ns: int) -> None:
        """Hand the messages over and answer the rest, in order, until one of them ends the connection."""
        if not data:
            self._lost(ConnectionLost("the peer sent FIN without a close frame"))
            return
        protocol = self._protocol
        for event in protocol.feed(data):
            if protocol.state == ENDED:
                return
            if event.__class__ is str or event.__class__ is bytes:
                if self.lag_ns >= 0:
                    self.lag_ns = _monotonic_ns() - arrival_ns
                try:
                    self.on_message(self, event, arrival_ns)
                except Exception as error:  # noqa: BLE001 - as above
                    self._handler_failed(error)
            else:
                self._respond(event)

    def _handler_failed(self, error: Exception) -> None:
        _log.error("on_message of connection %s raised; the connection ends", self.id, exc_info=error)
        protocol = self._protocol
        if protocol.state != ENDED:
            was_open = protocol.state == OPEN
            self._write(protocol.fail(INTERNAL_ERROR, "the client's handler failed", error, "handler"))
            self._ended(was_open, send_fin=True)

    def _respond(self, event: Parsed) -> None:
        if isinstance(event, Ping) and self._queued_bytes >= MAX_QUEUED_BYTES:
            return  # or a peer that pings and does not read would fill our memory
        was_open = self._protocol.state == OPEN
        self._write(self._protocol.respond(event))
        if self._protocol.state == ENDED:
            self._ended(was_open, send_fin=not isinstance(event, Close))

    def _ended(self, was_open: bool, *, send_fin: bool) -> None:
        """Wait for the peer's FIN, and tell that the connection has ended."""
        self._discard(DRAIN_S)
        if send_fin:
            self._end_writing()
        self._changed()
        self._report(was_open)

    def _lost(self, error: ConnectionLost) -> None:
        was_open = self._protocol.state == OPEN
        self._protocol.lose(error)
        self.release()
        self._report(was_open)

    def _report(self, peer_ended_it: bool) -> None:
        closure = self._protocol.closure
        if not (peer_ended_it and self.on_closed and closure):
            return
        try:
            self.on_closed(self, closure)
        except Exception:  # noqa: BLE001 - the caller's code must not end the hub
            _log.exception("on_closed of connection %s raised", self.id)

    # the end of it

    def _discard(self, timeout_s: float) -> None:
        """Read only to throw away, until the peer's FIN (of TLS its close_notify) or the deadline."""
        self._reader.stop()
        self._reader.start(self._on_discardable)
        self._drain_timer = get_hub().loop.timer(timeout_s, timeout_s)
        self._drain_timer.start(self._on_drained_too_long)

    def _on_discardable(self) -> None:
        if self.released:
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

    def _on_drained_too_long(self) -> None:
        """Send FIN to a peer that does not end it; after as much time again leave it to the kernel."""
        if self._fin_wanted:
            self.release()
        else:
            self._end_writing()

    def release(self) -> None:
        """Detach all watchers and close the descriptor; the kernel sends FIN, or RST when data is unread."""
        if self.released:
            return
        self.released = True
        self._protocol.end()
        for watcher in (self._reader, self._writer, self._drain_timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._writer = self._drain_timer = self._queue = None
        self._socket.close()
        self._changed()

    def _changed(self) -> None:
        """Wake the greenlet that waits for this connection."""
        if self._signal is not None:
            self._signal.set()
