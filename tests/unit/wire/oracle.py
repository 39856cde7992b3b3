"""The websockets library's protocol as the judge of what a stream of server frames means."""

from __future__ import annotations

from collections.abc import Sequence

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.extensions import Extension
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import CLIENT, OPEN, SERVER, Protocol

from loadtest.wire import errors, frames

Told = tuple[str, object]
"""An event in words both sides share: ("text", "hi"), ("close", 1000), ("error", 1002)."""


def judged(stream: bytes, max_message_bytes: int, *, extensions: Sequence[Extension] = ()) -> list[Told]:
    """What the library makes of the stream, fed in one piece."""
    protocol = Protocol(CLIENT, state=OPEN, max_size=max_message_bytes)
    protocol.extensions = list(extensions)
    protocol.receive_data(stream)
    told: list[Told] = []
    message: list[bytes] = []
    is_text = False
    for event in protocol.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if event.opcode is not Opcode.CONT:
                is_text = event.opcode is Opcode.TEXT
            message.append(bytes(event.data))
            if event.fin:
                told.append(_message(b"".join(message), is_text))
                message = []
                if told[-1][0] == "error":
                    return told
        elif event.opcode is Opcode.CLOSE:
            told.append(("close", _closed(Close.parse(event.data))))
        else:
            told.append((event.opcode.name.lower(), bytes(event.data)))
    return told + _failure(protocol)


def told(events: list[frames.Parsed]) -> list[Told]:
    """Our parser's events in the same words."""
    return [_told(event) for event in events]


def server_reads(stream: bytes, *, extensions: Sequence[Extension] = ()) -> list[Frame]:
    """The frames that a server of the library reads from what we send; fails when it sees an error."""
    protocol = Protocol(SERVER, state=OPEN, max_size=None)
    protocol.extensions = list(extensions)
    protocol.receive_data(stream)
    assert protocol.parser_exc is None, protocol.parser_exc
    return [event for event in protocol.events_received() if isinstance(event, Frame)]


def _message(payload: bytes, is_text: bool) -> Told:
    try:
        return ("text", payload.decode()) if is_text else ("binary", payload)
    except UnicodeDecodeError:
        return ("error", 1007)


def _closed(close: Close) -> tuple[int, str]:
    return int(close.code), close.reason


def _failure(protocol: Protocol) -> list[Told]:
    match protocol.parser_exc:
        case None | EOFError():
            return []
        case ProtocolError() as error if "incomplete fragmented message" in str(error):
            assert protocol.close_rcvd is not None  # a close frame may come between fragments (RFC 6455 5.4)
            return [("close", _closed(protocol.close_rcvd))]
        case ProtocolError():
            return [("error", 1002)]
        case UnicodeDecodeError():
            return [("error", 1007)]
        case PayloadTooBig():
            return [("error", 1009)]
        case other:
            raise other


def _told(event: frames.Parsed) -> Told:
    match event:
        case str():
            return ("text", event)
        case bytes():
            return ("binary", event)
        case frames.Ping():
            return ("ping", event.data)
        case frames.Pong():
            return ("pong", event.data)
        case frames.Close():
            return ("close", (event.code, event.reason))
        case errors.ProtocolError():
            return ("error", event.code)
    raise AssertionError(event)
