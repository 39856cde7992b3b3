"""Drop `midframe`: the first part of a text frame, then FIN: a crash while sending (RFC 6455 5.2, 7.1.5).

Half of the frame, unless a number of bytes is given: `midframe:7` cuts after the header and one byte of payload.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from loadtest.drops.kind import Drop, Droppable, Parameter, whole_number

MESSAGE: Final = "cut inside this frame by the load test " * 2
"""Long enough that half of its frame holds the whole header and some payload."""
FRAME_BYTES: Final = 2 + 4 + len(MESSAGE)
"""Header of a short frame, mask key, payload."""
HALF: Final = FRAME_BYTES // 2


def drop(connection: Droppable, sent_bytes: int = HALF) -> None:
    """Send the first part of a frame, then FIN, and let the server's answer be read in the background."""
    connection.write_raw(connection.encode(MESSAGE)[:sent_bytes])
    connection.shutdown_write()
    connection.drain()


def sent_bytes_in(text: str) -> int:
    """Read where to cut: at least one byte is sent, and at least one is not."""
    return whole_number(text, least=1, most=FRAME_BYTES - 1)


def _cut_after(text: str) -> Drop:
    sent = sent_bytes_in(text)
    wire = f"{sent} of the {FRAME_BYTES} bytes of a text frame, then TCP FIN"
    return replace(KIND, name=f"midframe:{text}", wire=wire, drop=partial(drop, sent_bytes=sent))


KIND = Drop(
    name="midframe",
    wire="half a text frame, then TCP FIN",
    default=True,
    drop=drop,
    parameter=Parameter(form="BYTES", make=_cut_after),
)
