"""Drop `midframe-rst`: the first part of a text frame, then RST (RFC 6455 5.2; RFC 9293 3.10.5, ABORT).

Half of the frame, unless a number of bytes is given: `midframe-rst:1`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from loadtest.drops.kind import Drop, Droppable, Parameter
from loadtest.drops.midframe import FRAME_BYTES, HALF, MESSAGE, sent_bytes_in


def drop(connection: Droppable, sent_bytes: int = HALF) -> None:
    """Send the first part of a frame and abort."""
    connection.write_raw(connection.encode(MESSAGE)[:sent_bytes])
    connection.reset()


def _cut_after(text: str) -> Drop:
    sent = sent_bytes_in(text)
    wire = f"{sent} of the {FRAME_BYTES} bytes of a text frame, then TCP RST"
    return replace(KIND, name=f"midframe-rst:{text}", wire=wire, drop=partial(drop, sent_bytes=sent))


KIND = Drop(
    name="midframe-rst",
    wire="half a text frame, then TCP RST",
    drop=drop,
    parameter=Parameter(form="BYTES", make=_cut_after),
)
