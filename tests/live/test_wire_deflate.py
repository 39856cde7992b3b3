"""permessage-deflate against a server that compresses."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from loadtest.wire import open_connection
from tests.live.wire_processes import Helper, helper

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def server() -> Iterator[Helper]:
    with helper("wire_echo_server.py") as process:
        yield process


def test_deflate_when_offered_is_agreed_on_and_carries_messages(server: Helper) -> None:
    ws = open_connection(f"ws://127.0.0.1:{server.port}/", compression=True)
    assert ws.headers["sec-websocket-extensions"].startswith("permessage-deflate")
    choice = random.Random(3)
    for _ in range(200):
        message = "".join(choice.choices("abc ☃\n", k=choice.choice((0, 1, 50, 5000, 100_000))))
        ws.send(message)
        assert ws.recv(timeout_s=10) == message
    ws.send(choice.randbytes(50_000))
    assert len(ws.recv(timeout_s=10)) == 50_000
    assert ws.close().code == 1000


def test_deflate_when_not_asked_for_is_not_offered(server: Helper) -> None:
    ws = open_connection(f"ws://127.0.0.1:{server.port}/")
    assert "sec-websocket-extensions" not in ws.headers
    ws.close()
