"""What a load may ask of the opening handshake, checked: own headers, an origin, subprotocols, a CA, a proxy."""

import re
import ssl
from typing import Final
from urllib.parse import urlsplit

from loadtest.contract import CONNECTION_HEADER

OWN_OPTION: Final = {
    "origin": "--origin",
    "sec-websocket-protocol": "--subprotocol",
    "sec-websocket-extensions": "--compression",
}
"""Headers that have an option of their own; twice in a request they would be another thing, or an error."""
SET_ALREADY: Final = frozenset(
    {"host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version", CONNECTION_HEADER.lower()}
)
"""Headers that every handshake has already (RFC 6455 4.1); the last one tells the probe which connection it is."""
OF_A_BODY: Final = frozenset({"content-length", "transfer-encoding"})
"""They announce a body, and an upgrade request has none: the server would take the first frames for it."""
TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""What names a header or a subprotocol (RFC 9110 5.6.2; RFC 6455 4.1)."""
ORIGIN: Final = re.compile(r"null|[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#,]+")
"""RFC 6454 7: scheme, host and port, without a path; "null" is what a sandboxed page sends."""


def header_pair(line: str) -> tuple[str, str]:
    """Split "Name: value"."""
    name, _, value = line.partition(":")
    return name, value.strip()


def check_header(line: str) -> str:
    """Return a header line that may be added to the handshake; raises ValueError."""
    name, value = header_pair(line)
    if ":" not in line or not TOKEN.fullmatch(name):
        raise ValueError(f"{_shown(line)!r} is no header; write 'Name: value'")
    if not all(character == "\t" or character.isprintable() for character in value):
        raise ValueError(f"the value of the header {name} has characters in it that cannot be printed")
    if option := OWN_OPTION.get(name.lower()):
        raise ValueError(f"the header {name} has an option of its own; use {option}")
    if name.lower() in SET_ALREADY:
        raise ValueError(f"the header {name} is set by the handshake itself; leave it out")
    if name.lower() in OF_A_BODY:
        raise ValueError(f"the header {name} announces a body, which an upgrade request does not have; leave it out")
    return line


def _shown(line: str) -> str:
    """Return how a line begins: what follows may be secret."""
    begin = TOKEN.match(line)
    return f"{begin[0] if begin else ''}..."


def check_origin(origin: str) -> str:
    """Return an origin as browsers send it, or "" for the target's own; raises ValueError."""
    if origin and not ORIGIN.fullmatch(origin):
        raise ValueError(f"{origin!r} is no origin; write https://example.com:8443, without a path, or null")
    return origin


def check_subprotocol(name: str) -> str:
    """Return the name of a subprotocol; raises ValueError."""
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no subprotocol; its name has letters, digits and -._ in it, and no space")
    return name


def check_ca_file(path: str) -> str:
    """Return the path of a file with certificates in it, or "" for the system's own; raises ValueError."""
    if not path:
        return path
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:  # an OSError too, so it stands first
        raise ValueError(
            f"{path} has no certificate in PEM form; give the file that begins BEGIN CERTIFICATE"
        ) from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}; give the PEM file of the server's CA") from None
    return path


def check_proxy(url: str) -> str:
    """Return the address of an HTTP proxy, or "" for none; raises ValueError, which does not repeat a password."""
    if not url:
        return url
    try:
        parts = urlsplit(url)
        is_proxy = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
    except ValueError:  # brackets that do not match, or a port that is no number
        is_proxy = False
    if not is_proxy:
        raise ValueError("that is no HTTP proxy; write http://[user:password@]host:port")
    return url
