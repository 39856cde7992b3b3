"""A non-blocking socket while it opens: the calling greenlet waits for it on gevent's hub."""

from __future__ import annotations

import errno
import os
import socket as names
import ssl
from collections.abc import Callable
from typing import Any, Final

import gevent.socket
from gevent import get_hub

from loadtest.wire.pump import READABLE
from loadtest.wire.writer import WRITABLE

RECV_BYTES: Final = 1 << 16


class Stream:
    """A socket that connects, sends and receives, each until it is done."""

    __slots__ = ("_reader", "_secure", "socket")

    def __init__(self, socket: Any) -> None:
        """Take a non-blocking socket."""
        self.socket = socket
        self._reader: Any = None
        self._secure = False

    def connect(self, address: Any) -> None:
        """Connect, or raise OSError; on the loopback interface mostly without waiting."""
        error = self.socket.connect_ex(address)
        if error == errno.EINPROGRESS:
            error = self.socket.connect_ex(address)  # saves a turn of the hub: 10 µs of 130 an opening (make perf)
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

    def send(self, data: bytes) -> None:
        """Send all of it."""
        while data:
            sent = self._until_done(self.socket.send, data, WRITABLE)
            if not sent:  # how gevent's TLS sockets say that they would block
                self._wait(WRITABLE)
            data = data[sent:]

    def receive(self) -> bytes:
        """Wait for the next bytes; none for FIN."""
        if not self._secure:  # a TLS layer may hold them already
            self._wait(READABLE)  # what was asked for just now is not there yet: asking the kernel is in vain
        data: bytes = self._until_done(self.socket.recv, RECV_BYTES, READABLE)
        return data

    def take_reader(self) -> Any:
        """Return the stopped watcher that waited for the answer, to be closed by the caller; None when there is none.

        With a watcher of its own an open connection costs 3 µs and 240 bytes more (make perf, open and idle).
        """
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
        """Switch to the hub until the socket is ready."""
        hub = get_hub()
        if event == READABLE:
            if self._reader is None:
                self._reader = hub.loop.io(self.socket.fileno(), READABLE)
            hub.wait(self._reader)
            return
        writer = hub.loop.io(self.socket.fileno(), event)
        try:
            hub.wait(writer)
        finally:
            writer.close()
