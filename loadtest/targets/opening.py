"""Opening: one WebSocket as a user of a trial opens it, and in one sentence why it could not be."""

import http.client
import socket
import ssl
from typing import Final
from urllib.parse import urlsplit

from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from loadtest.load.entry import Entry
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.prime import ANSWER_S

_REFUSED: Final = {
    400: "it wants something else of an opening request: --subprotocol or --header, say",
    401: "it wants a sign-in: --login-url, --cookie or --header-file",
    403: "no route fits the path, or the app lets nobody in who is not signed in (--login-url, --cookie, "
    "--header-file) or comes from another page (--origin)",
    404: "is the path right?",
    500: "no route fits the path, or the app failed; its log says which",
    502: "the proxy there does not reach the app",
    503: "the server there takes nobody now",
}
"""What a status of the answer means, where Channels or a proxy before it gives it."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


def open_as_user(url: str, entry: Entry, user: int) -> ClientConnection:
    """Open a WebSocket as the user of that number does; EnvironmentFailed, with what to do, where it cannot be."""
    secure = url.startswith("wss:")
    origin = Origin(entry.origin or f"{'https' if secure else 'http'}://{urlsplit(url).netloc}")
    try:
        ws = connect(
            url,
            origin=origin,
            subprotocols=[Subprotocol(name) for name in entry.subprotocols] or None,
            additional_headers=entry.of_user(user),
            open_timeout=ANSWER_S,
            close_timeout=ANSWER_S,
            compression=None,
            proxy=None,
            ssl=trust_of(entry) if secure else None,
        )
    except (OSError, WebSocketException) as error:  # TimeoutError is an OSError
        raise EnvironmentFailed(f"{url} cannot be opened: {why_not(error)}") from error
    if entry.subprotocols and ws.subprotocol is None:
        ws.close()
        raise EnvironmentFailed(
            f"{url} chose none of the subprotocols {', '.join(entry.subprotocols)}, and a client that asked for one "
            "ends the connection then, as browsers do; is --subprotocol right?"
        )
    return ws


def trust_of(entry: Entry) -> ssl.SSLContext:
    """Return which certificates are taken behind wss:// and https://."""
    context = ssl.create_default_context(cafile=entry.ca_file or None)
    if entry.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def connection_to(
    scheme: str, authority: str, trust: ssl.SSLContext | None, *, timeout_s: float
) -> http.client.HTTPConnection:
    """Return a connection to where pages are, not open yet; EnvironmentFailed where there can be no such place."""
    try:
        if scheme in ("https", "wss"):
            return http.client.HTTPSConnection(authority, timeout=timeout_s, context=trust)
        return http.client.HTTPConnection(authority, timeout=timeout_s)
    except http.client.InvalidURL as error:
        raise EnvironmentFailed(f"{authority} is no address: {error}") from None


def why_not(error: Exception) -> str:
    """Return why an address could not be opened or asked, and what to do."""
    match error:
        case InvalidStatus():
            status = error.response.status_code
            return f"HTTP {status} in answer to the opening handshake{_advice(status)}"
        case socket.gaierror():
            return f"the name is not known ({error.strerror})"
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not trusted ({error}); --ca-file names the CA to trust, --insecure "
                "takes any certificate"
            )
        case ssl.SSLError():
            return f"no TLS session comes about ({error}); is it ws:// and not wss://?"
        case ConnectionRefusedError():
            return "nothing listens there; is the server up, and the port right?"
        case TimeoutError():
            return f"no answer within {ANSWER_S:.0f} s"
        case InvalidURI() | InvalidHandshake() | OSError() | WebSocketException():
            return str(error) or type(error).__name__
        case _:
            return repr(error)


def _advice(status: int) -> str:
    if status in _REDIRECTS:
        return "; give the address that it redirects to"
    return f"; {_REFUSED[status]}" if status in _REFUSED else ""
