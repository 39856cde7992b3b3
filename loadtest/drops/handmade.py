"""Frames made by hand, byte for byte (RFC 6455 5.2): also those that no codec agrees to build."""

from __future__ import annotations

from typing import Final

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
FIN: Final = 0x80
MASKED: Final = 0x80
NO_MASK_KEY: Final = b"\0\0\0\0"
"""Any key will do here (5.3 asks for one that a page cannot predict); this one leaves the payload as it is."""
LENGTH_16: Final = 126
LENGTH_64: Final = 127

CHAT_MESSAGE: Final = '{"message": "%s"}'
"""A text that the reference app, and apps like it, accept and pass on: only the framing around it is wrong."""


def frame(opcode: int, payload: bytes, *, masked: bool = True, length: int | None = None) -> bytes:
    """Return a frame; `length` is what its header promises, where that is not the payload's own."""
    promised = len(payload) if length is None else length
    mask_bit = MASKED if masked else 0
    if promised < LENGTH_16:
        size = bytes([mask_bit | promised])
    elif promised < 1 << 16:
        size = bytes([mask_bit | LENGTH_16]) + promised.to_bytes(2, "big")
    else:
        size = bytes([mask_bit | LENGTH_64]) + promised.to_bytes(8, "big")
    return bytes([FIN | opcode]) + size + (NO_MASK_KEY if masked else b"") + payload


def close_payload(code: int, reason: str = "") -> bytes:
    """Return what a close frame carries (5.5.1)."""
    return code.to_bytes(2, "big") + reason.encode()
