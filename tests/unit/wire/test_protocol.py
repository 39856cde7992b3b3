"""The protocol of an open connection, with no socket: bytes in, events and bytes out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from loadtest.wire import protocol as protocol_module
from loadtest.wire.deflate import Agreement, Deflate
from loadtest.wire.errors import ConnectionClosed, ConnectionLost, ProtocolError
from loadtest.wire.frames import Close, Ping, Pong
from loadtest.wire.protocol import CLOSING, ENDED, OPEN, Closure, Protocol
from tests.unit.wire import oracle
from tests.unit.wire.corpus import frame


def run(protocol: Protocol, data: bytes) -> tuple[list[str | bytes], bytes]:
    """Do what the pump does with these bytes: the messages handed over, and the bytes sent."""
    text = protocol.short_text(data)
    if text is not None:
        return [text], b""
    messages: list[str | bytes] = []
    sent = b""
    for event in protocol.feed(data):
        if protocol.state == ENDED:
            break
        if isinstance(event, (str, bytes)):
            messages.append(event)
        else:
            sent += protocol.respond(event)
    return messages, sent


def seen_by_server(sent: bytes) -> list[tuple[str, bytes]]:
    return [(frame.opcode.name, bytes(frame.data)) for frame in oracle.server_reads(sent)]


@pytest.mark.parametrize("message", ["", "hello", "x" * 70_000, b"\x00\xff"])
def test_message_when_open_becomes_one_frame(message: str | bytes) -> None:
    (read,) = oracle.server_reads(Protocol().message(message))
    assert bytes(read.data) == (message.encode() if isinstance(message, str) else message)


def test_message_when_deflate_was_agreed_on_is_compressed() -> None:
    protocol = Protocol(deflate=Deflate(Agreement()))
    assert len(protocol.message("x" * 1000)) < 100


@pytest.mark.parametrize("length", [0, 1, 125])
def test_short_text_when_one_short_text_frame_comes_gives_it(length: int) -> None:
    assert Protocol().short_text(frame(0x81, b"x" * length)) == "x" * length


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x81",
        frame(0x81, b"hello")[:-1],
        frame(0x81, b"hello") + b"\x81",
        frame(0x81, b"x" * 126),
        frame(0x82, b"hello"),
        frame(0x01, b"hello"),
        frame(0x81, b"\xc3\x28"),
    ],
)
def test_short_text_when_anything_else_comes_leaves_it_to_feed(data: bytes) -> None:
    assert Protocol().short_text(data) is None


def test_short_text_when_a_frame_or_a_message_is_unfinished_leaves_it_to_feed() -> None:
    for begun in (b"\x81", frame(0x01, b"begun"), frame(0x88, b"")):
        protocol = Protocol()
        protocol.feed(begun)
        assert protocol.short_text(frame(0x81, b"hello")) is None
    assert Protocol(max_message_bytes=4).short_text(frame(0x81, b"hello")) is None


def test_feed_when_a_short_text_is_no_utf8_gives_the_error() -> None:
    protocol = Protocol()
    messages, sent = run(protocol, frame(0x81, b"\xc3\x28"))
    assert (messages, seen_by_server(sent)[0][1][:2]) == ([], b"\x03\xef")
    assert protocol.closure is not None and protocol.closure.code == 1007


def test_respond_when_pinged_returns_the_pong() -> None:
    protocol = Protocol()
    messages, sent = run(protocol, frame(0x89, b"there?") + frame(0x81, b"after") + frame(0x8A, b"nobody asked"))
    assert (messages, seen_by_server(sent)) == (["after"], [("PONG", b"there?")])
    assert protocol.respond(Pong(b"")) == b""
    assert protocol.state == OPEN


def test_respond_when_the_peer_closes_echoes_its_close_frame_and_ends() -> None:
    protocol = Protocol(7)
    messages, sent = run(protocol, frame(0x81, b"last") + frame(0x88, b"\x0f\xa1enough") + frame(0x81, b"late"))
    assert (messages, seen_by_server(sent)) == (["last"], [("CLOSE", b"\x0f\xa1enough")])
    assert (protocol.state, protocol.closure) == (ENDED, Closure(code=4001, reason="enough", error=None, by="peer"))
    with pytest.raises(ConnectionClosed, match="connection 7 ended: 4001 enough") as raised:
        protocol.message("too late")
    assert (raised.value.code, raised.value.reason) == (4001, "enough")


def test_close_when_repeated_says_it_once_and_the_peers_answer_is_our_doing() -> None:
    protocol = Protocol()
    assert seen_by_server(protocol.close(4002, "bye")) == [("CLOSE", b"\x0f\xa2bye")]
    assert (protocol.state, protocol.close(1000, "")) == (CLOSING, b"")
    assert run(protocol, frame(0x81, b"on its way") + frame(0x88, b"\x0f\xa2bye")) == (["on its way"], b"")
    assert protocol.closure == Closure(code=4002, reason="bye", error=None, by="us")
    with pytest.raises(ConnectionClosed, match="closed or dropped by us"):
        protocol.ping(b"")


def test_close_when_its_reason_is_too_long_is_refused_and_nothing_changes() -> None:
    protocol = Protocol()
    with pytest.raises(ValueError, match="124 bytes"):
        protocol.close(1000, "x" * 124)
    assert protocol.state == OPEN


def test_respond_when_the_peer_breaks_the_protocol_fails_the_connection() -> None:
    protocol = Protocol()
    messages, sent = run(protocol, frame(0x81, b"before") + frame(0x81, b"masked", masked=True))
    ((name, payload),) = seen_by_server(sent)
    assert (messages, name, payload[:2]) == (["before"], "CLOSE", b"\x03\xea")
    closure = protocol.closure
    assert closure is not None
    assert (protocol.state, closure.code, closure.by) == (ENDED, 1002, "protocol")
    assert isinstance(protocol.refusal(), ProtocolError)


def test_respond_when_the_peer_breaks_the_protocol_after_our_close_frame_sends_nothing() -> None:
    protocol = Protocol()
    protocol.close(1000, "")
    assert run(protocol, frame(0x83, b"")) == ([], b"")
    assert protocol.closure is not None and (protocol.closure.code, protocol.closure.by) == (1002, "us")


def test_fail_when_the_reason_is_long_cuts_it_between_characters() -> None:
    ((_, payload),) = seen_by_server(Protocol().fail(1011, "é" * 100, LookupError(), "handler"))
    assert payload == b"\x03\xf3" + "é".encode() * 61


@pytest.mark.parametrize(("we_closed", "by"), [(False, "peer"), (True, "us")])
def test_lose_when_the_tcp_connection_ends_says_whose_doing_it_was(we_closed: bool, by: str) -> None:
    protocol = Protocol()
    if we_closed:
        protocol.half_close()
    lost = ConnectionLost("the peer sent RST")
    protocol.lose(lost)
    assert protocol.closure is not None
    assert (protocol.closure.code, protocol.closure.by, protocol.refusal()) == (1006, by, lost)


def test_settle_when_told_twice_keeps_the_first_word() -> None:
    protocol = Protocol()
    protocol.end()
    protocol.lose(ConnectionLost("later"))
    assert protocol.closure == Closure(code=1006, reason="", error=None, by="us")


def test_overhear_when_the_peer_closes_keeps_its_code() -> None:
    protocol = Protocol()
    protocol.overhear(frame(0x81, b"for nobody") + frame(0x88, b"\x03\xe9"))
    assert protocol.closure == Closure(code=1001, reason="", error=None, by="peer")


def test_ping_when_too_long_is_refused() -> None:
    assert seen_by_server(Protocol().ping(b"p" * 125)) == [("PING", b"p" * 125)]
    with pytest.raises(ValueError, match="at most 125 bytes"):
        Protocol().ping(b"p" * 126)


def test_events_when_they_are_no_messages_are_of_three_kinds() -> None:
    assert Protocol().feed(frame(0x89, b"") + frame(0x8A, b"") + frame(0x88, b"")) == [
        Ping(b""), Pong(b""), Close(1005, "", b"")
    ]  # fmt: skip


@pytest.mark.parametrize("module", ["protocol", "parser", "frames", "deflate", "handshake", "http_head"])
def test_module_when_it_does_no_io_imports_no_socket_no_clock_and_no_gevent(module: str) -> None:
    nodes = list(ast.walk(ast.parse((WIRE / f"{module}.py").read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names}.isdisjoint({"socket", "_socket", "ssl", "time", "gevent"})
    assert {name for name in names if name.startswith("loadtest.")} <= SANS_IO


WIRE = Path(protocol_module.__file__).parent
SANS_IO = {
    f"loadtest.wire.{name}"
    for name in ("protocol", "parser", "frames", "deflate", "handshake", "http_head", "errors", "address")
} | {"loadtest.wire"}
