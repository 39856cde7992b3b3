"""Codecs: how a message becomes a frame, and how it is known again in what the app makes of it.

A user's messages are those of Channels' tutorial where nothing is said, or those of `--message`, or what the methods
`encode` and `find` of its class in a locustfile make of a marker.
"""

from collections.abc import Callable
from typing import Protocol

from loadtest.ledger.record import SEQUENCE
from loadtest.load.markers import Message, find_marker, marker_of, read_marker
from loadtest.users.messages import decode, encoder


class Codec(Protocol):
    """What a member's socket asks for each message."""

    def encode(self, identity: int, planned_ns: int) -> str | bytes:
        """Return the frame of a message."""

    def decode(self, frame: str | bytes) -> Message | None:
        """Return the message in a frame that has come; None where there is none of ours in it."""


class TutorialCodec:
    """The messages of Channels' tutorial: the fast way."""

    def __init__(self, padding: str) -> None:
        """Take what follows the digits (see `loadtest.users.messages.padding`)."""
        self.encode = encoder(padding)

    decode = staticmethod(decode)


class MarkerCodec:
    """Any messages with a marker in them."""

    def __init__(
        self,
        make: Callable[[str, int], str | bytes],
        find: Callable[[str | bytes], str | None] = find_marker,
    ) -> None:
        """Take what makes a frame of a marker and a message's number, and what finds the marker in one."""
        self._make = make
        self._find = find

    def encode(self, identity: int, planned_ns: int) -> str | bytes:
        """Return the frame of a message."""
        return self._make(marker_of(identity, planned_ns), identity & SEQUENCE)

    def decode(self, frame: str | bytes) -> Message | None:
        """Return the message whose marker is in a frame."""
        marker = self._find(frame)
        return None if marker is None else read_marker(marker)
