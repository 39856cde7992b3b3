"""Code for websocket-client runs on our wire as it is: each test goes through both libraries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from loadtest.wire import websocket_client_api
from tests.live.wire_processes import Helper, helper

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server() -> Iterator[Helper]:
    with helper("wire_echo_server.py") as process:
        yield process


@pytest.fixture(scope="module")
def hostile() -> Iterator[Helper]:
    with helper("wire_hostile_server.py") as process:
        yield process


@pytest.fixture(params=[websocket, websocket_client_api], ids=["websocket-client", "ours"])
def library(request: pytest.FixtureRequest) -> Any:
    return request.param


def url(process: Helper, path: str = "/") -> str:
    return f"ws://127.0.0.1:{process.port}{path}"


def test_messages_when_sent_come_back(library: Any, server: Helper) -> None:
    ws = library.create_connection(url(server), timeout=10)
    assert ws.connected
    ws.send("text")
    assert ws.recv() == "text"
    ws.send_text("☃")
    assert ws.recv() == "☃"
    ws.send_bytes(b"\x00\xff")
    assert ws.recv() == b"\x00\xff"
    ws.send_binary(b"")
    assert ws.recv() == b""
    ws.ping("there?")
    ws.send(b"bytes as text")
    assert ws.recv() == "bytes as text"
    ws.close()
    assert not ws.connected


def test_handshake_when_given_options_sends_and_shows_them(library: Any, server: Helper) -> None:
    ws = library.create_connection(
        url(server), timeout=10, header={"X-One": "1"}, cookie="a=b", origin="http://o", subprotocols=["chat.v2"]
    )
    ws.send("!headers")
    sent = dict(json.loads(ws.recv())[1])
    assert (sent["X-One"], sent["Cookie"], sent["Origin"]) == ("1", "a=b", "http://o")
    assert (ws.getstatus(), ws.status, ws.getsubprotocol()) == (101, 101, "chat.v2")
    assert ws.getheaders()["upgrade"] == "websocket"
    ws.close(4000, b"bye")


def test_recv_when_nothing_comes_times_out(library: Any, server: Helper) -> None:
    ws = library.create_connection(url(server), timeout=10, header=["X-Two: 2"])
    ws.settimeout(0.05)
    assert ws.gettimeout() == 0.05
    with pytest.raises(websocket.WebSocketTimeoutException):
        ws.recv()
    ws.shutdown()


def test_recv_when_the_server_is_gone_raises(library: Any, server: Helper) -> None:
    ws = library.create_connection(url(server), timeout=10)
    ws.send("!close 4001 enough")
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        assert ws.recv() == ""
        ws.recv()
    ws.close()


def test_open_when_refused_tells_the_status(library: Any, hostile: Helper) -> None:
    with pytest.raises(websocket.WebSocketBadStatusException) as raised:
        library.create_connection(url(hostile, "/403"), timeout=10)
    assert raised.value.status_code == 403


def test_open_when_the_server_is_none_raises(library: Any, hostile: Helper) -> None:
    with pytest.raises(websocket.WebSocketException):
        library.create_connection(url(hostile, "/wrong-accept"), timeout=10)
