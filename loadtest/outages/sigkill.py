"""Outage `sigkill`: a whole client process is killed, and the kernel closes all of its sockets (signal(7); close(2)).

What an app does that is swiped away, or a gateway that runs out of memory: many connections end in one instant, some in
the middle of a frame. There is nothing to heal: those clients do not come back.
"""

from __future__ import annotations

import signal
from typing import Final

from loadtest.outages.kind import Outage, Subject

BEGINS_S: Final = 0.5
"""When the first members are dropped in other trials."""


def begin(generator: Subject) -> None:
    """Kill it."""
    generator.signal(signal.SIGKILL)


KIND = Outage(
    name="sigkill",
    of="generator",
    summary="a whole client process is killed: FIN on all its connections (RST where data is unread), no close frame",
    begin=begin,
    begins_s=lambda steady_s: min(BEGINS_S, steady_s / 2),
    ends_process=True,
    in_all=True,
)
