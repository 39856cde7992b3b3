"""Drop `unread`: the descriptor is closed while data waits in it unread, which makes the kernel send RST.

RFC 1122 4.2.2.13 and RFC 2525 2.17; what a client's crash looks like while messages come in. So that there is something
to leave unread, a ping is sent: its pong, or a message that comes before it, is what waits. The time to detection
therefore has that one round trip in it.
"""

from __future__ import annotations

from loadtest.drops.handmade import PING, frame
from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Ask for a pong and close on it."""
    connection.write_raw(frame(PING, b""))
    connection.close_unread()


KIND = Drop(name="unread", wire="a ping; TCP RST as soon as data waits unread, no close frame", drop=drop)
