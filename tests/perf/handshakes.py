"""The CPU of one opening handshake without I/O, request and response: ours, websockets' and websocket-client's.

Run alone: `python -m tests.perf.handshakes`. All three ask the same and judge the same response of a Django server.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import timeit
from collections.abc import Callable
from typing import Any, cast

from websocket._handshake import _get_handshake_headers, _get_resp_headers, _validate
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from loadtest.wire.address import parse
from loadtest.wire.handshake import GUID, Handshake, handshake_options

TIMES = 2000
REPEATS = 7
URL = "ws://127.0.0.1:8000/ws/"
RESPONSE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: %s\r\nDate: Fri, 20 Nov 2026 13:18:23 GMT\r\nServer: uvicorn\r\n\r\n"
)
_address = parse(URL)
_uri = parse_uri(URL)
_silent = logging.getLogger("tests.perf.handshakes")
_silent.setLevel(logging.CRITICAL)


def main() -> dict[str, dict[str, float]]:
    """Measure each in turn and keep its fastest repeat: what disturbs the machine only makes it slower."""
    found = {name: {"cpu_us_each": _microseconds(shake)} for name, shake in HANDSHAKES.items()}
    for name, figures in found.items():
        ratio = figures["cpu_us_each"] / found["wire"]["cpu_us_each"]
        print(f"handshake, {name}: {figures['cpu_us_each']:.1f} µs ({ratio:.1f} × wire)")
    return found


def _microseconds(shake: Callable[[], None]) -> float:
    return min(timeit.repeat(shake, number=TIMES, repeat=REPEATS)) / TIMES * 1e6


def _wire() -> None:
    handshake = Handshake(_address, handshake_options([("X-Loadtest-Connection", "42")]))
    assert handshake.receive(_answer_to(handshake._key)) is not None


def _websockets() -> None:
    protocol = ClientProtocol(_uri, logger=_silent)
    request = protocol.connect()
    request.headers["X-Loadtest-Connection"] = "42"
    protocol.send_request(request)
    b"".join(protocol.data_to_send())
    protocol.receive_data(_answer_to(protocol.key.encode()))
    assert protocol.handshake_exc is None


def _websocket_client() -> None:
    lines, key = _get_handshake_headers(
        _address.resource, URL, _address.host, _address.port, {"header": ["X-Loadtest-Connection: 42"]}
    )
    "\r\n".join(lines).encode()
    _, headers = _get_resp_headers(cast(Any, _Arrived(_answer_to(key.encode()))))
    assert _validate(headers, key, None)[0]


def _answer_to(key: bytes) -> bytes:
    return RESPONSE % base64.b64encode(hashlib.sha1(key + GUID).digest())


class _Arrived:
    """A socket on which the response waits; websocket-client reads it byte by byte."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def gettimeout(self) -> float:
        return 1.0

    def recv(self, count: int) -> bytes:
        begin, self._at = self._at, self._at + count
        return self._data[begin : self._at]


HANDSHAKES: dict[str, Callable[[], None]] = {
    "wire": _wire,
    "websockets": _websockets,
    "websocket-client": _websocket_client,
}

if __name__ == "__main__":
    main()
