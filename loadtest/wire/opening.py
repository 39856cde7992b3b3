"""Open a WebSocket: address, TCP, proxy, TLS and upgrade within one deadline, with websocket-client's help."""

from __future__ import annotations

import errno
import functools
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
from websocket import WebSocketException
from websocket._http import _tunnel
from websocket._url import parse_url

from loadtest.wire import deflate
from loadtest.wire.connection import Closure, Connection, parse_headers
from loadtest.wire.deadline import Deadline
from loadtest.wire.errors import (
    BadURL,
    HandshakeClosed,
    HandshakeInvalid,
    HandshakeRefused,
    OpenFailed,
    OutOfDescriptors,
    ProxyFailed,
    TLSFailed,
    Unreachable,
)
from loadtest.wire.frames import MAX_MESSAGE_BYTES
from loadtest.wire.stream import BodyWanted, Stream
from loadtest.wire.upgrade import REDIRECTS, Answer, Place, Wish, answer_to, request, wish_for

OPEN_TIMEOUT_S: Final = 10.0
MAX_REDIRECTS: Final = 3  # as websocket-client has it
SCHEMES: Final = {"http": "ws", "https": "wss"}
"""A redirect names the page's address as often as the socket's."""
RESOLVED_FOR_S: Final = 60.0
"""How long a looked-up address is used again: a look-up takes a thread and 100 µs."""

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
    wish = wish_for(headers, origin=origin, subprotocols=subprotocols, cookies=cookies, compression=compression)
    with Deadline(timeout_s, url):
        stream, answer = _open_stream(url, wish, ca_file, insecure, proxy)
    try:
        return Connection(
            stream.socket,
            connection_id=connection_id,
            head=answer.head,
            early=stream.early,
            reader=stream.take_reader(),
            on_message=on_message,
            on_closed=on_closed,
            max_message_bytes=max_message_bytes,
            deflate=None if answer.agreement is None else deflate.Deflate(answer.agreement),
        )
    except BaseException:
        stream.close()
        raise


def _open_stream(url: str, wish: Wish, ca_file: str | None, insecure: bool, proxy: str | None) -> tuple[Stream, Answer]:
    """Connect and do the upgrade, following redirects."""
    for _ in range(MAX_REDIRECTS + 1):
        place = parse(url)
        stream = _connect_through(proxy, place) if proxy else connect(place.host, place.port)
        try:
            if place.secure:
                start_tls(stream, place, ca_file, insecure)
            answer = _upgrade(stream, place, wish)
        except BaseException:
            stream.close()
            raise
        if answer.status not in REDIRECTS:
            return stream, answer
        stream.close()
        url = _redirected(answer, url)
    raise HandshakeRefused(answer.status, f"{url} is redirect number {MAX_REDIRECTS + 1}; give the final address")


def _upgrade(stream: Stream, place: Place, wish: Wish) -> Answer:
    asked, key = request(place, wish)
    try:
        stream.send(asked)
        return answer_to(key, stream, wish, place.url)
    except OSError as error:
        raise HandshakeClosed(f"the connection to {place.url} broke in the handshake: {error}") from error


@functools.lru_cache(maxsize=1024)
def parse(url: str) -> Place:
    """Take an address apart; raises BadURL."""
    try:
        host, port, resource, secure = parse_url(url)
    except ValueError as error:
        raise BadURL(f"{url!r} is no WebSocket address ({error}); write ws://host:port/path") from None
    return Place(url=url, host=host, port=port, resource=resource, secure=secure)


def connect(host: str, port: int) -> Stream:
    """Try each address of the host in turn; raise what the last one gave, as Unreachable or OutOfDescriptors."""
    failed: OSError | None = None
    for family, kind, protocol, address in _addresses(host, port):
        try:
            return _connect_to(family, kind, protocol, address)
        except OSError as error:
            failed = error
    assert failed is not None
    raise _unreachable(host, port, failed)


def _connect_to(family: int, kind: int, protocol: int, address: Any) -> Stream:
    socket = TCPSocket(family, kind, protocol)
    try:
        socket.setblocking(False)
        socket.setsockopt(names.IPPROTO_TCP, names.TCP_NODELAY, 1)
        stream = Stream(socket)
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


def _connect_through(proxy: str, place: Place) -> Stream:
    """Let the HTTP proxy build a tunnel (RFC 9110 9.3.6)."""
    parts = urlsplit(proxy)
    if parts.scheme != "http" or not parts.hostname:
        raise ProxyFailed(f"{proxy!r} is no HTTP proxy; write http://[user:password@]host:port")
    stream = connect(parts.hostname, parts.port or 80)
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    try:
        _tunnel(cast(Any, stream), place.host, place.port, login)
    except (WebSocketException, BodyWanted, OSError, HandshakeInvalid, HandshakeClosed) as error:
        stream.close()
        raise ProxyFailed(
            f"the proxy {parts.hostname} built no tunnel to {place.host}:{place.port}: {error}"
        ) from error
    except BaseException:
        stream.close()
        raise
    stream.forget_head()
    return stream


def start_tls(stream: Stream, place: Place, ca_file: str | None = None, insecure: bool = False) -> None:
    """Do the TLS handshake; raises TLSFailed."""
    try:
        stream.start_tls(_tls_context(ca_file, insecure), place.host)
    except (OSError, ValueError) as error:
        raise TLSFailed(
            f"no TLS session with {place.host}:{place.port}: {error}; pass the server's CA file, or allow insecure"
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


def _redirected(answer: Answer, url: str) -> str:
    location = parse_headers(answer.head).get("location")
    if not location:
        raise HandshakeRefused(answer.status, f"{url} answered with HTTP {answer.status}, but not where to go")
    target = urljoin(url, location)
    scheme, separator, rest = target.partition(":")
    return SCHEMES.get(scheme, scheme) + separator + rest
