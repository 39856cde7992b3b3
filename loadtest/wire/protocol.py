"""An open WebSocket of a client without I/O: takes bytes, gives events and bytes to send; no socket, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from loadtest.wire import frames
from loadtest.wire.deflate import Deflate
from loadtest.wire.errors import ConnectionClosed, ProtocolError, WireError
from loadtest.wire.parser import MAX_MESSAGE_BYTES, Parser

OPEN: Final = 0
CLOSING: Final = 1
"""We have sent a close frame or FIN; what still arrives counts."""
ENDED: Final = 2
"""Nothing more is sent, answered or handed on."""
NO_CODE: Final = 1005
ABNORMAL: Final = 1006
INTERNAL_ERROR: Final = 1011
MAX_REASON_BYTES: Final = frames.MAX_CONTROL_BYTES - 2  # the code takes two


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """How a connection ended.

    `code` and `reason` as in RFC 6455 7.1.5: 1005 is a close frame without a code, 1006 no close frame at all.
    `by`: "peer" sent a close frame, FIN or RST; "us": we ended it; "protocol": the peer broke the protocol and we
    failed the connection with `code`; "handler": on_message raised `error`.
    """

    code: int
    reason: str
    error: BaseException | None
    by: Literal["peer", "us", "protocol", "handler"]


class Protocol(Parser):
    """The client's side of one open WebSocket (RFC 6455 sections 5 to 7).

    feed() turns what has arrived into events, in order: a message is for the caller, every other event goes to
    respond(), in its turn; short_text() is a shortcut for one short message. Bytes that a method returns are to be
    sent, in the order of the calls.

    It is a Parser instead of holding one: that saves 100 bytes a connection and a call for each read.
    """

    __slots__ = ("_name", "closure", "state")

    def __init__(
        self, name: object = "", max_message_bytes: int = MAX_MESSAGE_BYTES, deflate: Deflate | None = None
    ) -> None:
        """name: for error messages; deflate: the compression streams that were agreed on."""
        super().__init__(max_message_bytes, deflate)
        self._name = name
        self.state = OPEN
        self.closure: Closure | None = None
        """How it ended; None while it has not."""

    # what we say

    def message(self, message: str | bytes) -> bytes:
        """Return the frame of a text (str) or binary (bytes) message; raises ConnectionClosed once it has ended."""
        if self.state:
            raise self.refusal()
        return frames.encode(message) if self.deflate is None else frames.encode_compressed(message, self.deflate)

    def ping(self, data: bytes) -> bytes:
        """Return a ping frame; raises ConnectionClosed once it has ended."""
        if self.state:
            raise self.refusal()
        if len(data) > frames.MAX_CONTROL_BYTES:
            raise ValueError(f"a ping carries at most 125 bytes, not {len(data)}")
        return frames.build(frames.PING, data)

    def close(self, code: int | None, reason: str) -> bytes:
        """Return a close frame, the first time; no message can be sent after it."""
        frame = frames.close_frame(code, reason)
        if self.state != OPEN:
            return b""
        self.state = CLOSING
        return frame

    def half_close(self) -> None:
        """Take note that we send FIN."""
        if self.state == OPEN:
            self.state = CLOSING

    def end(self) -> None:
        """Take note that we end it without waiting for the peer."""
        self.state = ENDED
        self.settle(ABNORMAL, "", None, "us")

    # what the peer says

    def respond(self, event: frames.Parsed) -> bytes:
        """Act on an event that is no message, and return the answer that the peer is owed."""
        if isinstance(event, frames.Ping):
            return frames.build(frames.PONG, event.data)
        if isinstance(event, frames.Close):
            return self._closed_by_peer(event)
        if isinstance(event, ProtocolError):
            return self.fail(event.code, str(event), event, "protocol")
        return b""

    def _closed_by_peer(self, close: frames.Close) -> bytes:
        was_open = self.state == OPEN
        self.state = ENDED
        self.settle(close.code, close.reason, None, "peer" if was_open else "us")
        return frames.build(frames.CLOSE, close.payload) if was_open else b""

    def fail(self, code: int, reason: str, error: BaseException, by: Literal["protocol", "handler"]) -> bytes:
        """Fail the connection (RFC 6455 7.1.7); return the close frame, to be followed by FIN."""
        was_open = self.state == OPEN
        self.state = ENDED
        self.settle(code, reason, error, by if was_open else "us")
        if not was_open:
            return b""
        return frames.close_frame(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))

    def lose(self, error: WireError) -> None:
        """Take note that the TCP connection has ended without a close frame."""
        was_open = self.state == OPEN
        self.state = ENDED
        self.settle(ABNORMAL, "", error, "peer" if was_open else "us")

    def overhear(self, data: bytes) -> None:
        """Read what nobody is interested in any more, except how the peer ends it."""
        for event in self.feed(data):
            if isinstance(event, frames.Close):
                self.settle(event.code, event.reason, None, "peer")

    # how it ended

    def settle(
        self, code: int, reason: str, error: BaseException | None, by: Literal["peer", "us", "protocol", "handler"]
    ) -> None:
        """Keep how it ended; the first word on it counts."""
        if self.closure is None:
            self.closure = Closure(code=code, reason=reason, error=error, by=by)

    def refusal(self) -> WireError:
        """Return the error for a caller who wants to send or receive on a connection that has ended."""
        closure = self.closure
        if closure is None or (closure.by == "us" and closure.error is None):
            code = closure.code if closure else NO_CODE
            return ConnectionClosed(code, "", f"connection {self._name} was closed or dropped by us")
        if isinstance(closure.error, WireError):
            return closure.error
        return ConnectionClosed(
            closure.code, closure.reason, f"connection {self._name} ended: {closure.code} {closure.reason}".rstrip()
        )
