"""Open a connection only as far as a stage of its opening: for drops that act on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from loadtest.drops import Stage
from loadtest.wire.address import parse
from loadtest.wire.connection import Connection
from loadtest.wire.deadline import Deadline
from loadtest.wire.handshake import HandshakeOptions, build_request, handshake_options
from loadtest.wire.opening import OPEN_TIMEOUT_S, broken, connect_to, open_connection
from loadtest.wire.stream import Stream

SHARE_SENT: Final = {"half-request": 0.5, "request": 1.0}
"""How much of the HTTP upgrade request is sent."""
WHOLLY_OPEN: Final = ("accepted", "open")
"""Stages behind the opening handshake; they differ only in what the caller does next."""


def open_until(
    stage: Stage,
    url: str,
    *,
    connection_id: int = 0,
    headers: Iterable[tuple[str, str]] = (),
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    compression: bool = False,
    timeout_s: float = OPEN_TIMEOUT_S,
    ca_file: str | None = None,
    insecure: bool = False,
) -> Connection:
    """Open a connection up to the stage and return it, to be dropped at once: what arrives on it is thrown away.

    The arguments are those of open_connection(). Only the calling greenlet waits: for the TCP connection and the TLS
    session, and for the answer where the stage is behind it. Raises OpenFailed in one of its forms (see errors.py).
    """
    asked: dict[str, Any] = {"origin": origin, "subprotocols": subprotocols, "compression": compression}
    trust: dict[str, Any] = {"ca_file": ca_file, "insecure": insecure}
    if stage in WHOLLY_OPEN:
        return open_connection(
            url,
            connection_id=connection_id,
            headers=headers,
            timeout_s=timeout_s,
            on_message=_ignore,
            **asked,
            **trust,
        )
    with Deadline(timeout_s, url):
        stream = _send_request(SHARE_SENT[stage], url, handshake_options(headers, **asked), **trust)
    return Connection(stream.socket, connection_id=connection_id, reader=stream.take_reader(), on_message=_ignore)


def _send_request(share: float, url: str, options: HandshakeOptions, *, ca_file: str | None, insecure: bool) -> Stream:
    """Connect and send the first part of the HTTP upgrade request, as open_connection() would."""
    address = parse(url)
    stream = connect_to(address, ca_file, insecure)
    request, _ = build_request(address, options)
    try:
        stream.send(request[: round(len(request) * share)])
    except OSError as error:
        stream.close()
        raise broken(url, error) from error
    except BaseException:
        stream.close()
        raise
    return stream


def _ignore(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
    pass
