"""The receiving half of the codec (RFC 6455): a server's bytes in, events out; no socket, no clock."""

from __future__ import annotations

from typing import Final

from loadtest.wire.deflate import Deflate
from loadtest.wire.errors import MessageTooBig, ProtocolError, WireError
from loadtest.wire.frames import (
    BINARY,
    CLOSE,
    COMPRESSED,
    CONTINUATION,
    CONTROL,
    FIN,
    LENGTH_16,
    LENGTH_64,
    MASKED,
    MAX_CONTROL_BYTES,
    OPCODE,
    PING,
    PONG,
    RESERVED_BITS,
    SHORT,
    TEXT,
    WHOLE_TEXT,
    Close,
    Parsed,
    Ping,
    Pong,
)

MAX_MESSAGE_BYTES: Final = 1 << 20
"""Default limit of a received message: 1 MiB, as in the websockets library."""
SENDABLE_CODES: Final = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
"""Close codes below 3000 that may stand in a close frame (section 7.4 and the IANA registry)."""
KNOWN_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})


class Parser:
    """Takes what a server sends, in pieces of any size, and gives the events in it.

    After a close frame or an error there are no more events (sections 1.4 and 7.1.7). A message is held until its
    last byte has come; what is held never exceeds max_message_bytes plus one frame header.
    """

    __slots__ = (
        "_compressed",
        "_ended",
        "_held",
        "_held_bytes",
        "_limit",
        "_message",
        "_needed",
        "_opcode",
        "deflate",
        "idle",
    )

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES, deflate: Deflate | None = None) -> None:
        """deflate: the two compression streams, when permessage-deflate was agreed on."""
        self._limit = max_message_bytes
        self.deflate = deflate
        self._compressed = False  # the fragmented message in progress
        self._held: list[bytes] | None = None  # an unfinished frame, in the pieces it came in
        self._held_bytes = 0
        self._needed = 0  # how many bytes of the unfinished frame must be there before it is worth looking again
        self._opcode = CONTINUATION  # of the fragmented message in progress; CONTINUATION when there is none
        self._message: bytearray | None = None
        self._ended = False
        self.idle = max_message_bytes >= SHORT
        """The next byte begins a frame, no fragmented message is in progress, and no short frame is too long."""

    def short_text(self, data: bytes) -> str | None:
        """Return the text when the next bytes are one short, whole text frame, as most are; if None, feed() takes them.

        A round trip costs 0.4 to 0.6 µs more, of 5.5, when feed() makes a list of events for it (make perf, echo).
        """
        size = len(data)
        if size > 1 and data[0] == WHOLE_TEXT and self.idle and data[1] == size - 2 < SHORT:
            try:
                return data[2:].decode()
            except UnicodeDecodeError:
                pass  # feed() says so
        return None

    def feed(self, data: bytes) -> list[Parsed]:
        """Take the next bytes; a protocol error is the last event, never raised."""
        if self._ended:
            return []
        if self._held is None:
            return self._events(data)
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes < self._needed:
            return []
        data, self._held = b"".join(self._held), None
        return self._events(data)

    def _events(self, data: bytes) -> list[Parsed]:
        """Return the events of the whole frames in data, and hold the rest."""
        events: list[Parsed] = []
        try:
            position = self._frames(data, events)
        except WireError as error:
            self._ended = True
            self._message = None
            events.append(error)
        else:
            if position < len(data) and not self._ended:
                self._held = [data[position:] if position else data]
                self._held_bytes = len(data) - position
        self.idle = not (self._held or self._ended or self._opcode or self._limit < SHORT)
        return events

    def _frames(self, data: bytes, events: list[Parsed]) -> int:
        """Turn the whole frames in data into events; return where the first unfinished frame begins."""
        position = 0
        available = len(data)
        while available - position >= 2:
            first = data[position]
            length = data[position + 1]
            start = position + 2
            if first == WHOLE_TEXT and length < LENGTH_64 and not self._opcode:  # the common frame, in few steps
                if length == LENGTH_16 and start + 2 <= available:
                    length = data[start] << 8 | data[start + 1]
                    start += 2
                end = start + length
                is_shortest_form = (length >= SHORT) == (start - position == 4)  # also: the length is all there
                if end <= available and length <= self._limit and is_shortest_form:
                    events.append(_text(data[start:end]))
                    position = end
                    continue
                length = data[position + 1]
            start, length = self._header(first, length, data, position, available)
            end = start + length
            if end > available:
                self._needed = end - position
                return position
            self._frame(first, data[start:end], events)
            position = end
            if self._ended:
                return position
        self._needed = 2
        return position

    def _header(self, first: int, second: int, data: bytes, position: int, available: int) -> tuple[int, int]:
        """Check as much of a frame's header as has come; return where the payload starts, and its length.

        For an unfinished header the start lies beyond the available bytes.
        """
        if first & OPCODE not in KNOWN_OPCODES:
            raise ProtocolError(1002, f"opcode {first & OPCODE:#x} is reserved (RFC 6455 5.2)")
        if second & MASKED:
            raise ProtocolError(1002, "a server must not mask its frames (RFC 6455 5.1)")
        start, length = _length(second, data, position + 2, available)
        if length < 0:
            return start, 0
        self._check_size(first, length)
        if first & RESERVED_BITS and not self._may_be_compressed(first):
            raise ProtocolError(1002, "reserved bits are set without an extension that means them (RFC 6455 5.2)")
        if first & CONTROL:
            _check_control(first, length)
        else:
            self._check_order(first & OPCODE)
        return start, length

    def _may_be_compressed(self, first: int) -> bool:
        is_first_frame = first & OPCODE in (TEXT, BINARY)
        return first & RESERVED_BITS == COMPRESSED and is_first_frame and self.deflate is not None

    def _check_size(self, first: int, length: int) -> None:
        if first & CONTROL:
            return
        total = length + (len(self._message) if self._message is not None else 0)
        if total > self._limit:
            raise MessageTooBig(f"a message of at least {total} bytes came, the limit is {self._limit}")

    def _check_order(self, opcode: int) -> None:
        """Check that no other message begins between the fragments of a message (section 5.4)."""
        if opcode == CONTINUATION and not self._opcode:
            raise ProtocolError(1002, "a continuation frame came, but no message had begun (RFC 6455 5.4)")
        if opcode != CONTINUATION and self._opcode:
            raise ProtocolError(1002, "a new message began inside an unfinished one (RFC 6455 5.4)")

    def _frame(self, first: int, payload: bytes, events: list[Parsed]) -> None:
        opcode = first & OPCODE
        if opcode & CONTROL:
            self._control(opcode, payload, events)
        elif first & FIN and opcode != CONTINUATION:
            events.append(self._whole(opcode, payload, bool(first & COMPRESSED)))
        else:
            self._fragment(first, payload, events)

    def _control(self, opcode: int, payload: bytes, events: list[Parsed]) -> None:
        if opcode == PING:
            events.append(Ping(payload))
        elif opcode == PONG:
            events.append(Pong(payload))
        else:
            events.append(_close(payload))
            self._ended = True

    def _fragment(self, first: int, payload: bytes, events: list[Parsed]) -> None:
        if self._message is None:
            self._opcode = first & OPCODE
            self._compressed = bool(first & COMPRESSED)
            self._message = bytearray()
        self._message += payload
        if first & FIN:
            whole, opcode = bytes(self._message), self._opcode
            self._message, self._opcode = None, CONTINUATION
            events.append(self._whole(opcode, whole, self._compressed))

    def _whole(self, opcode: int, payload: bytes, compressed: bool) -> str | bytes:
        if compressed and self.deflate is not None:
            payload = self.deflate.decompress(payload, self._limit)
        return _text(payload) if opcode == TEXT else payload


def _length(second: int, data: bytes, start: int, available: int) -> tuple[int, int]:
    """Read the payload length in its shortest form (section 5.2); length -1: not all of it is there yet."""
    if second < SHORT:
        return start, second
    width, least = (2, SHORT) if second == LENGTH_16 else (8, 1 << 16)
    end = start + width
    if end > available:
        return end, -1
    length = int.from_bytes(data[start:end])
    if length < least:
        raise ProtocolError(1002, f"length {length} is not in its shortest form (RFC 6455 5.2)")
    if length >> 63:
        raise ProtocolError(1002, "the highest bit of a 64-bit length is set (RFC 6455 5.2)")
    return end, length


def _check_control(first: int, length: int) -> None:
    if length > MAX_CONTROL_BYTES:
        raise ProtocolError(1002, f"a control frame of {length} bytes, 125 are allowed (RFC 6455 5.5)")
    if not first & FIN:
        raise ProtocolError(1002, "a control frame is fragmented (RFC 6455 5.5)")


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise ProtocolError(1007, f"text is not UTF-8 at byte {error.start} (RFC 6455 8.1)") from None


def _close(payload: bytes) -> Close:
    if not payload:
        return Close(1005, "", payload)
    if len(payload) == 1:
        raise ProtocolError(1002, "a close frame with half a code (RFC 6455 5.5.1)")
    code, reason = int.from_bytes(payload[:2]), _text(payload[2:])
    if not (code in SENDABLE_CODES or 3000 <= code < 5000):
        raise ProtocolError(1002, f"close code {code} must not be sent (RFC 6455 7.4)")
    return Close(code, reason, payload)
