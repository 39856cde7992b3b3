"""The opening handshake (RFC 6455 4.1) without I/O: takes the server's bytes, gives the request and the response.

Written for thousands of connections that ask the same: the request is one string, and a response that was found good
once is good again with another accept key, if that is the right one. CPU of one handshake, request and response:
6 to 10 µs here, 45 to 71 µs with websockets.client.ClientProtocol, 91 to 100 µs with websocket-client (make perf).

The verdict on every response is that of websocket-client, which many servers are tested with; a differential test
compares the two. Only what it does not look at is judged more strictly: an extension or a subprotocol that was not
asked for.
"""

from __future__ import annotations

import os
import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Final
from urllib.parse import urljoin

from loadtest.wire import deflate
from loadtest.wire.address import Address, cookies_for
from loadtest.wire.errors import HandshakeClosed, HandshakeInvalid, HandshakeRefused
from loadtest.wire.http_head import cut_head, parse_headers

SWITCHING_PROTOCOLS: Final = 101
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
SCHEMES: Final = {"http": "ws", "https": "wss"}
"""A redirect may name the address as a page's or as a WebSocket's."""
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
MAX_KNOWN: Final = 256
MAX_KNOWN_BYTES: Final = 4096
"""A longer head is judged each time: what is kept stays below 1 MiB."""

_BEFORE_ACCEPT_KEY: Final = re.compile(rb"\r\nsec-websocket-accept: ?\Z", re.IGNORECASE)
_ACCEPT_LINE: Final = re.compile(rb"\r\nsec-websocket-accept:[^\r]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeOptions:
    """What the request asks for besides the address: see open_connection()."""

    headers: tuple[str, ...] = ()
    """Whole lines."""
    origin: str | None = None
    subprotocols: tuple[str, ...] = ()
    cookie: str | None = None
    compression: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A good response: 101 or a redirect."""

    status: int
    head: bytes
    """Without the accept key; thousands of connections share one."""
    agreement: deflate.Agreement | None = None


class Handshake:
    """One opening handshake: send `request`, then give receive() what comes until it returns the response."""

    __slots__ = ("_data", "_key", "_options", "_url", "early", "request")

    def __init__(self, address: Address, options: HandshakeOptions) -> None:
        self.request, self._key = build_request(address, options)
        self._options = options
        self._url = address.url
        self._data = b""
        self.early = b""
        """What came in one piece with the response: the first frames."""

    def receive(self, data: bytes) -> Response | None:
        """Take the next bytes, none for FIN; return the response when it is whole.

        Raises HandshakeRefused, HandshakeClosed and HandshakeInvalid.
        """
        if not data:
            raise HandshakeClosed(f"the server closed the connection in the handshake, after {self._data[:80]!r}")
        self._data += data
        cut = cut_head(self._data)
        if cut is None:
            return None
        head, self.early = cut
        return check_response(head, self._key, self._options, self._url)


def handshake_options(
    headers: Iterable[tuple[str, str]],
    *,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    cookies: Mapping[str, str] | None = None,
    compression: bool = False,
) -> HandshakeOptions:
    """Put the arguments of open_connection() into the words of a request."""
    lines = [f"{name}: {value}" for name, value in headers]
    if compression:
        lines.append(f"Sec-WebSocket-Extensions: {deflate.OFFER}")
    return HandshakeOptions(
        headers=tuple(lines),
        origin=origin,
        subprotocols=tuple(subprotocols),
        cookie="; ".join([f"{name}={value}" for name, value in cookies.items()]) if cookies else None,
        compression=compression,
    )


def build_request(address: Address, options: HandshakeOptions) -> tuple[bytes, bytes]:
    """Return the request and its key; byte for byte what websocket-client would send."""
    key = b2a_base64(os.urandom(16), newline=False)
    kept = cookies_for(address.host)
    lines = [
        f"GET {address.resource} HTTP/1.1",
        "Upgrade: websocket",
        f"Host: {address.host_header}",
        f"Origin: {address.origin if options.origin is None else options.origin}",
        f"Sec-WebSocket-Key: {key.decode()}",
        "Sec-WebSocket-Version: 13",
        "Connection: Upgrade",
    ]
    if options.subprotocols:
        lines.append(f"Sec-WebSocket-Protocol: {','.join(options.subprotocols)}")
    lines += options.headers
    if kept or options.cookie:
        lines.append(f"Cookie: {'; '.join(filter(None, (kept, options.cookie)))}")
    lines += ("", "")
    return "\r\n".join(lines).encode(), key


def check_response(head: bytes, key: bytes, options: HandshakeOptions, url: str) -> Response:
    """Judge the response to the request with this key; raises HandshakeRefused and HandshakeInvalid."""
    accept = _accept_key(key)
    place = head.find(accept)
    if place < 0:
        return _judge(head, key, options, url)
    before, after = head[:place], head[place + len(accept) :]
    kind = (before, after, options.subprotocols, options.compression)
    known = _known_good.get(kind)
    if known is not None:
        return known
    response = _judge(head, key, options, url)
    if response.status == SWITCHING_PROTOCOLS and _may_be_known(before, after):
        if len(_known_good) >= MAX_KNOWN:
            _known_good.clear()
        _known_good[kind] = response
    return response


_known_good: dict[tuple[Any, ...], Response] = {}
"""By everything that was judged except the accept key."""


def _may_be_known(before: bytes, after: bytes) -> bool:
    """Tell whether the key between the two stands where _judge() reads it, and nowhere else does it read one."""
    names = (before + after).lower()
    is_value = _BEFORE_ACCEPT_KEY.search(before) is not None and after.startswith(b"\r\n")
    return is_value and len(names) <= MAX_KNOWN_BYTES and names.isascii() and names.count(b"sec-websocket-accept") == 1


def _accept_key(key: bytes) -> bytes:
    return b2a_base64(sha1(key + GUID, usedforsecurity=False).digest(), newline=False)


def _judge(head: bytes, key: bytes, options: HandshakeOptions, url: str) -> Response:
    """Check a response line by line."""
    status, headers = _read(head, url)
    if status in REDIRECTS:
        return Response(status=status, head=head)
    if status != SWITCHING_PROTOCOLS:
        if not _is_number(headers.get("content-length") or "0"):
            raise HandshakeInvalid(f"{url} answered with a Content-Length that is no number")
        raise HandshakeRefused(status, f"{url} answered the upgrade with HTTP {status}, not 101")
    if fault := _fault_in(headers, key, options.subprotocols):
        raise HandshakeInvalid(f"{url} does not speak WebSocket: {fault}")
    chosen = parse_headers(head)
    if not options.subprotocols and (subprotocol := chosen.get("sec-websocket-protocol")):
        raise HandshakeInvalid(f"{url} chose the subprotocol {subprotocol!r}, which was not asked for")
    return Response(
        status=status,
        head=_ACCEPT_LINE.sub(b"", head),
        agreement=_agreed(chosen.get("sec-websocket-extensions"), options.compression),
    )


def _read(head: bytes, url: str) -> tuple[int, dict[str, str]]:
    """Return the status and the headers, of repeated ones the last; Set-Cookie, which nobody judges, is left out."""
    status = 0
    headers: dict[str, str] = {}
    try:
        for raw in head.split(b"\n")[:-1]:
            if raw[:11].lower() == b"set-cookie:":
                continue
            line = raw.decode().strip()
            if not line:
                break
            if status:
                name, value = line.split(":", 1)
                headers[name.lower()] = value.strip()
            else:
                status = int(line.split(" ", 2)[1])
    except (ValueError, IndexError):
        raise HandshakeInvalid(f"{url} does not speak WebSocket: it answered with the line {raw[:80]!r}") from None
    return status, headers


def _is_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _fault_in(headers: Mapping[str, str], key: bytes, subprotocols: Sequence[str]) -> str | None:
    """Say what is wrong with the headers of a 101; None when nothing is."""
    for name, wanted in (("upgrade", "websocket"), ("connection", "upgrade")):
        if wanted not in [value.strip() for value in headers.get(name, "").lower().split(",")]:
            return f"the header {name} is not {wanted!r}, but {headers.get(name)!r}"
    if subprotocols and headers.get("sec-websocket-protocol", "").lower() not in map(str.lower, subprotocols):
        return f"it chose none of the subprotocols {', '.join(subprotocols)}"
    if headers.get("sec-websocket-accept", "").lower().encode() != _accept_key(key).lower():
        return f"its accept key is wrong: {headers.get('sec-websocket-accept')!r}"
    return None


def _agreed(extension: str | None, offered: bool) -> deflate.Agreement | None:
    """Refuse an extension that was not offered (section 4.1)."""
    if not extension:
        return None
    if not offered:
        raise HandshakeInvalid(f"the server chose the extension {extension!r}, which was not offered")
    return deflate.agreed(extension)


def redirect_target(response: Response, url: str) -> str:
    """Return the URL that a redirect names; raises HandshakeRefused when it names none."""
    location = parse_headers(response.head).get("location")
    if not location:
        raise HandshakeRefused(response.status, f"{url} answered with HTTP {response.status}, but not where to go")
    scheme, colon, rest = urljoin(url, location).partition(":")
    return SCHEMES.get(scheme, scheme) + colon + rest
