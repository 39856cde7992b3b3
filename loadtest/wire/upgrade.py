"""The HTTP upgrade (RFC 6455 4.1): websocket-client builds each kind of request and judges each kind of answer, once.

It takes 100 µs for a request and its answer, and thousands of connections ask and hear the same but for their key,
their path and their own headers. So the request that it built for one of them serves as the pattern for all that are
to go to the same place, and an answer that it once found good is good again with another accept key, if that is the
right one. Every other answer goes to websocket-client.
"""

from __future__ import annotations

import functools
import os
import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any, Final, cast

from websocket import WebSocketBadStatusException, WebSocketConnectionClosedException, WebSocketException
from websocket._handshake import CookieJar, _get_handshake_headers, _get_resp_headers, _validate

from loadtest.wire import deflate
from loadtest.wire.connection import parse_headers, status_of
from loadtest.wire.errors import HandshakeClosed, HandshakeInvalid, HandshakeRefused
from loadtest.wire.stream import BodyWanted, Stream

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # section 1.3
MAX_KNOWN: Final = 256
MAX_KNOWN_BYTES: Final = 4096
"""A longer head is judged each time: what is kept stays below 1 MiB."""

_USUAL_ACCEPT: Final = re.compile(rb"\r\n[Ss]ec-[Ww]eb[Ss]ocket-[Aa]ccept: ?([A-Za-z0-9+/]{27}=)\r\n")
_ACCEPT_LINE: Final = re.compile(rb"\r\nsec-websocket-accept:[^\r]*", re.IGNORECASE)
_RESOURCE: Final = "{resource}"
_OWN_HEADERS: Final = "{own headers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to ask, taken apart; resource is path and query."""

    url: str
    host: str
    port: int
    resource: str
    secure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for besides the connection: see open_connection()."""

    headers: tuple[str, ...] = ()
    """Whole lines."""
    origin: str | None = None
    subprotocols: tuple[str, ...] = ()
    cookie: str | None = None
    compression: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A good one: 101, or a redirect."""

    status: int
    head: bytes
    """Without the accept key; thousands of connections share one."""
    agreement: deflate.Agreement | None = None


def wish_for(
    headers: Iterable[tuple[str, str]],
    *,
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    cookies: Mapping[str, str] | None = None,
    compression: bool = False,
) -> Wish:
    """Put what open_connection() was given into the words of a request."""
    lines = [f"{name}: {value}" for name, value in headers]
    if compression:
        lines.append(f"Sec-WebSocket-Extensions: {deflate.OFFER}")
    return Wish(
        headers=tuple(lines),
        origin=origin,
        subprotocols=tuple(subprotocols),
        cookie="; ".join([f"{name}={value}" for name, value in cookies.items()]) if cookies else None,
        compression=compression,
    )


def request(place: Place, wish: Wish) -> tuple[bytes, bytes]:
    """Give the request and its key."""
    key = b2a_base64(os.urandom(16), newline=False)
    jar = CookieJar.get(place.host) if CookieJar.jar else ""
    before_key, before_headers, end = _pattern(
        place.host, place.port, place.secure, wish.origin, wish.subprotocols, wish.cookie, jar
    )
    own = "".join([f"{line}\r\n" for line in wish.headers])
    text = f"GET {place.resource}{before_key}{key.decode()}{before_headers}{own}{end}"
    return text.encode(), key


@functools.lru_cache(maxsize=256)
def _pattern(
    host: str,
    port: int,
    secure: bool,
    origin: str | None,
    subprotocols: tuple[str, ...],
    cookie: str | None,
    _jar: str,
) -> tuple[str, str, str]:
    """Have websocket-client build a request; give what stands between its resource, its key and its own headers.

    websocket-client itself adds the cookies of its jar, which other code of this process may fill at any time.
    """
    options = {"header": [_OWN_HEADERS], "origin": origin, "subprotocols": list(subprotocols), "cookie": cookie}
    lines, key = _get_handshake_headers(_RESOURCE, "wss:" if secure else "ws:", host, port, options)
    at_key = lines.index(f"Sec-WebSocket-Key: {key}")
    at_headers = lines.index(_OWN_HEADERS, at_key)
    first = lines[0].removeprefix(f"GET {_RESOURCE}")
    before_key = "\r\n".join([first, *lines[1:at_key], "Sec-WebSocket-Key: "])
    before_headers = "\r\n".join(["", *lines[at_key + 1 : at_headers], ""])
    return before_key, before_headers, "\r\n".join(lines[at_headers + 1 :])


def answer_to(key: bytes, stream: Stream, wish: Wish, url: str) -> Answer:
    """Read the answer to the request with this key; raises HandshakeRefused, HandshakeClosed and HandshakeInvalid."""
    head = stream.read_head()
    accept = _USUAL_ACCEPT.search(head)
    if accept is None:
        return _judged(key, stream, wish, url)
    kind = (head[: accept.start(1)], head[accept.end(1) :], wish.subprotocols, wish.compression)
    known = _known_good.get(kind)
    if known is not None and accept[1] == _accept_key(key):
        return known
    answer = _judged(key, stream, wish, url)
    if answer.status == 101 and _may_be_known(head):
        if len(_known_good) >= MAX_KNOWN:
            _known_good.clear()
        _known_good[kind] = answer
    return answer


_known_good: dict[tuple[Any, ...], Answer] = {}
"""By all that was judged but the accept key."""


def _may_be_known(head: bytes) -> bool:
    """Whether the accept key that was found is all that websocket-client can have taken for one."""
    return len(head) <= MAX_KNOWN_BYTES and head.isascii() and head.lower().count(b"sec-websocket-accept") == 1


def _accept_key(key: bytes) -> bytes:
    return b2a_base64(sha1(key + GUID, usedforsecurity=False).digest(), newline=False)


def _judged(key: bytes, stream: Stream, wish: Wish, url: str) -> Answer:
    """Let websocket-client judge the answer; what it does not look at is looked at here."""
    try:
        status, headers = _get_resp_headers(cast(Any, stream))
        if status not in REDIRECTS and not _validate(headers, key.decode(), list(wish.subprotocols))[0]:
            raise WebSocketException("Invalid WebSocket Header")
    except (WebSocketBadStatusException, BodyWanted):
        status = status_of(stream.head)
        raise HandshakeRefused(status, f"{url} answered the upgrade with HTTP {status}, not 101") from None
    except WebSocketConnectionClosedException as error:
        raise HandshakeClosed(f"the connection to {url} broke in the handshake: {error}") from error
    except WebSocketException as error:
        raise HandshakeInvalid(f"{url} does not speak WebSocket: {error}") from error
    if status in REDIRECTS:
        return Answer(status=status, head=stream.head)
    chosen = parse_headers(stream.head)
    if not wish.subprotocols and (subprotocol := chosen.get("sec-websocket-protocol")):
        raise HandshakeInvalid(f"{url} chose the subprotocol {subprotocol!r}, which was not asked for")
    return Answer(
        status=status,
        head=_ACCEPT_LINE.sub(b"", stream.head),
        agreement=_agreed(chosen.get("sec-websocket-extensions"), wish.compression),
    )


def _agreed(extension: str | None, offered: bool) -> deflate.Agreement | None:
    """A server must not choose an extension that was not offered (section 4.1)."""
    if not extension:
        return None
    if not offered:
        raise HandshakeInvalid(f"the server chose the extension {extension!r}, which was not offered")
    return deflate.agreed(extension)
