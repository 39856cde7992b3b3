"""Drop `unread`: the descriptor is closed while data waits in it unread, which makes the kernel send RST.

RFC 1122 4.2.2.13 and RFC 2525 2.17; a client that crashes while messages come in looks like this. A ping is sent, so
that its pong, or a message that comes before it, waits unread. The time to detection therefore includes one round trip.
"""

from __future__ import annotations

from loadtest.drops.handmade import PING, frame
from loadtest.drops.kind import Drop, Droppable


def drop(connection: Droppable) -> None:
    """Ask for a pong and close on it."""
    connection.write_raw(frame(PING, b""))
    connection.close_unread()


KIND = Drop(name="unread", wire="a ping; TCP RST as soon as data waits unread, no close frame", drop=drop)
