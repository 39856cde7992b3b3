"""What a drop kind is: a named way for the client to end a connection, and the powers it may use for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Droppable(Protocol):
    """The powers of a connection that a drop may use; none waits, none raises when the peer was faster."""

    def encode(self, message: str | bytes) -> bytes:
        """Give the bytes of the frame that carries the message."""

    def send_close_frame(self, code: int | None = 1000, reason: str = "") -> None:
        """Send a close frame, once."""

    def write_raw(self, data: bytes) -> None:
        """Send these bytes as they are, after what is queued."""

    def shutdown_write(self) -> None:
        """Send FIN after what is queued, and go on reading."""

    def drain(self) -> None:
        """Read and discard in the background until the peer's FIN or a deadline, then close the descriptor."""

    def reset(self) -> None:
        """Send RST now and close the descriptor."""

    def pause_reading(self) -> None:
        """Take nothing more from the socket."""

    def release(self) -> None:
        """Close the descriptor now; the kernel sends FIN, or RST when data is unread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One way to end a connection on purpose.

    `drop` acts at once without waiting, and leaves nothing behind on our side in the end. On a connection that has
    ended already it does nothing.
    """

    name: str
    wire: str
    """The wire effect in one line."""
    code: int | None
    """The code of the close frame that is sent; None when none is."""
    privileged: bool
    """Needs a right that a normal user does not have (CAP_NET_ADMIN)."""
    drop: Callable[[Droppable], None]
