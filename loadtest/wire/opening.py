"""Open a WebSocket: address, TCP, proxy, TLS and handshake within one deadline; the only door to websocket-client."""

from __future__ import annotations

import errno
import functools
import socket as names
import ssl
import time
from _socket import socket as TCPSocket  # the C class: monkey-patching leaves it alone
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, cast
from urllib.parse import unquote, urlsplit

import gevent.socket
import gevent.ssl
from gevent import Timeout, get_hub
from websocket import (
    WebSocket,
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketProxyException,
)
from websocket._http import _tunnel
from websocket._url import parse_url

from loadtest.wire.connection import Closure, Connection, parse_headers
from loadtest.wire.errors import (
    BadURL,
    HandshakeInvalid,
    HandshakeRefused,
    OpenFailed,
    OpenTimeout,
    OutOfDescriptors,
    ProxyFailed,
    TLSFailed,
    Unreachable,
)
from loadtest.wire.frames import MAX_MESSAGE_BYTES

OPEN_TIMEOUT_S: Final = 10.0
MAX_HEAD_BYTES: Final = 1 << 16
"""Longest HTTP head taken from a server; others give up at 8 to 64 KiB."""
MAX_REDIRECTS: Final = 3  # as websocket-client has it
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
RESOLVED_FOR_S: Final = 60.0
"""How long a looked-up address is used again: a look-up takes a thread and 100 µs."""
RECV_BYTES: Final = 1 << 16
READABLE: Final = 1
WRITABLE: Final = 2

Address = tuple[int, int, int, Any]  # family, type, protocol, socket address


def open_connection(
    url: str,
    *,
    connection_id: int = 0,
    headers: Iterable[tuple[str, str]] = (),
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    cookies: Mapping[str, str] | None = None,
    timeout_s: float = OPEN_TIMEOUT_S,
    ca_file: str | None = None,
    insecure: bool = False,
    proxy: str | None = None,
    on_message: Callable[[Connection, str | bytes, int], None] | None = None,
    on_closed: Callable[[Connection, Closure], None] | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> Connection:
    """Open a WebSocket and give its Connection; only the calling greenlet waits.

    url: ws://host[:80]/path or wss://host[:443]/path. origin: None sends the target's own, as a page of it would.
    ca_file: PEM file of the only CA to trust; insecure: trust anybody. proxy: http://[user:password@]host:port (the
    environment's proxy variables are not used). Redirects are followed 3 times. A server's Set-Cookie stays with this
    connection (`headers`), it is never sent by another.

    Raises OpenFailed in one of its forms (see errors.py).
    """
    deadline = time.monotonic() + timeout_s
    try:
        for _ in range(MAX_REDIRECTS + 1):
            stream = _reach(url, deadline, ca_file, insecure, proxy)
            try:
                location = _shake_hands(stream, url, headers, origin, subprotocols, cookies)
                if location is None:
                    return Connection(
                        stream.hand_over(),
                        connection_id=connection_id,
                        head=stream.head,
                        early=bytes(stream.early),
                        on_message=on_message,
                        on_closed=on_closed,
                        max_message_bytes=max_message_bytes,
                    )
            except BaseException:
                stream.close()
                raise
            stream.close()
            url = location
        raise HandshakeRefused(302, f"{url} is redirect number {MAX_REDIRECTS + 1}; give the final address")
    except _DeadlinePassed:
        raise OpenTimeout(f"{url} was not open within {timeout_s} s") from None


class _DeadlinePassed(Exception):
    """The time for opening is over, whatever was being waited for."""


class _BodyWanted(Exception):
    """websocket-client asks for the body of an error page; nobody needs it, and it may be endless."""


class _Stream:
    """A non-blocking socket as websocket-client sees it while it opens: waits on the hub, reads in large pieces.

    websocket-client reads a head byte by byte, one system call each. Its line reader gets a line here in two pieces
    (all but the newline, the newline), which it puts together like any other; its checks all stay.
    """

    def __init__(self, socket: Any, deadline: float) -> None:
        self._socket: Any = socket
        self._deadline = deadline
        self._lines: list[bytes] = []  # of the head, in halves, last first
        self.head = b""
        self.early = b""
        """What came in one piece with the head: the first frames."""

    # what websocket-client calls

    def send(self, data: bytes) -> int:
        left = data
        while left:  # websocket-client does not look how much was sent
            sent = self._until_done(self._socket.send, left, WRITABLE)
            if not sent:  # how gevent's TLS sockets say that they would block
                self._wait(WRITABLE)
            left = left[sent:]
        return len(data)

    def recv(self, count: int) -> bytes:
        if not self._lines:
            if self.head:
                raise _BodyWanted
            self._read_head()
        return self._lines.pop()

    def gettimeout(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)

    def settimeout(self, timeout: float | None) -> None:
        """Nothing to set: the deadline is the only limit."""

    def close(self) -> None:
        self._socket.close()

    # what opening does

    def connect(self, address: Any) -> None:
        error = self._socket.connect_ex(address)
        if error == errno.EINPROGRESS:
            self._wait(WRITABLE)
            error = self._socket.getsockopt(names.SOL_SOCKET, names.SO_ERROR)
        if error:
            raise OSError(error, errno.errorcode.get(error, "?"))

    def forget_head(self) -> None:
        """The head read so far was the proxy's; the next one is the server's."""
        self.head = b""

    def start_tls(self, context: Any, host: str) -> None:
        plain = gevent.socket.socket(fileno=self._socket.detach())
        try:
            plain.settimeout(0.0)
            self._socket = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        self._until_done(self._socket.do_handshake, None, WRITABLE)

    def hand_over(self) -> Any:
        """Give the socket away: it is the Connection's from here."""
        return self._socket

    def _read_head(self) -> None:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > MAX_HEAD_BYTES:
                raise HandshakeInvalid(f"the server's HTTP head did not end within {MAX_HEAD_BYTES} bytes")
            more = self._until_done(self._socket.recv, RECV_BYTES, READABLE)
            if not more:
                raise HandshakeInvalid(
                    f"the server closed the connection in its HTTP head, after {data[:80]!r}"
                    if data
                    else "the server closed the connection without an answer"
                )
            data += more
            if not data.startswith(b"HTTP/1."[: len(data)]):
                raise HandshakeInvalid(f"the server does not speak HTTP/1.1, its answer begins with {data[:80]!r}")
        self.head, self.early = data[: end + 2], data[end + 4 :]
        self._lines = _halves(self.head)

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
        hub = get_hub()
        watcher = hub.loop.io(self._socket.fileno(), event)
        try:
            with Timeout(self._deadline - time.monotonic(), _DeadlinePassed):
                hub.wait(watcher)
        finally:
            watcher.close()


def _halves(head: bytes) -> list[bytes]:
    """Cut a head into what websocket-client's line reader takes, last piece first.

    Set-Cookie is left out: websocket-client would keep it for every later connection of the process.
    """
    pieces: list[bytes] = [b"\n", b"\r"]
    for line in reversed(head.split(b"\r\n")[:-1]):
        if line[:11].lower() != b"set-cookie:":
            pieces += (b"\n", line + b"\r")
    return pieces


def _reach(url: str, deadline: float, ca_file: str | None, insecure: bool, proxy: str | None) -> _Stream:
    """Connect to the target, through the proxy when there is one, with TLS when the URL says so."""
    host, port, _, secure = _parse(url)
    stream = _connect_through(proxy, host, port, deadline) if proxy else _connect(host, port, deadline)
    if secure:
        try:
            stream.start_tls(_tls_context(ca_file, insecure), host)
        except (OSError, ValueError) as error:
            stream.close()
            raise TLSFailed(
                f"no TLS session with {host}:{port}: {error}; pass the server's CA file, or allow insecure"
            ) from error
        except BaseException:
            stream.close()
            raise
    return stream


@functools.lru_cache(maxsize=1024)
def _parse(url: str) -> tuple[str, int, str, bool]:
    try:
        host, port, resource, secure = parse_url(url)
    except ValueError as error:
        raise BadURL(f"{url!r} is no WebSocket address ({error}); write ws://host:port/path") from None
    return host, port, resource, secure


def _connect(host: str, port: int, deadline: float) -> _Stream:
    """Try each address of the host in turn; raise what the last one gave."""
    failed: OSError | None = None
    for family, kind, protocol, address in _addresses(host, port, deadline):
        try:
            return _connect_to(family, kind, protocol, address, deadline)
        except OSError as error:
            failed = error
    assert failed is not None
    raise _unreachable(host, port, failed)


def _connect_to(family: int, kind: int, protocol: int, address: Any, deadline: float) -> _Stream:
    socket = TCPSocket(family, kind, protocol)
    try:
        socket.setblocking(False)
        socket.setsockopt(names.IPPROTO_TCP, names.TCP_NODELAY, 1)
        stream = _Stream(socket, deadline)
        stream.connect(address)
    except BaseException:
        socket.close()
        raise
    return stream


def _unreachable(host: str, port: int, error: OSError) -> OpenFailed:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return OutOfDescriptors("no more files may be opened by this process; raise `ulimit -n` or open fewer")
    if error.errno == errno.EADDRNOTAVAIL:
        return Unreachable(f"no local port is left for {host}:{port}; open fewer connections, or target more addresses")
    if error.errno == errno.ECONNREFUSED:
        return Unreachable(f"nothing listens on {host}:{port}; is the server up?")
    return Unreachable(f"{host}:{port} cannot be reached: {error.strerror}")


_looked_up: dict[tuple[str, int], tuple[float, list[Address]]] = {}


def _addresses(host: str, port: int, deadline: float) -> list[Address]:
    known = _looked_up.get((host, port))
    now = time.monotonic()
    if known is not None and now - known[0] < RESOLVED_FOR_S:
        return known[1]
    try:
        with Timeout(deadline - now, _DeadlinePassed):
            found = gevent.socket.getaddrinfo(host, port, 0, names.SOCK_STREAM, names.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host!r} is not known: {error}") from error
    addresses = [(int(family), int(kind), protocol, address) for family, kind, protocol, _, address in found]
    _looked_up[host, port] = (now, addresses)
    return addresses


def _connect_through(proxy: str, host: str, port: int, deadline: float) -> _Stream:
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyFailed(f"{proxy!r} is no HTTP proxy; write http://[user:password@]host:port")
    stream = _connect(parts.hostname, parts.port or 80, deadline)
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    try:
        _tunnel(cast(Any, stream), host, port, login)
    except (WebSocketProxyException, _BodyWanted, OSError, HandshakeInvalid) as error:
        stream.close()
        raise ProxyFailed(
            f"the proxy {parts.hostname}:{parts.port} built no tunnel to {host}:{port}: {error}"
        ) from error
    except BaseException:
        stream.close()
        raise
    stream.forget_head()
    return stream


@functools.lru_cache(maxsize=16)
def _tls_context(ca_file: str | None, insecure: bool) -> Any:
    """One context for all connections that trust the same: loading the CAs takes 20 ms."""
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    else:
        context.load_default_certs()
    return context


def _shake_hands(
    stream: _Stream,
    url: str,
    headers: Iterable[tuple[str, str]],
    origin: str | None,
    subprotocols: Sequence[str],
    cookies: Mapping[str, str] | None,
) -> str | None:
    """Let websocket-client do the opening handshake (RFC 6455 4.1); give the next URL when it is a redirect."""
    client: Any = WebSocket(enable_multithread=False)
    try:
        client.connect(
            url,
            socket=stream,
            header=[f"{name}: {value}" for name, value in headers],
            origin=origin,
            subprotocols=list(subprotocols),
            cookie="; ".join(f"{name}={value}" for name, value in cookies.items()) if cookies else None,
            redirect_limit=0,
            timeout=None,
        )
    except WebSocketBadStatusException as error:
        raise _refused(error.status_code, url) from None
    except _BodyWanted:
        raise _refused(int(stream.head.split(b" ", 2)[1]), url) from None
    except WebSocketException as error:
        answer = client.handshake_response
        if answer is not None and answer.status in REDIRECTS and (location := answer.headers.get("location")):
            return str(location)
        _not_a_websocket(error, url)
    except OSError as error:
        raise HandshakeInvalid(f"the connection to {url} broke in the handshake: {error}") from error
    _check_extensions(stream.head, url)
    return None


def _refused(status: int, url: str) -> HandshakeRefused:
    return HandshakeRefused(status, f"{url} answered the upgrade with HTTP {status}, not 101")


def _not_a_websocket(error: WebSocketException, url: str) -> NoReturn:
    if isinstance(error, WebSocketConnectionClosedException):
        raise HandshakeInvalid(f"{url} closed the connection in the handshake") from error
    raise HandshakeInvalid(f"{url} does not speak WebSocket: {error}") from error


def _check_extensions(head: bytes, url: str) -> None:
    """A server must not choose an extension that was not offered (RFC 6455 4.1); websocket-client does not look."""
    if b"extensions" in head.lower() and (chosen := parse_headers(head).get("sec-websocket-extensions")):
        raise HandshakeInvalid(f"{url} chose the extension {chosen!r}, which was not offered")
