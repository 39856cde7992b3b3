"""Open a WebSocket: TCP, proxy, TLS and the opening handshake, within one deadline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from loadtest.wire.address import Address, parse
from loadtest.wire.connecting import connect
from loadtest.wire.connection import Connection, OnClosed, OnMessage
from loadtest.wire.deadline import Deadline
from loadtest.wire.deflate import Deflate
from loadtest.wire.errors import HandshakeClosed, HandshakeRefused
from loadtest.wire.handshake import (
    REDIRECTS,
    Handshake,
    HandshakeOptions,
    Response,
    handshake_options,
    redirect_target,
)
from loadtest.wire.parser import MAX_MESSAGE_BYTES
from loadtest.wire.proxy import connect_through
from loadtest.wire.stream import Stream
from loadtest.wire.tls import start_tls

OPEN_TIMEOUT_S: Final = 10.0
MAX_REDIRECTS: Final = 3  # as websocket-client has it


def open_connection(
    url: str,
    *,
    connection_id: int = 0,
    headers: Iterable[tuple[str, str]] = (),
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    cookies: Mapping[str, str] | None = None,
    compression: bool = False,
    timeout_s: float = OPEN_TIMEOUT_S,
    ca_file: str | None = None,
    insecure: bool = False,
    proxy: str | None = None,
    on_message: OnMessage | None = None,
    on_closed: OnClosed | None = None,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
) -> Connection:
    """Open a WebSocket and return its Connection; only the calling greenlet waits.

    url: ws://host[:80]/path or wss://host[:443]/path. origin: None sends the target's own, as a page of it would.
    compression: offer permessage-deflate, as browsers do. ca_file: PEM file of the only CA to trust; insecure: trust
    anybody. proxy: http://[user:password@]host:port (the environment's proxy variables are not used). Redirects are
    followed 3 times. A server's Set-Cookie stays with this connection (`headers`); no other one sends it.

    Raises OpenFailed in one of its forms (see errors.py).
    """
    options = handshake_options(
        headers, origin=origin, subprotocols=subprotocols, cookies=cookies, compression=compression
    )
    with Deadline(timeout_s, url):
        stream, response, early = _open(url, options, ca_file, insecure, proxy)
    try:
        return Connection(
            stream.socket,
            connection_id=connection_id,
            head=response.head,
            early=early,
            reader=stream.take_reader(),
            on_message=on_message,
            on_closed=on_closed,
            max_message_bytes=max_message_bytes,
            deflate=None if response.agreement is None else Deflate(response.agreement),
        )
    except BaseException:
        stream.close()
        raise


def _open(
    url: str, options: HandshakeOptions, ca_file: str | None, insecure: bool, proxy: str | None
) -> tuple[Stream, Response, bytes]:
    """Connect and do the handshake, following redirects; return also the bytes that came in one piece with it."""
    redirects = 0
    while True:
        address = parse(url)
        stream = connect_to(address, ca_file, insecure, proxy)
        handshake = Handshake(address, options)
        try:
            stream.send(handshake.request)
            while (response := handshake.receive(stream.receive())) is None:
                pass
        except OSError as error:
            stream.close()
            raise broken(url, error) from error
        except BaseException:
            stream.close()
            raise
        if response.status not in REDIRECTS:
            return stream, response, handshake.early
        stream.close()
        url = redirect_target(response, url)
        redirects += 1
        if redirects > MAX_REDIRECTS:
            raise HandshakeRefused(response.status, f"{url} is redirect number {redirects}; give the final address")


def connect_to(address: Address, ca_file: str | None, insecure: bool, proxy: str | None = None) -> Stream:
    """Connect to the server, through the proxy if there is one, with TLS if the address asks for it."""
    stream = connect_through(proxy, address) if proxy else connect(address.host, address.port)
    if address.secure:
        start_tls(stream, address, ca_file, insecure)
    return stream


def broken(url: str, error: OSError) -> HandshakeClosed:
    """Return our error for the socket's."""
    return HandshakeClosed(f"the connection to {url} broke in the handshake: {error}")
