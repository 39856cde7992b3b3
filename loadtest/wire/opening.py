"""Open a WebSocket: address, TCP, proxy, TLS and handshake within one deadline; the only door to websocket-client."""

from __future__ import annotations

import errno
import functools
import re
import socket as names
import ssl
import time
from _socket import getaddrinfo  # the C functions: monkey-patching leaves them alone
from _socket import socket as TCPSocket
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import unquote, urljoin, urlsplit

import gevent.socket
import gevent.ssl
from gevent import Timeout, get_hub, getcurrent
from websocket import WebSocketBadStatusException, WebSocketConnectionClosedException, WebSocketException
from websocket._handshake import handshake
from websocket._http import _tunnel
from websocket._url import parse_url

from loadtest.wire import deflate
from loadtest.wire.connection import Closure, Connection, parse_headers
from loadtest.wire.errors import (
    BadURL,
    HandshakeClosed,
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
SCHEMES: Final = {"http": "ws", "https": "wss"}
"""A redirect names the page's address as often as the socket's."""
RESOLVED_FOR_S: Final = 60.0
"""How long a looked-up address is used again: a look-up takes a thread and 100 µs."""
RECV_BYTES: Final = 1 << 16
READABLE: Final = 1
WRITABLE: Final = 2

ACCEPT_LINE: Final = re.compile(rb"\r\nsec-websocket-accept:[^\r]*", re.IGNORECASE)

Address = tuple[int, int, int, Any]  # family, type, protocol, socket address


def open_connection(
    url: str,
    *,
    connection_id: int = 0,
    headers: Iterable[tuple[str, str]] = (),
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    cookies: Mapping[str, str] | None = None,
    compression: bool = False,
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
    compression: offer permessage-deflate, as browsers do. ca_file: PEM file of the only CA to trust; insecure: trust
    anybody. proxy: http://[user:password@]host:port (the environment's proxy variables are not used). Redirects are
    followed 3 times. A server's Set-Cookie stays with this connection (`headers`); no other one sends it.

    Raises OpenFailed in one of its forms (see errors.py).
    """
    options = asked(headers, origin=origin, subprotocols=subprotocols, cookies=cookies, compression=compression)
    try:
        with Timeout(timeout_s, _DeadlinePassed):
            stream = _open_stream(url, options, ca_file, insecure, proxy)
    except _DeadlinePassed:
        raise OpenTimeout(f"{url} was not open within {timeout_s} s") from None
    try:
        return Connection(
            stream.socket,
            connection_id=connection_id,
            head=_one_copy(ACCEPT_LINE.sub(b"", stream.head)),
            early=stream.early,
            on_message=on_message,
            on_closed=on_closed,
            max_message_bytes=max_message_bytes,
            deflate=_agreed_deflate(stream.head, compression),
        )
    except BaseException:
        stream.close()
        raise


def asked(
    headers: Iterable[tuple[str, str]],
    *,
    origin: str | None,
    subprotocols: Sequence[str],
    cookies: Mapping[str, str] | None = None,
    compression: bool,
) -> dict[str, Any]:
    """What the request asks for, in websocket-client's words."""
    lines = [f"{name}: {value}" for name, value in headers]
    if compression:
        lines.append(f"Sec-WebSocket-Extensions: {deflate.OFFER}")
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items()) if cookies else None
    return {"header": lines, "origin": origin, "subprotocols": list(subprotocols), "cookie": cookie}


@functools.lru_cache(maxsize=256)
def _one_copy(head: bytes) -> bytes:
    """Thousands of connections get the same answer, but for the accept key, which has been checked."""
    return head


class _DeadlinePassed(Exception):
    """The time for opening is over, whatever was being waited for."""


class _BodyWanted(Exception):
    """websocket-client asks for the body of an error page; nobody needs it, and it may be endless."""


class _Stream:
    """A non-blocking socket as websocket-client sees it while it opens: waits on the hub, reads in large pieces.

    websocket-client reads a head byte by byte, one system call each. Its line reader gets a line here in two pieces
    (all but the newline, the newline), which it puts together like any other; its checks all stay.
    """

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.head = b""
        self.early = b""
        """What came in one piece with the head: the first frames."""
        self._lines: list[bytes] = []  # of the head, in halves, last first

    # what websocket-client calls

    def send(self, data: bytes) -> int:
        left = data
        while left:  # websocket-client does not look how much was sent
            sent = self._until_done(self.socket.send, left, WRITABLE)
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
        """Anything but 0, which would mean that nobody waits; the deadline of opening is the only limit."""
        return OPEN_TIMEOUT_S

    # what opening does

    def connect(self, address: Any) -> None:
        error = self.socket.connect_ex(address)
        if error == errno.EINPROGRESS:
            self._wait(WRITABLE)
            error = self.socket.getsockopt(names.SOL_SOCKET, names.SO_ERROR)
        if error:
            raise OSError(error, errno.errorcode.get(error, "?"))

    def forget_head(self) -> None:
        """The head read so far was the proxy's; the next one is the server's."""
        self.head = b""

    def start_tls(self, context: Any, host: str) -> None:
        plain = gevent.socket.socket(fileno=self.socket.detach())
        try:
            plain.settimeout(0.0)
            self.socket = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        except BaseException:
            plain.close()
            raise
        self._until_done(self.socket.do_handshake, None, WRITABLE)

    def close(self) -> None:
        self.socket.close()

    def _read_head(self) -> None:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > MAX_HEAD_BYTES:
                raise HandshakeInvalid(f"the server's HTTP head did not end within {MAX_HEAD_BYTES} bytes")
            more = self._until_done(self.socket.recv, RECV_BYTES, READABLE)
            if not more:
                raise HandshakeClosed(f"the server closed the connection in the handshake, after {data[:80]!r}")
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
        """Switch to the hub until the socket is ready: what hub.wait() does, with 600 bytes less of stack to keep."""
        hub = get_hub()
        watcher = hub.loop.io(self.socket.fileno(), event)
        try:
            watcher.start(getcurrent().switch, watcher)
            woken_by = hub.switch()
            assert woken_by is watcher, f"something else than the socket woke this greenlet: {woken_by!r}"
        finally:
            watcher.stop()
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


def _open_stream(url: str, options: dict[str, Any], ca_file: str | None, insecure: bool, proxy: str | None) -> _Stream:
    """Connect and shake hands, following redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        host, port, resource, secure = _parse(url)
        stream = _connect_through(proxy, host, port) if proxy else _connect(host, port)
        try:
            if secure:
                _start_tls(stream, host, port, ca_file, insecure)
            status = _shake_hands(stream, url, host, port, resource, options)
        except BaseException:
            stream.close()
            raise
        if status not in REDIRECTS:
            return stream
        stream.close()
        url = _redirected(stream.head, status, url)
    raise HandshakeRefused(status, f"{url} is redirect number {MAX_REDIRECTS + 1}; give the final address")


@functools.lru_cache(maxsize=1024)
def _parse(url: str) -> tuple[str, int, str, bool]:
    try:
        host, port, resource, secure = parse_url(url)
    except ValueError as error:
        raise BadURL(f"{url!r} is no WebSocket address ({error}); write ws://host:port/path") from None
    return host, port, resource, secure


def _connect(host: str, port: int) -> _Stream:
    """Try each address of the host in turn; raise what the last one gave."""
    failed: OSError | None = None
    for family, kind, protocol, address in _addresses(host, port):
        try:
            return _connect_to(family, kind, protocol, address)
        except OSError as error:
            failed = error
    assert failed is not None
    raise _unreachable(host, port, failed)


def _connect_to(family: int, kind: int, protocol: int, address: Any) -> _Stream:
    socket = TCPSocket(family, kind, protocol)
    try:
        socket.setblocking(False)
        socket.setsockopt(names.IPPROTO_TCP, names.TCP_NODELAY, 1)
        stream = _Stream(socket)
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


def _addresses(host: str, port: int) -> list[Address]:
    known = _looked_up.get((host, port))
    now = time.monotonic()
    if known is not None and now - known[0] < RESOLVED_FOR_S:
        return known[1]
    try:
        found = _look_up(host, port)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host!r} is not known: {error}") from error
    addresses = [(int(family), int(kind), protocol, address) for family, kind, protocol, _, address in found]
    _looked_up[host, port] = (now, addresses)
    return addresses


def _look_up(host: str, port: int) -> list[Any]:
    try:  # of a number without the thread that looks names up
        return getaddrinfo(host, port, 0, names.SOCK_STREAM, names.IPPROTO_TCP, names.AI_NUMERICHOST)
    except names.gaierror:
        return list(gevent.socket.getaddrinfo(host, port, 0, names.SOCK_STREAM, names.IPPROTO_TCP))


def _connect_through(proxy: str, host: str, port: int) -> _Stream:
    """Let the HTTP proxy build a tunnel (RFC 9110 9.3.6)."""
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyFailed(f"{proxy!r} is no HTTP proxy; write http://[user:password@]host:port")
    stream = _connect(parts.hostname, parts.port or 80)
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    try:
        _tunnel(cast(Any, stream), host, port, login)
    except (WebSocketException, _BodyWanted, OSError, HandshakeInvalid, HandshakeClosed) as error:
        stream.close()
        raise ProxyFailed(f"the proxy {parts.hostname} built no tunnel to {host}:{port}: {error}") from error
    except BaseException:
        stream.close()
        raise
    stream.forget_head()
    return stream


def _start_tls(stream: _Stream, host: str, port: int, ca_file: str | None, insecure: bool) -> None:
    try:
        stream.start_tls(_tls_context(ca_file, insecure), host)
    except (OSError, ValueError) as error:
        raise TLSFailed(
            f"no TLS session with {host}:{port}: {error}; pass the server's CA file, or allow insecure"
        ) from error


@functools.lru_cache(maxsize=16)
def _tls_context(ca_file: str | None, insecure: bool) -> Any:
    """One context for all connections that trust the same: loading the CAs takes 20 ms."""
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # or OpenSSL 3 answers a FIN without close_notify by an alert: a word too many after a drop; 1006 tells of the cut
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    else:
        context.load_default_certs()
    return context


def _shake_hands(stream: _Stream, url: str, host: str, port: int, resource: str, options: dict[str, Any]) -> int:
    """Let websocket-client do the opening handshake (RFC 6455 4.1); give the status: 101 or a redirect's."""
    try:
        answer = handshake(cast(Any, stream), url, host, port, resource, **options)
    except (WebSocketBadStatusException, _BodyWanted):
        status = int(stream.head[9:12])
        raise HandshakeRefused(status, f"{url} answered the upgrade with HTTP {status}, not 101") from None
    except (WebSocketConnectionClosedException, OSError) as error:
        raise HandshakeClosed(f"the connection to {url} broke in the handshake: {error}") from error
    except WebSocketException as error:
        raise HandshakeInvalid(f"{url} does not speak WebSocket: {error}") from error
    if answer.status == 101 and not options["subprotocols"] and b"sec-websocket-protocol" in stream.head.lower():
        _check_no_subprotocol(stream.head, url)
    return answer.status


def _check_no_subprotocol(head: bytes, url: str) -> None:
    """A server must not choose what was not asked for (RFC 6455 4.1); websocket-client looks only when it asked."""
    if chosen := parse_headers(head).get("sec-websocket-protocol"):
        raise HandshakeInvalid(f"{url} chose the subprotocol {chosen!r}, which was not asked for")


def _redirected(head: bytes, status: int, url: str) -> str:
    location = parse_headers(head).get("location")
    if not location:
        raise HandshakeRefused(status, f"{url} answered with HTTP {status}, but not where to go")
    target = urljoin(url, location)
    scheme, separator, rest = target.partition(":")
    return SCHEMES.get(scheme, scheme) + separator + rest


def _agreed_deflate(head: bytes, offered: bool) -> deflate.Deflate | None:
    """What the server answered to the extension; a server must not choose one that was not offered (RFC 6455 4.1)."""
    if b"sec-websocket-extensions" not in head.lower():
        return None
    answer = parse_headers(head).get("sec-websocket-extensions")
    if not answer:
        return None
    if not offered:
        raise HandshakeInvalid(f"the server chose the extension {answer!r}, which was not offered")
    return deflate.Deflate(deflate.agreed(answer))
