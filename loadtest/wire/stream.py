"""A non-blocking socket while it opens: waits on the hub, reads an HTTP head in large pieces."""

from __future__ import annotations

import errno
import os
import socket as names
import ssl
from collections.abc import Callable
from typing import Any, Final

import gevent.socket
from gevent import get_hub, getcurrent

from loadtest.wire.connection import READABLE, WRITABLE
from loadtest.wire.errors import HandshakeClosed, HandshakeInvalid

MAX_HEAD_BYTES: Final = 1 << 16
"""Longest HTTP head taken from a server; others give up at 8 to 64 KiB."""
ANY_TIMEOUT_S: Final = 10.0


class BodyWanted(Exception):
    """websocket-client asks for the body of an error page; nobody needs it, and it may be endless."""


class Stream:
    """The socket, and what has come on it; websocket-client may take it for a socket of its own.

    websocket-client reads a head byte by byte, one system call each. Its line reader gets a line here in two pieces
    (all but the newline, the newline), which it puts together like any other; its checks all stay.
    """

    __slots__ = ("_lines", "_reader", "_secure", "early", "head", "socket")

    def __init__(self, socket: Any) -> None:
        """Take a non-blocking socket."""
        self.socket = socket
        self.head = b""
        """The last HTTP head that was read, each of its lines with its end, without the empty line behind them."""
        self.early = b""
        """What came in one piece with the head: the first frames."""
        self._lines: list[bytes] | None = None  # of the head, in halves, last first
        self._reader: Any = None
        self._secure = False

    # what websocket-client calls

    def send(self, data: bytes) -> int:
        """Send all of it: websocket-client does not look how much was sent."""
        left = data
        while left:
            sent = self._until_done(self.socket.send, left, WRITABLE)
            if not sent:  # how gevent's TLS sockets say that they would block
                self._wait(WRITABLE)
            left = left[sent:]
        return len(data)

    def recv(self, count: int) -> bytes:
        """Give half a line of the head."""
        if self._lines is None:
            self._lines = _halves(self.head or self.read_head())
        if not self._lines:
            raise BodyWanted
        return self._lines.pop()

    def gettimeout(self) -> float:
        """Anything but 0, which would mean that nobody waits; the deadline of opening is the only limit."""
        return ANY_TIMEOUT_S

    # what opening does

    def connect(self, address: Any) -> None:
        """Connect, or raise OSError; on the loopback interface mostly without waiting."""
        error = self.socket.connect_ex(address)
        if error == errno.EINPROGRESS:
            error = self.socket.connect_ex(address)  # a system call costs less than going to the hub and back
        if error in (errno.EINPROGRESS, errno.EALREADY):
            self._wait(WRITABLE)
            error = self.socket.getsockopt(names.SOL_SOCKET, names.SO_ERROR)
        if error not in (0, errno.EISCONN):
            raise OSError(error, os.strerror(error))

    def start_tls(self, context: Any, host: str) -> None:
        """Do the TLS handshake; the socket is gevent's TLS socket from now on."""
        self._close_reader()
        self._secure = True
        plain = gevent.socket.socket(fileno=self.socket.detach())
        try:
            plain.settimeout(0.0)
            self.socket = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        self._until_done(self.socket.do_handshake, None, WRITABLE)

    def read_head(self) -> bytes:
        """Wait for an HTTP head, keep it and give it; raises HandshakeClosed and HandshakeInvalid."""
        data = b""
        if not self._secure:  # a TLS layer may hold it already
            self._wait(READABLE)  # what was asked for just now is not there yet: asking the kernel is in vain
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > MAX_HEAD_BYTES:
                raise HandshakeInvalid(f"the server's HTTP head did not end within {MAX_HEAD_BYTES} bytes")
            more = self._until_done(self.socket.recv, MAX_HEAD_BYTES, READABLE)
            if not more:
                raise HandshakeClosed(f"the server closed the connection in the handshake, after {data[:80]!r}")
            data += more
            if not data.startswith(b"HTTP/1."[: len(data)]):
                raise HandshakeInvalid(f"the server does not speak HTTP/1.1, its answer begins with {data[:80]!r}")
        self.head, self.early = data[: end + 2], data[end + 4 :]
        return self.head

    def forget_head(self) -> None:
        """The head read so far was the proxy's; the next one is the server's."""
        self.head, self._lines = b"", None

    def take_reader(self) -> Any:
        """Give the stopped watcher that waited for the answer, which the taker has to close; None: there is none."""
        reader, self._reader = self._reader, None
        return reader

    def close(self) -> None:
        """Close the socket."""
        self._close_reader()
        self.socket.close()

    def _close_reader(self) -> None:
        if (reader := self.take_reader()) is not None:
            reader.close()

    def _until_done(self, operation: Callable[..., Any], argument: Any, event: int) -> Any:
        while True:
            try:
                return operation() if argument is None else operation(argument)
            except ssl.SSLWantReadError:
                self._wait(READABLE)
            except ssl.SSLWantWriteError:
                self._wait(WRITABLE)
            except BlockingIOError:
                self._wait(event)

    def _wait(self, event: int) -> None:
        """Switch to the hub until the socket is ready: what hub.wait() does, with 600 bytes less of stack to keep."""
        hub = get_hub()
        if event == READABLE:
            if self._reader is None:
                self._reader = hub.loop.io(self.socket.fileno(), READABLE)
            watcher = self._reader
        else:
            watcher = hub.loop.io(self.socket.fileno(), event)
        try:
            watcher.start(getcurrent().switch, watcher)
            woken_by = hub.switch()
            assert woken_by is watcher, f"something else than the socket woke this greenlet: {woken_by!r}"
        finally:
            watcher.stop()
            if watcher is not self._reader:
                watcher.close()


def _halves(head: bytes) -> list[bytes]:
    """Cut a head into what websocket-client's line reader takes, last piece first.

    Set-Cookie is left out: websocket-client would keep it for every later connection of the process.
    """
    pieces: list[bytes] = [b"\n", b"\r"]
    for line in reversed(head.split(b"\n")[:-1]):
        if line[:11].lower() != b"set-cookie:":
            pieces += (b"\n", line) if line else (b"\n",)
    return pieces
