"""Bring a connection only so far on its way to being open: for drops that act on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from loadtest.drops import Stage
from loadtest.wire.connection import Connection
from loadtest.wire.deadline import Deadline
from loadtest.wire.errors import HandshakeClosed
from loadtest.wire.opening import OPEN_TIMEOUT_S, connect, open_connection, parse, start_tls
from loadtest.wire.stream import Stream
from loadtest.wire.upgrade import Place, Wish, request, wish_for

HALF: Final = 0.5


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
    """Open a connection up to the stage and give it, to be dropped at once: what arrives on it goes to nobody.

    The arguments are those of open_connection. Only the calling greenlet waits: for the TCP connection and the TLS
    session, and for the answer where the stage is behind it. Raises OpenFailed in one of its forms (see errors.py).
    """
    match stage:
        case "half-request" | "request":
            wish = wish_for(headers, origin=origin, subprotocols=subprotocols, compression=compression)
            with Deadline(timeout_s, url):
                stream = _send_request(HALF if stage == "half-request" else 1.0, parse(url), wish, ca_file, insecure)
            return Connection(
                stream.socket, connection_id=connection_id, reader=stream.take_reader(), on_message=_ignore
            )
        case "accepted" | "open":
            return open_connection(
                url,
                connection_id=connection_id,
                headers=headers,
                origin=origin,
                subprotocols=subprotocols,
                compression=compression,
                timeout_s=timeout_s,
                ca_file=ca_file,
                insecure=insecure,
                on_message=_ignore,
            )


def _send_request(share: float, place: Place, wish: Wish, ca_file: str | None, insecure: bool) -> Stream:
    """Connect and send the first part of the HTTP upgrade request, as open_connection would."""
    stream = connect(place.host, place.port)
    try:
        if place.secure:
            start_tls(stream, place, ca_file, insecure)
        asked, _ = request(place, wish)
        stream.send(asked[: round(len(asked) * share)])
    except OSError as error:
        stream.close()
        raise HandshakeClosed(f"the connection to {place.url} broke in the handshake: {error}") from error
    except BaseException:
        stream.close()
        raise
    return stream


def _ignore(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
    pass
