"""A server that a command of the user's own starts: what it is called, and what is known of it."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final, NoReturn

from loadtest.contract import Identity
from loadtest.servers.kind import Server, Serving

PORT: Final = "{port}"
"""Stands in a command for the port that the server is to listen at."""

KNOWN: Final = ("daphne", "uvicorn", "gunicorn", "hypercorn", "granian", "runserver")
"""Programs that a command may name behind another one: `python -m daphne`, `uv run uvicorn`, `manage.py runserver`."""


def server_of(command: Sequence[str]) -> str:
    """Return what the server of a command is called: the first program in it that is known, or its first word's."""
    names = [PurePath(word).name for word in command]
    return next((name for name in names if name in KNOWN), names[0])


def at_port(command: Sequence[str], port: int) -> list[str]:
    """Return the command with the port in it."""
    return [word.replace(PORT, str(port)) for word in command]


def named_server(name: str) -> Server:
    """Return the row of a server of which only the name is known; how often it pings its user has to say."""
    return Server(
        name=name,
        summary="started by a command of your own",
        package=name,
        command=_no_command,
        websockets=_websockets,
        ping_interval_s=None,
        ping_timeout_s=None,
        port_taken="in use",
    )


def _no_command(_: Serving) -> NoReturn:
    raise AssertionError("its command line is the user's")


def _websockets(_: Identity) -> str:
    return "WebSockets by what it picks itself"
