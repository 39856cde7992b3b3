"""Bring a connection only so far on its way to being open: for drops that act on the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from gevent import Timeout
from websocket._handshake import _get_handshake_headers

from loadtest.drops import Stage
from loadtest.wire.connection import Connection
from loadtest.wire.errors import HandshakeClosed, OpenTimeout
from loadtest.wire.opening import OPEN_TIMEOUT_S, _connect, _parse, _start_tls, _Stream, asked, open_connection

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
            options = asked(headers, origin=origin, subprotocols=subprotocols, compression=compression)
            with Timeout(timeout_s, OpenTimeout(f"{url} could not be reached within {timeout_s} s")):
                stream = _send_request(HALF if stage == "half-request" else 1.0, url, options, ca_file, insecure)
            return Connection(stream.socket, connection_id=connection_id, on_message=_ignore)
        case "accepted" | "open" | "process":
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


def _send_request(share: float, url: str, options: dict[str, Any], ca_file: str | None, insecure: bool) -> _Stream:
    """Connect and send the first part of the HTTP upgrade request, as open_connection would."""
    host, port, resource, secure = _parse(url)
    stream = _connect(host, port)
    try:
        if secure:
            _start_tls(stream, host, port, ca_file, insecure)
        lines, _ = _get_handshake_headers(resource, url, host, port, options)
        request = "\r\n".join(lines).encode()
        stream.send(request[: round(len(request) * share)])
    except OSError as error:
        stream.close()
        raise HandshakeClosed(f"the connection to {url} broke in the handshake: {error}") from error
    except BaseException:
        stream.close()
        raise
    return stream


def _ignore(connection: Connection, message: str | bytes, arrival_ns: int) -> None:
    pass
