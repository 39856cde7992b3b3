"""Drop `sigkill`: the whole client process is killed, and the kernel closes all of its sockets (signal(7); close(2)).

What an app does that is swiped away, or a gateway that runs out of memory: many connections end in one instant, some in
the middle of a frame.
"""

from __future__ import annotations

import os
import signal

from loadtest.drops.kind import Drop, Droppable


def drop(_connection: Droppable) -> None:
    """Kill this process: whichever connection is named, all of them end."""
    os.kill(os.getpid(), signal.SIGKILL)


KIND = Drop(
    name="sigkill",
    wire="TCP FIN on every connection of the process at once, RST where data waits unread; no close frame",
    stage="process",
    drop=drop,
)
