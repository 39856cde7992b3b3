"""Handshaking: the arguments with which every connection of a load is opened, a member's or an extra one."""

from typing import Final, TypedDict

from loadtest.contract import CONNECTION_HEADER
from loadtest.load import Load
from loadtest.load.entry import Entry

OPEN_TIMEOUT_S: Final = 10.0


class Handshake(TypedDict):
    """Arguments of `open_connection` and `open_until`."""

    connection_id: int
    headers: list[tuple[str, str]]
    origin: str | None
    subprotocols: tuple[str, ...]
    compression: bool
    ca_file: str | None
    insecure: bool
    timeout_s: float


def handshake_of(load: Load, number: int, *, entry: Entry, user: int) -> Handshake:
    """Return how a user opens the connection of that number under a load."""
    return {
        "connection_id": number,
        "headers": [(CONNECTION_HEADER, str(number)), *load.headers, *entry.of_user(user)],
        "origin": entry.origin or load.origin or None,
        "subprotocols": entry.subprotocols or load.subprotocol,
        "compression": load.compression,
        "ca_file": entry.ca_file or load.ca_file or None,
        "insecure": entry.insecure or load.insecure,
        "timeout_s": OPEN_TIMEOUT_S,
    }
