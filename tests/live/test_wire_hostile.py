"""Servers that misbehave: each is counted under its own name, nothing hangs or grows, other connections go on."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from loadtest.wire import (
    BadURL,
    Closure,
    Connection,
    ConnectionClosed,
    HandshakeRefused,
    OpenFailed,
    OpenTimeout,
    ReceiveTimeout,
    WireError,
    open_connection,
)
from tests.live.wire_processes import Helper, helper, wait_until

pytestmark = pytest.mark.live

SOAK = bool(os.environ.get("LOADTEST_SOAK"))
LIMIT = 100_000


@pytest.fixture(scope="module")
def server() -> Iterator[Helper]:
    with helper("wire_hostile_server.py") as process:
        yield process


@pytest.fixture(autouse=True)
def leaves_no_descriptor(server: Helper) -> Iterator[None]:
    before = descriptors()
    yield
    wait_until(lambda: descriptors() == before, "all descriptors closed")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def url(server: Helper, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/garbage", "invalid handshake"),
        ("/endless-headers", "invalid handshake"),
        ("/wrong-accept", "invalid handshake"),
        ("/no-upgrade-header", "invalid handshake"),
        ("/bad-status-line", "invalid handshake"),
        ("/bad-header-line", "invalid handshake"),
        ("/close", "closed in the handshake"),
        ("/half-an-answer", "closed in the handshake"),
        ("/reset", "closed in the handshake"),
        ("/unasked-extension", "invalid handshake"),
        ("/unasked-subprotocol", "invalid handshake"),
        ("/200", "refused 200"),
        ("/401", "refused 401"),
        ("/403", "refused 403"),
        ("/404", "refused 404"),
        ("/500", "refused 500"),
        ("/503", "refused 503"),
        ("/endless-body", "refused 503"),
        ("/redirect-loop", "refused 301"),
        ("/redirect-nowhere", "refused 302"),
        ("/redirect-to-nonsense", "bad url"),
    ],
)
def test_open_when_the_answer_is_wrong_fails_under_its_own_name(server: Helper, path: str, name: str) -> None:
    started = time.monotonic()
    with pytest.raises(OpenFailed) as raised:
        open_connection(url(server, path))
    assert raised.value.name == name
    assert time.monotonic() - started < 5, "nobody waited for the time limit"


@pytest.mark.parametrize("path", ["/never", "/trickle"])
def test_open_when_the_answer_never_ends_stops_at_the_time_limit(server: Helper, path: str) -> None:
    started = time.monotonic()
    with pytest.raises(OpenTimeout) as raised:
        open_connection(url(server, path), timeout_s=0.2)
    assert 0.2 <= time.monotonic() - started < 2
    assert raised.value.name == "open timeout"


def test_open_when_the_deflate_answer_is_not_what_we_can_do_fails(server: Helper) -> None:
    with pytest.raises(OpenFailed, match="server_max_window_bits=77"):
        open_connection(url(server, "/unknown-parameter"), compression=True)


@pytest.mark.parametrize("address", ["http://127.0.0.1/", "nonsense", "ws://", "ws://127.0.0.1:99999/", ""])
def test_open_when_the_address_is_none_says_so(address: str) -> None:
    with pytest.raises(BadURL):
        open_connection(address)


def test_open_when_redirected_goes_there(server: Helper) -> None:
    ws = open_connection(url(server, "/redirect"))
    assert b"GET /good?after=redirect" in sent_head(ws)
    ws.reset()


def test_open_when_the_server_set_a_cookie_does_not_send_it_with_another_connection(server: Helper) -> None:
    first = open_connection(url(server, "/good"), cookies={"sessionid": "mine"})
    assert b"Cookie: sessionid=mine|" in sent_head(first)
    assert first.headers["set-cookie"] == "a=1, leak=yes; Domain=127.0.0.1"
    second = open_connection(url(server, "/good"))
    assert b"Cookie" not in sent_head(second)
    first.reset()
    second.reset()


def sent_head(ws: Connection) -> bytes:
    """The request as the server saw it; it comes in one piece with the handshake's answer."""
    message = ws.recv(timeout_s=10)
    assert isinstance(message, bytes)
    return message


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [
        ("/masked", "protocol error 1002", 1002),
        ("/bad-utf8", "protocol error 1007", 1007),
        ("/reserved", "protocol error 1002", 1002),
        ("/huge-length", "message too big", 1009),
        ("/endless-fragments", "message too big", 1009),
        ("/bomb", "message too big", 1009),
        ("/half-a-frame", "connection lost", 1006),
        ("/close-then-flood", "closed 1001", 1001),
    ],
)
def test_frames_when_wrong_end_that_connection_under_its_own_name(
    server: Helper, path: str, name: str, code: int
) -> None:
    ended: list[Closure] = []
    bystander = open_connection(url(server, "/good"))
    sent_head(bystander)
    memory = peak_bytes()
    ws = open_connection(
        url(server, path),
        compression=path == "/bomb",
        max_message_bytes=LIMIT,
        on_closed=lambda _, closure: ended.append(closure),
    )
    with pytest.raises(WireError) as raised:
        ws.recv(timeout_s=20)
    assert raised.value.name == name
    assert [closure.code for closure in ended] == [code]
    assert peak_bytes() - memory < 16 << 20
    ws.reset()
    assert bystander.open
    bystander.ping()
    bystander.reset()


def test_ping_flood_when_the_pongs_are_not_read_fills_no_memory(server: Helper) -> None:
    ws = open_connection(url(server, "/ping-flood"))
    memory = peak_bytes()
    with pytest.raises(ReceiveTimeout):
        ws.recv(timeout_s=1.0)
    assert peak_bytes() - memory < 16 << 20
    ws.reset()


def test_opening_when_many_fail_at_once_hurts_no_other_user(server: Helper) -> None:
    paths = ["/never", "/garbage", "/403", "/endless-headers", "/reset", "/bomb", "/trickle"] * (20 if SOAK else 3)

    def fail(path: str) -> str:
        try:
            open_connection(url(server, path), timeout_s=1.0, compression=path == "/bomb").reset()
        except OpenFailed as error:
            return error.name
        return "open"

    def go_on() -> int:
        ws = open_connection(url(server, "/good"))
        sent_head(ws)
        for _ in range(50):
            ws.ping()
            gevent.sleep(0.001)
        still_open = ws.open
        ws.reset()
        return still_open

    users = [gevent.spawn(go_on) for _ in range(5)]
    failing = [gevent.spawn(fail, path) for path in paths]
    gevent.joinall([*users, *failing], timeout=30)
    assert [user.value for user in users] == [True] * 5
    assert {greenlet.value for greenlet in failing} == {
        "open timeout", "invalid handshake", "refused 403", "closed in the handshake", "open"
    }  # fmt: skip


def test_greenlet_when_killed_while_opening_leaves_nothing(server: Helper) -> None:
    opening = gevent.spawn(open_connection, url(server, "/never"))
    gevent.sleep(0.05)
    opening.kill()
    assert isinstance(opening.value, gevent.GreenletExit)


def test_refused_when_raised_carries_its_status(server: Helper) -> None:
    with pytest.raises(HandshakeRefused) as raised:
        open_connection(url(server, "/404"))
    assert raised.value.status == 404


def test_send_when_the_peer_closed_meanwhile_raises_its_code(server: Helper) -> None:
    ws = open_connection(url(server, "/close-then-flood"))
    wait_until(lambda: not ws.open, "the close frame")
    with pytest.raises(ConnectionClosed) as raised:
        ws.send("too late")
    assert raised.value.code == 1001
    ws.reset()


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
