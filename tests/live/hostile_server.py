"""A server that says hostile things: reasons of its ends, statuses of its refusals; for its clients they are data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.live.in_thread import in_thread

OWNING: Final = "window.owned=1"
REASONS: Final = (
    "\x1b[2J\x1b]0;owned\x07\x1b[31m",
    "[/x][bold red]:smile:[link=http://x]",
    '=HYPERLINK("http://x")',
    f"</script><script>{OWNING}</script>",
    f"<img src=x onerror={OWNING}>",
    "\u202edlrow\r\n+1;2: 3; 4:5",
    "w" * 100,
)
"""Terminal escapes, markup of ours, a formula, two scripts, signs of our tables, and a long word."""
LONGEST_BYTES: Final = 123
"""Of a reason (RFC 6455 5.5)."""
STAYS: Final = 10
"""Messages that a connection gets answered before it is ended."""


class Hostile:
    """Answers messages for a while; then each connection gets an end, and each third handshake a refusal."""

    def __init__(self, members: int) -> None:
        """Let so many connections in without a word."""
        self.port = 0
        self._members = members
        self._opened = itertools.count(1)
        self._ended = itertools.count()
        self._refused = itertools.count()

    def admit(self, _connection: ServerConnection, _request: Request) -> Response | None:
        number = next(self._opened)
        if number <= self._members or number % 3:
            return None
        return Response(600 + next(self._refused) % 300, "\x1b[2J=1+1; <b>:smile:[/x]", Headers())

    def talk(self, connection: ServerConnection) -> None:
        for message in itertools.islice(connection, STAYS):
            connection.send(message)
        number = next(self._ended)
        reason = f"{REASONS[number % len(REASONS)]} {number}".encode()[:LONGEST_BYTES].decode()
        try:
            connection.close(4000 + number % 3, reason)
        except ConnectionClosed:
            return


@contextmanager
def serving(members: int) -> Iterator[Hostile]:
    """Run it."""
    hostile = Hostile(members)
    server = serve(hostile.talk, "127.0.0.1", 0, process_request=hostile.admit, compression=None)
    with server, in_thread(server) as hostile.port:
        yield hostile
