"""Drop `burst-close`: messages and a close frame in one write (RFC 6455 5.5.1: nothing may follow the close frame).

The server has received the close frame before the application has seen the first message. Ten messages, unless another
number is given: `burst-close:100`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from loadtest.drops.handmade import CHAT_MESSAGE, CLOSE, close_payload, frame
from loadtest.drops.kind import Drop, Droppable, Outcome, Parameter, whole_number

MESSAGES: Final = 10
MOST_MESSAGES: Final = 10_000
"""About 350 kB: what a kernel's send buffer takes in one write."""


def drop(connection: Droppable, messages: int = MESSAGES) -> None:
    """Send everything at once and leave the rest of the closing handshake to the background."""
    message = connection.encode(CHAT_MESSAGE % "one of a burst")
    connection.write_raw(message * messages + frame(CLOSE, close_payload(1000)))
    connection.drain()


def _with_messages(text: str) -> Drop:
    messages = whole_number(text, least=1, most=MOST_MESSAGES)
    wire = f"{messages} text frames and a close frame 1000 in one write, then the server's close frame and FIN"
    outcome: Outcome = "certain" if messages >= MESSAGES else "other"  # of a few, none may have been answered yet
    return replace(KIND, name=f"burst-close:{text}", wire=wire, outcome=outcome, drop=partial(drop, messages=messages))


KIND = Drop(
    name="burst-close",
    wire=f"{MESSAGES} text frames and a close frame 1000 in one write, then the server's close frame and FIN",
    code=1000,
    outcome="certain",
    drop=drop,
    parameter=Parameter(form="MESSAGES", make=_with_messages),
)
