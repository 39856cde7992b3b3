"""The TLS session of a wss:// connection."""

from __future__ import annotations

import functools
import ssl
from typing import Any

import gevent.ssl

from loadtest.wire.address import Address
from loadtest.wire.errors import TLSFailed
from loadtest.wire.stream import Stream


def start_tls(stream: Stream, address: Address, ca_file: str | None = None, insecure: bool = False) -> None:
    """Do the TLS handshake, or close the stream; raises TLSFailed."""
    try:
        stream.start_tls(_context(ca_file, insecure), address.host)
    except (OSError, ValueError) as error:
        stream.close()
        raise TLSFailed(
            f"no TLS session with {address.host}:{address.port}: {error}; pass the server's CA file, or allow insecure"
        ) from error
    except BaseException:
        stream.close()
        raise


@functools.lru_cache(maxsize=16)
def _context(ca_file: str | None, insecure: bool) -> Any:
    """Return the one context of all connections that trust the same: loading the CAs takes 20 ms."""
    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Without it OpenSSL 3 answers a FIN without close_notify by an alert, which a drop must not send; 1006 tells of it
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    else:
        context.load_default_certs()
    return context
