"""Drop `close`: a close frame, then the server ends the TCP connection (RFC 6455 7.1.1, 7.1.2).

As a browser does it: the client answers no more messages and leaves the first FIN to the server. What the server
still sends is read and thrown away in the background, for a descriptor closed with unread data would send RST.
Code 1000 and no reason, unless others are given: `close:4001:gone home`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from loadtest.drops.kind import Drop, DropError, Droppable, Parameter

MAX_REASON_BYTES: Final = 123
"""A control frame carries at most 125 bytes (RFC 6455 5.5), two of which are the code."""


def drop(connection: Droppable, code: int = 1000, reason: str = "") -> None:
    """Send the close frame and leave the rest of the closing handshake to the background."""
    connection.send_close_frame(code, reason)
    connection.drain()


def _with_code(text: str) -> Drop:
    number, _, reason = text.partition(":")
    code = _allowed(number)
    if len(reason.encode()) > MAX_REASON_BYTES or not reason.isprintable() or "," in reason:
        raise DropError(f"a reason has at most {MAX_REASON_BYTES} bytes, all printable, and no comma")
    said = f" {reason!r}" if reason else ""
    wire = f"close frame {code}{said}, then the server's close frame and FIN"
    return replace(KIND, name=f"close:{text}", wire=wire, code=code, drop=partial(drop, code=code, reason=reason))


def _allowed(number: str) -> int:
    """Read a close code that an endpoint may send (RFC 6455 7.4 and the IANA registry of its codes)."""
    code = int(number) if number.isascii() and number.isdigit() and len(number) == 4 else 0
    if (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) or 3000 <= code <= 4999:
        return code
    raise DropError(f"{number!r} is no close code that may be sent: 1000 to 1014 but 1004, 1005, 1006; 3000 to 4999")


KIND = Drop(
    name="close",
    wire="close frame 1000, then the server's close frame and FIN",
    code=1000,
    default=True,
    drop=drop,
    parameter=Parameter(form="CODE[:REASON]", make=_with_code),
)
