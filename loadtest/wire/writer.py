"""The sending half of the pump: bytes to the socket now, or through a queue when it is full; FIN behind them."""

from __future__ import annotations

import errno
import socket as names
import ssl
from collections import deque
from typing import Any, Final

from gevent import get_hub

from loadtest.wire.errors import ConnectionLost
from loadtest.wire.protocol import Protocol

WRITABLE: Final = 2  # libev's EV_WRITE
WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
MAX_QUEUED_BYTES: Final = 1 << 20
"""What may wait for a peer that does not read; one more message is always taken when nothing waits."""


class Writer:
    """A non-blocking socket, and what waits to be sent on it."""

    __slots__ = ("_fin_wanted", "_protocol", "_queue", "_queued_bytes", "_reader", "_socket", "_writer", "released")

    _socket: Any
    _protocol: Protocol
    _reader: Any
    _writer: Any
    _queue: deque[bytes] | None
    _queued_bytes: int
    _fin_wanted: bool
    released: bool
    """Nothing is left of it here: no watcher, no descriptor."""

    @property
    def _tcp(self) -> Any:
        """The TCP socket; of a TLS socket the one below."""
        return getattr(self._socket, "_sock", self._socket)

    @property
    def _tls(self) -> bool:
        return self._tcp is not self._socket

    def _lost(self, error: ConnectionLost) -> None:
        """Take note that the peer has ended the TCP connection."""
        raise NotImplementedError

    def _write(self, data: bytes) -> ConnectionLost | None:
        """Send now, or queue. Return the error when the socket takes no more, for those who want to know at once."""
        if not data or self._fin_wanted:
            return None
        if self._queue:
            self._enqueue(data)
            return None
        try:
            sent = self._socket.send(data)
        except WOULD_BLOCK:
            sent = 0
        except OSError as error:
            return self._broken(error)
        if sent != len(data):
            self._enqueue(data[sent:])
        return None

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
        self._stop_writing()
        if self._fin_wanted:
            self._send_fin()

    def _stop_writing(self) -> None:
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
            self._writer = None
        self._queue = None
        self._queued_bytes = 0

    def _broken(self, error: OSError) -> ConnectionLost:
        """Stop writing: the socket takes no more. What the peer said before is still to be read, and tells why."""
        self._stop_writing()
        lost = lost_by(error)
        if not (self.released or self._reader.active):  # reading is paused: nobody else will notice
            get_hub().loop.run_callback(self._lost, lost)
        return lost

    def _end_writing(self) -> None:
        """Send FIN after what is queued."""
        self._fin_wanted = True
        if not self._queue:
            self._send_fin()

    def _send_fin(self) -> None:
        try:
            self._tcp.shutdown(names.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # ENOTCONN: the peer's RST was first, and reading will tell
                raise


def lost_by(error: OSError) -> ConnectionLost:
    """Say in our words what the socket's error means."""
    if isinstance(error, ConnectionResetError):
        return ConnectionLost("the peer sent RST")
    return ConnectionLost(f"the connection broke: {error}")
