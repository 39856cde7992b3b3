"""The gevent connection against a real server: messages, closing, losing, waiting, limits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadtest.wire import (
    CloseTimeout,
    Closure,
    Connection,
    ConnectionClosed,
    ConnectionLost,
    HandshakeInvalid,
    MessageTooBig,
    ReceiveTimeout,
    Unreachable,
    WriteQueueFull,
    open_connection,
    sleep,
)
from tests.live.wire_processes import Helper, helper, wait_until

pytestmark = pytest.mark.live

STAMPED_WITHIN = 1000
"""So many echoes at most: a kernel begins to stamp some milliseconds after it was first asked to."""


@pytest.fixture(scope="module")
def server() -> Iterator[Helper]:
    with helper("wire_echo_server.py") as process:
        yield process


@pytest.fixture(scope="module")
def recorder() -> Iterator[Helper]:
    with helper("wire_recorder.py") as process:
        yield process


def url(process: Helper, path: str = "/") -> str:
    return f"ws://127.0.0.1:{process.port}{path}"


@pytest.mark.parametrize(
    "message",
    ["", "hi", "x" * 125, "x" * 126, "é" * 40000, b"", b"\x00\xff", b"y" * 70000, "z" * 900_000],
    ids=lambda message: f"{type(message).__name__}-{len(message)}",
)
def test_message_when_echoed_comes_back_equal(server: Helper, message: str | bytes) -> None:
    ws = open_connection(url(server))
    ws.send(message)
    assert ws.recv(timeout_s=10) == message
    assert ws.close().code == 1000


def test_on_message_when_a_batch_arrives_gets_all_in_order_with_rising_times(server: Helper) -> None:
    got: list[tuple[int, str | bytes, int]] = []
    ws = open_connection(
        url(server), connection_id=7, on_message=lambda connection, text, t_ns: got.append((connection.id, text, t_ns))
    )

    def burst() -> list[int]:
        got.clear()
        started_ns = time.monotonic_ns()
        ws.send("!burst 2000")
        wait_until(lambda: len(got) == 2000, "2,000 messages")
        assert [text for _, text, _ in got] == [str(number) for number in range(2000)]
        assert {identity for identity, _, _ in got} == {7}
        times = [t_ns for _, _, t_ns in got]
        assert started_ns < min(times) <= max(times) <= time.monotonic_ns()
        return times

    # Two clocks are read for a time: whoever loses the processor between them has some microseconds more
    assert any(times == sorted(times) for times in (burst() for _ in range(5)))
    ws.close()


def test_lag_when_many_messages_are_read_at_once_is_to_the_handing_over_of_each(server: Helper) -> None:
    handed_ns: list[int] = []
    begun_ns, done_ns = [], [time.monotonic_ns()]

    def on_message(ws: Connection, _text: str | bytes, arrived_ns: int) -> None:
        begun_ns.append(time.monotonic_ns())
        handed_ns.append(arrived_ns + ws.lag_ns if ws.lag_ns >= 0 else 0)
        done_ns.append(time.monotonic_ns())

    ws = open_connection(url(server), on_message=on_message)
    ws.send("!burst 2000")
    wait_until(lambda: len(handed_ns) == 2000, "2,000 messages")
    ws.close()
    known = [times for times in zip(done_ns[:-1], handed_ns, begun_ns, strict=True) if times[1]]
    if not known:
        pytest.skip("this kernel stamps no TCP data")
    assert all(done <= handed <= begun for done, handed, begun in known)


def test_ping_when_it_comes_is_answered_at_once(server: Helper) -> None:
    ws = open_connection(url(server))
    ws.send("!ping")
    assert ws.recv(timeout_s=10) == "pong came"
    ws.ping(b"are you there")
    ws.send("after the ping")
    assert ws.recv(timeout_s=10) == "after the ping"
    ws.close()


def test_handshake_when_given_headers_sends_them_and_reads_the_answer(server: Helper) -> None:
    ws = open_connection(
        url(server, "/some/path?a=1"),
        headers=[("X-Loadtest-Connection", "42")],
        origin="https://example.org",
        cookies={"sessionid": "abc", "csrftoken": "def"},
        subprotocols=["chat.v2", "chat.v1"],
    )
    ws.send("!headers")
    path, pairs = json.loads(ws.recv(timeout_s=10))
    sent = dict(pairs)
    assert path == "/some/path?a=1"
    assert sent["X-Loadtest-Connection"] == "42"
    assert sent["Origin"] == "https://example.org"
    assert sent["Cookie"] == "sessionid=abc; csrftoken=def"
    assert (ws.status, ws.subprotocol, ws.headers["upgrade"]) == (101, "chat.v2", "websocket")
    ws.close()


def test_on_closed_when_the_peer_closes_is_called_once_with_its_code(server: Helper) -> None:
    ended: list[Closure] = []
    ws = open_connection(url(server), on_closed=lambda _, closure: ended.append(closure))
    ws.send("!close 4001 enough")
    wait_until(lambda: ws.released, "the release")
    assert ended == [Closure(code=4001, reason="enough", error=None, by="peer")]
    with pytest.raises(ConnectionClosed) as raised:
        ws.send("too late")
    assert (raised.value.code, raised.value.reason, raised.value.name) == (4001, "enough", "closed 4001")
    with pytest.raises(ConnectionClosed):
        ws.recv(timeout_s=1)
    assert ws.close() == ended[0]


def test_on_closed_when_the_peer_aborts_tells_of_a_lost_connection(server: Helper) -> None:
    ended: list[Closure] = []
    ws = open_connection(url(server), on_closed=lambda _, closure: ended.append(closure))
    ws.send("!abort")
    wait_until(lambda: ws.released, "the release")
    assert [(closure.code, closure.by) for closure in ended] == [(1006, "peer")]
    assert isinstance(ended[0].error, ConnectionLost)
    with pytest.raises(ConnectionLost):
        ws.recv()


def test_close_when_we_began_it_is_not_told_to_on_closed(server: Helper) -> None:
    ended: list[Closure] = []
    ws = open_connection(url(server), on_closed=lambda _, closure: ended.append(closure))
    assert ws.close(4002, "bye") == Closure(code=4002, reason="bye", error=None, by="us")
    assert ws.released
    assert ws.close().code == 4002
    assert ended == []


def test_close_when_the_peer_does_not_answer_ends_after_its_timeout(recorder: Helper) -> None:
    ws = open_connection(url(recorder, "/quiet"))
    closure = ws.close(timeout_s=0.1)
    assert isinstance(closure.error, CloseTimeout)
    assert ws.released
    recorder.report()


def test_drain_when_the_peer_does_not_end_it_sends_fin_and_gives_up(recorder: Helper) -> None:
    ws = open_connection(url(recorder, "/quiet"))
    ws.send_close_frame(1001)
    ws.drain(timeout_s=0.05)
    assert recorder.report()["end"] == "fin"
    wait_until(lambda: ws.released, "the release")


def test_recv_when_nothing_comes_raises_after_its_timeout(recorder: Helper) -> None:
    ws = open_connection(url(recorder, "/quiet"))
    with pytest.raises(ReceiveTimeout):
        ws.recv(timeout_s=0.05)
    ws.reset()
    recorder.report()


def test_recv_when_more_arrives_than_is_kept_holds_the_peer_back_and_loses_nothing(server: Helper) -> None:
    ws = open_connection(url(server))
    ws.send("!burst 20000")
    assert [ws.recv(timeout_s=10) for _ in range(20000)] == [str(number) for number in range(20000)]
    ws.close()


def test_recv_when_messages_go_to_a_callback_is_refused(server: Helper) -> None:
    ws = open_connection(url(server), on_message=lambda *_: None)
    with pytest.raises(TypeError, match="callback"):
        ws.recv()
    ws.close()


def test_on_message_when_it_raises_ends_that_connection_only(server: Helper, caplog: pytest.LogCaptureFixture) -> None:
    ended: list[Closure] = []

    def fail(*_: Any) -> None:
        raise LookupError("the caller's own mistake")

    other = open_connection(url(server))
    ws = open_connection(url(server), on_message=fail, on_closed=lambda _, closure: ended.append(closure))
    ws.send("hello")
    wait_until(lambda: ws.released, "the release")
    assert [(closure.code, closure.by) for closure in ended] == [(1011, "handler")]
    assert isinstance(ended[0].error, LookupError)
    assert "the caller's own mistake" in caplog.text
    other.send("still here")
    assert other.recv(timeout_s=10) == "still here"
    other.close()


def test_on_message_when_it_tries_to_wait_ends_that_connection_and_not_the_hub(server: Helper) -> None:
    ended: list[Closure] = []
    ws = open_connection(
        url(server), on_message=lambda ws, *_: ws.close(), on_closed=lambda _, closure: ended.append(closure)
    )
    ws.send("hello")
    wait_until(lambda: ws.released, "the release")
    assert isinstance(ended[0].error, RuntimeError)


def test_on_message_when_it_drops_its_connection_hears_no_more_of_the_batch(server: Helper) -> None:
    got: list[str | bytes] = []

    def once(ws: Connection, message: str | bytes, _: int) -> None:
        got.append(message)
        ws.reset()

    ws = open_connection(url(server), on_message=once)
    ws.send("!burst 100")
    wait_until(lambda: ws.released, "the release")
    assert got == ["0"]


def test_send_when_the_peer_does_not_read_stops_at_a_bound(recorder: Helper) -> None:
    ws = open_connection(url(recorder, "/quiet"))
    recorder_stopped_at = 0
    with pytest.raises(WriteQueueFull):
        for recorder_stopped_at in range(10_000):  # noqa: B007 - nobody switches to the hub, so nothing is written meanwhile
            ws.send("x" * 60_000)
    assert recorder_stopped_at > 10
    ws.reset()
    recorder.report()


def test_send_when_the_socket_was_full_delivers_all_in_order(server: Helper) -> None:
    got: list[str | bytes] = []
    ws = open_connection(url(server), on_message=lambda _, message, __: got.append(message))
    sent = [f"{number} " + "x" * 50_000 for number in range(300)]
    for message in sent:
        while True:
            try:
                ws.send(message)
                break
            except WriteQueueFull:
                gevent.sleep(0.001)
    wait_until(lambda: len(got) == len(sent), "all echoes")
    assert got == sent
    ws.close()


def test_message_when_above_the_limit_fails_the_connection_with_1009(server: Helper) -> None:
    ws = open_connection(url(server), max_message_bytes=1000)
    ws.send("x" * 1001)
    with pytest.raises(MessageTooBig):
        ws.recv(timeout_s=10)
    closure = ws.close()
    assert (closure.code, closure.by) == (1009, "protocol")


def test_open_when_nothing_listens_says_so() -> None:
    with pytest.raises(Unreachable, match="nothing listens"):
        open_connection("ws://127.0.0.1:1/")


def test_open_when_the_subprotocol_is_not_chosen_is_refused(server: Helper) -> None:
    with pytest.raises(HandshakeInvalid):
        open_connection(url(server), subprotocols=["unheard.of"])


def test_open_and_close_when_repeated_leaves_no_descriptor(server: Helper) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    open_connection(url(server)).close()
    before = descriptors()
    for _ in range(200):
        open_connection(url(server)).close()
    assert descriptors() == before


def test_arrival_when_the_reader_is_late_is_the_kernels_and_the_lag_is_told(server: Helper) -> None:
    got: list[tuple[int, int]] = []
    ws = open_connection(
        url(server), on_message=lambda ws, _, t_ns: got.append((t_ns, ws.lag_ns)), headers=[("X-Test", "lag")]
    )
    for _ in range(STAMPED_WITHIN):
        ws.send("warm")
        wait_until(lambda: got, "the echo")
        if got.pop()[1] >= 0:
            break
    else:
        pytest.skip("this kernel stamps no TCP data")
    ws.send("hello")
    time.sleep(0.1)  # the hub stands still, as under a load too high for it
    read_from_ns = time.monotonic_ns()
    wait_until(lambda: got, "the echo")
    (arrived_ns, lag_ns), handled_ns = got[0], time.monotonic_ns()
    assert arrived_ns < read_from_ns, "it came while the hub stood still"
    assert 0 < lag_ns <= handled_ns - arrived_ns
    assert lag_ns >= read_from_ns - arrived_ns
    ws.close()


def test_sleep_when_others_are_ready_lets_them_run_and_comes_back_in_time() -> None:
    order: list[str] = []

    def sleeper(name: str, seconds: float) -> None:
        sleep(seconds)
        order.append(name)

    started = time.monotonic()
    greenlets = [
        gevent.spawn(sleeper, "late", 0.06),
        gevent.spawn(sleeper, "soon", 0.02),
        gevent.spawn(sleeper, "now", -1),
    ]
    killed = gevent.spawn(sleeper, "never", 60)
    gevent.sleep(0)
    killed.kill()
    gevent.joinall(greenlets, timeout=10, raise_error=True)
    assert order == ["now", "soon", "late"]
    assert time.monotonic() - started >= 0.06
