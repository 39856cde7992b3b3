"""What a drop kind is: a named way for the client to end a connection, and the powers it may use for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Stage = Literal["half-request", "request", "accepted", "open"]
"""When in a connection's life a drop acts: half of the HTTP upgrade request is sent; all of it is, and no answer has
been read; the server has just accepted; it is open and in use."""

Outcome = Literal["chance", "certain", "other"]
"""What decides whether its disconnect is missed, on a server where a send to a client that is gone raises. "chance":
what the consumer does at the moment of the drop, so the share that is missed is the exposure. "certain": the consumer
still has to send when the client is gone already, so it is always missed. "other": the server learns of it at a moment
of its own, by its pings, or while the connection opens."""


class DropError(ValueError):
    """There is no such drop, or it does not take what follows its name; the message says what there is."""


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

    def hold(self, read_bytes_per_s: float = 0.0) -> None:
        """Keep the socket, and only read and discard at this rate, until its owner releases or resets it."""

    def close_unread(self) -> None:
        """Stop reading; close the descriptor as soon as data waits unread, or at a deadline."""

    def reset(self) -> None:
        """Send RST now and close the descriptor."""

    def release(self) -> None:
        """Close the descriptor now; the kernel sends FIN, or RST when data is unread."""

    def set_option(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option of the TCP socket (setsockopt(2))."""


def _everywhere() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One way to end a connection on purpose.

    `drop` acts at once without waiting, and leaves nothing behind on our side in the end. On a connection that has
    ended already it does nothing.
    """

    name: str
    """With its parameter, where one was given: "close:4001"."""
    wire: str
    """The wire effect in one line."""
    drop: Callable[[Droppable], None]
    code: int | None = None
    """The code of the close frame that is sent; None when none is."""
    default: bool = False
    """Belongs to the default plan."""
    stage: Stage = "open"
    """In the stages before "open" the drop takes an extra connection, which ends there, and no member loses its own."""
    outcome: Outcome = "chance"
    silent: bool = False
    """The server is told nothing: only its own pings or sends can show it that nobody is there."""
    holds: bool = False
    """The socket is kept; whoever dropped it releases it after the measurement."""
    privileged: bool = False
    """Needs a right that a normal user does not have (CAP_NET_ADMIN)."""
    unavailable: Callable[[], str | None] = _everywhere
    """Why it cannot be done on this machine, in plain words; None where it can."""
    parameter: Parameter | None = None
    """What may follow the name, after a colon; None: nothing may."""

    @property
    def form(self) -> str:
        """The name as it may be written: "close[:CODE[:REASON]]"."""
        return self.name + (f"[:{self.parameter.form}]" if self.parameter else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What may follow a drop's name after a colon: how it is written, and the drop that it makes."""

    form: str
    make: Callable[[str], Drop]
    """Raises DropError when the text is not of the form; the message says what it should be."""


def whole_number(text: str, *, least: int, most: int) -> int:
    """Read a parameter that is a whole number; raises DropError outside of `least` to `most`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise DropError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)
