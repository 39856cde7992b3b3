"""The guard: the web UI listens on loopback unless it is told otherwise, and then wants a password."""

import hmac
import os
from ipaddress import ip_address
from typing import Any, Final

from flask import Response, request

PASSWORD: Final = "LOADTEST_WEB_PASSWORD"
LOOPBACK: Final = "127.0.0.1"
LEAST: Final = 8
"""Characters of a password; whoever gets in can load any server."""
_OURS: Final = frozenset({"same-origin", "none"})
"""What a browser says of a request that a page of ours makes, or a person by an address (Fetch Metadata)."""


class NoPassword(Exception):
    """The web UI was told to listen elsewhere than on loopback, and has no password."""


def guard(web_ui: Any) -> None:
    """Have the web UI listen on loopback where nothing else is said, and ask for the password; NoPassword."""
    web_ui.host = web_ui.host or LOOPBACK
    require_password(web_ui.host)
    if password := os.environ.get(PASSWORD, ""):
        web_ui.app.before_request(lambda: _refuse_strangers(password))
    web_ui.app.before_request(_refuse_other_pages)


def require_password(host: str) -> None:
    """Raise NoPassword where others reach that address, and there is no password."""
    if not is_loopback(host) and len(os.environ.get(PASSWORD, "")) < LEAST:
        raise NoPassword(
            f"--web-host {host}: whoever reaches that address could load any server; set {PASSWORD} to a "
            f"password of {LEAST} or more characters, or leave --web-host out"
        )


def is_loopback(host: str) -> bool:
    """Tell whether nobody on another machine can reach that address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_strangers(password: str) -> Response | None:
    given = request.authorization
    if given is not None and given.password and hmac.compare_digest(given.password.encode(), password.encode()):
        return None
    return Response("password?", 401, {"WWW-Authenticate": 'Basic realm="channels-loadtest"'})


def _refuse_other_pages() -> Response | None:
    """Refuse what a page of another site asks by a visitor's browser, but for a link; programs do not say who they are.

    Locust lets pages of all sites read its answers (CORS).
    """
    site, mode = (request.headers.get(f"Sec-Fetch-{what}", "") for what in ("Site", "Mode"))
    is_link = request.method == "GET" and mode == "navigate"
    if site and site not in _OURS and not is_link:
        return Response("this request comes from a page of another site", 403)
    return None
