"""Elsewhere: the server of a target that runs somewhere else; it stands for whatever that is, and starts nothing."""

from typing import Final

from loadtest.contract import Identity
from loadtest.servers.kind import Server, Serving


def _command(serving: Serving) -> list[str]:
    raise AssertionError(f"{serving.application} is served by somebody else")


def _websockets(identity: Identity) -> str:
    return "not known"


ELSEWHERE: Final = Server(
    name="elsewhere",
    summary="runs elsewhere, started by somebody else",
    package="",
    command=_command,
    websockets=_websockets,
    ping_interval_s=None,
    ping_timeout_s=None,
    is_elsewhere=True,
)
"""No KIND, so that it is in no list: no app can be served by it."""
