"""ASGI servers: one module of this package each, found by its KIND."""

import sys
from collections.abc import Mapping

from loadtest.discovery import kinds_in
from loadtest.servers.elsewhere import ELSEWHERE
from loadtest.servers.kind import HOST, Server, Serving
from loadtest.servers.own_command import named_server

__all__ = ["ELSEWHERE", "HOST", "SERVERS", "Server", "Serving", "find_server"]

SERVERS: Mapping[str, Server] = kinds_in(sys.modules[__name__], Server)
"""By name; a server that is not installed is among them and says so."""


def find_server(name: str) -> Server:
    """Return the server of that name, ELSEWHERE among them.

    Of one that is in no list, which a user's own command starts, the name alone is known.
    """
    return ELSEWHERE if name == ELSEWHERE.name else SERVERS.get(name) or named_server(name)
