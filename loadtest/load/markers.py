"""Markers: what tells our messages from all others, wherever a marker stands in a frame that the app makes of them.

A marker is `LT`, the message's number and its planned time as 32 digits, and `TL`: letters and digits only, so that
JSON, HTML, MessagePack and URLs carry it as it is, and with an end of its own, whatever follows.
"""

import re
import struct
from typing import Final, NamedTuple

_NUMBERS: Final = struct.Struct(">QQ")
_IN_TEXT: Final = re.compile(r"LT([0-9a-f]{32})TL")
_IN_BYTES: Final = re.compile(_IN_TEXT.pattern.encode())


class Message(NamedTuple):
    """A message to send: its number (see `loadtest.ledger.record.message_id`) and its planned time."""

    identity: int
    planned_ns: int


def marker_of(identity: int, planned_ns: int) -> str:
    """Return the marker of a message."""
    return f"LT{_NUMBERS.pack(identity, planned_ns).hex()}TL"


def find_marker(frame: str | bytes) -> str | None:
    """Return the first marker in a frame; None where there is none."""
    if isinstance(frame, str):
        found = _IN_TEXT.search(frame)
        return found[0] if found else None
    in_bytes = _IN_BYTES.search(frame)
    return in_bytes[0].decode() if in_bytes else None


def read_marker(marker: str) -> Message | None:
    """Return the message that a marker is of; None where it is no marker."""
    whole = _IN_TEXT.fullmatch(marker)
    return Message(*_NUMBERS.unpack(bytes.fromhex(whole[1]))) if whole else None
