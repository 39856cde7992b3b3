"""WebSocket frames (RFC 6455 section 5): their numbers, the events they become, and how a client builds them."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final

from websockets.speedups import apply_mask  # C; at 64 B / 1 KiB / 64 KiB 5, 17 and 138 times as fast as int XOR

from loadtest.wire.deflate import Deflate
from loadtest.wire.errors import WireError

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

FIN: Final = 0x80
RESERVED_BITS: Final = 0x70
COMPRESSED: Final = 0x40  # RSV1 of a message's first frame (RFC 7692 section 6)
OPCODE: Final = 0x0F
CONTROL: Final = 0x08  # the bit that tells control opcodes from data opcodes (section 5.2)
MASKED: Final = 0x80
WHOLE_TEXT: Final = FIN | TEXT
MAX_CONTROL_BYTES: Final = 125  # section 5.5
SHORT: Final = 126  # lengths below stand in the second byte itself (section 5.2)
LENGTH_16: Final = 126
LENGTH_64: Final = 127

KEYS_AT_ONCE: Final = 4096
"""Mask keys drawn from the kernel at once: one system call per key would cost 0.4 µs a frame."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A ping frame, to be answered by a pong with the same data (section 5.5.2)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A pong frame (section 5.5.3)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A close frame; code 1005 means that the frame had no code (section 7.1.5)."""

    code: int
    reason: str
    payload: bytes


Parsed = str | bytes | Ping | Pong | Close | WireError
"""What the parser finds: a text message, a binary message, a control frame, or the error that ends the stream."""


def encode(message: str | bytes) -> bytes:
    """Build one masked frame with a text (str) or binary (bytes) message."""
    if message.__class__ is str:
        payload = message.encode()
        length = len(payload)
        if length >= 1 << 16:
            return build(TEXT, payload)
        try:
            key = _keys.pop()
        except IndexError:
            key = _draw_keys()
        if length < SHORT:
            return _SHORT_TEXT[length] + key + apply_mask(payload, key)
        return _MEDIUM_TEXT + length.to_bytes(2) + key + apply_mask(payload, key)
    if isinstance(message, str):  # a subclass
        return build(TEXT, message.encode())
    return build(BINARY, bytes(message))


def encode_compressed(message: str | bytes, deflate: Deflate) -> bytes:
    """Build one masked frame with a compressed message (RFC 7692 section 6.1)."""
    if isinstance(message, str):
        return build(COMPRESSED | TEXT, deflate.compress(message.encode()))
    return build(COMPRESSED | BINARY, deflate.compress(message))


def build(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Build one masked client frame (section 5.2); checks nothing, so that drops can build wrong frames too."""
    first = opcode | (FIN if fin else 0)
    length = len(payload)
    if length < SHORT:
        head = bytes((first, MASKED | length))
    elif length < 1 << 16:
        head = bytes((first, MASKED | LENGTH_16)) + length.to_bytes(2)
    else:
        head = bytes((first, MASKED | LENGTH_64)) + length.to_bytes(8)
    key = _keys.pop() if _keys else _draw_keys()
    return b"".join((head, key, apply_mask(payload, key)))


def close_frame(code: int | None, reason: str = "") -> bytes:
    """Build a close frame; code None builds one without a body, a reason beyond 123 bytes raises ValueError."""
    if code is None:
        return build(CLOSE, b"")
    body = code.to_bytes(2) + reason.encode()
    if len(body) > MAX_CONTROL_BYTES:
        raise ValueError(f"the close reason has {len(body) - 2} bytes, a control frame holds 123; shorten it")
    return build(CLOSE, body)


def _draw_keys() -> bytes:
    """Refill the mask keys from the kernel's randomness (section 5.3) and take one."""
    _keys.extend(_split(os.urandom(4 * KEYS_AT_ONCE)))
    return _keys.pop()


_keys: list[bytes] = []
_split = struct.Struct("4s" * KEYS_AT_ONCE).unpack  # 25 ns a key; slicing takes 80
_MEDIUM_TEXT: Final = bytes((WHOLE_TEXT, MASKED | LENGTH_16))
_SHORT_TEXT: Final = tuple(bytes((WHOLE_TEXT, MASKED | length)) for length in range(SHORT))
