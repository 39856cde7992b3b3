"""HTTP answers to an upgrade, right ones and spoilt ones, from a seed; and websocket-client's own word on each."""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Sequence
from typing import Any, cast

from websocket import WebSocketBadStatusException, WebSocketConnectionClosedException, WebSocketException
from websocket._handshake import _get_resp_headers, _validate

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ACCEPT = b"{accept}"
"""Stands in a pattern where the accept key does."""
WHOLE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\nDate: Fri, 20 Nov 2026 13:18:23 GMT\r\nServer: test\r\n\r\n",
    b"HTTP/1.1 101 \r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\nsec-websocket-accept:"
    + ACCEPT
    + b"\r\n"
    b"sec-websocket-protocol: chat\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nSEC-WEBSOCKET-ACCEPT: " + ACCEPT + b"\r\nUpgrade: websocket\r\n"
    b"Connection: upgrade\r\nX-Long: " + b"x" * 300 + b"\r\n\r\n",
)
LINES = (
    b"Sec-WebSocket-Accept: " + ACCEPT,
    b" sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    b"\x0bSec-WebSocket-Accept: " + ACCEPT,
    b"Sec-WebSoc\xe2\x84\xaaet-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",  # K, the sign of Kelvin: its lower case is k
    b"Sec-WebSocket-Accept : " + ACCEPT,
    b"Upgrade: h2c",
    b"Upgrade: h2c, websocket",
    b"Connection: close",
    b"Sec-WebSocket-Protocol: chat",
    b"Sec-WebSocket-Protocol: other",
    b"Sec-WebSocket-Extensions: permessage-deflate",
    b"Location: /elsewhere",
    b"Content-Length: 5",
    b"Content-Length: many",
    b"no colon",
    b"X-Latin: \xe9",
    b" ",
    b"",
)
STATUSES = (b"101", b"200", b"301", b"308", b"404", b"503", b"1O1", b"0", b"")


def pattern(choice: random.Random) -> bytes:
    """A right answer or one with up to three faults, with ACCEPT where its accept key is to stand."""
    head = choice.choice(WHOLE)
    for _ in range(choice.choice((0, 0, 1, 1, 2, 3))):
        head = choice.choice((_with_a_line, _without_a_line, _twice, _with_a_status, _with_a_byte))(choice, head)
    return head


def accept_key(key: str) -> bytes:
    """What the server has to answer to this key (RFC 6455 4.2.2)."""
    return base64.b64encode(hashlib.sha1(f"{key}{GUID}".encode()).digest())


def judged(answer: bytes, key: str, subprotocols: Sequence[str]) -> str:
    """What websocket-client makes of the answer, byte by byte: "101" and the like, "refused", "closed" or "invalid"."""
    try:
        status, headers = _get_resp_headers(cast(Any, _Bytes(answer)))
    except WebSocketBadStatusException:
        return "refused"
    except WebSocketConnectionClosedException:
        return "refused" if b"\r\n\r\n" in answer else "closed"  # it wanted the body, which nobody needs
    except WebSocketException:
        return "invalid"
    if status != 101:
        return str(status)
    is_good = _validate(headers, key, list(subprotocols))[0]
    return "101" if is_good and not _has_unasked(answer, subprotocols) else "invalid"


def _has_unasked(answer: bytes, subprotocols: Sequence[str]) -> bool:
    """What websocket-client does not look at: a server must not choose what was not offered (RFC 6455 4.1)."""
    head = answer.partition(b"\r\n\r\n")[0]
    asked = {"sec-websocket-protocol"} if subprotocols else set()
    lines = (line.partition(":") for line in head.decode("latin-1").lower().split("\n"))
    chosen = {name.strip() for name, _, value in lines if value.strip()}
    return bool(chosen & {"sec-websocket-protocol", "sec-websocket-extensions"} - asked)


class _Bytes:
    """A socket that has this to say, then FIN."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def gettimeout(self) -> float:
        return 1.0

    def recv(self, count: int) -> bytes:
        data, self._data = self._data[:count], self._data[count:]
        return data


def _with_a_line(choice: random.Random, head: bytes) -> bytes:
    lines = head.split(b"\r\n")
    lines.insert(choice.randrange(1, len(lines) - 1), choice.choice(LINES))
    return b"\r\n".join(lines)


def _without_a_line(choice: random.Random, head: bytes) -> bytes:
    lines = head.split(b"\r\n")
    del lines[choice.randrange(len(lines) - 1)]
    return b"\r\n".join(lines)


def _twice(choice: random.Random, head: bytes) -> bytes:
    lines = head.split(b"\r\n")
    lines.insert(choice.randrange(1, len(lines) - 1), choice.choice(lines))
    return b"\r\n".join(lines)


def _with_a_status(choice: random.Random, head: bytes) -> bytes:
    return b"HTTP/1.1 " + choice.choice(STATUSES) + head[12:]


def _with_a_byte(choice: random.Random, head: bytes) -> bytes:
    place = choice.randrange(len(head))
    return head[:place] + bytes((choice.randrange(256),)) + head[place + choice.randrange(2) :]
