"""What the parts of the probe share: the process's recorder, and which channels belong to which connection."""

import functools
import os
from pathlib import Path

from loadtest.contract import LEDGER_VARIABLE
from loadtest.ledger import Recorder

NO_CONNECTION = 0
"""In records of the whole process."""

_channel_connections: dict[str, int] = {}
_connection_channels: dict[int, list[str]] = {}


def is_recording() -> bool:
    """Tell whether this process is asked to keep a ledger."""
    return bool(os.environ.get(LEDGER_VARIABLE))


@functools.cache
def recorder() -> Recorder:
    """Return the process's recorder, opened at the first call; raises OSError when the folder cannot be written."""
    return Recorder(Path(os.environ[LEDGER_VARIABLE]), "server")


if hasattr(os, "register_at_fork"):  # a server may load the app before it forks its workers
    os.register_at_fork(after_in_child=recorder.cache_clear)


def own_channel(connection: int, channel: str) -> None:
    """Remember for which connection a channel was made."""
    _channel_connections[channel] = connection
    _connection_channels.setdefault(connection, []).append(channel)


def channel_owner(channel: str) -> int | None:
    """Return the connection that a channel was made for, while that connection's task runs."""
    return _channel_connections.get(channel)


def forget_channels(connection: int) -> None:
    """Forget the channels of a connection whose task has ended."""
    for channel in _connection_channels.pop(connection, ()):
        del _channel_connections[channel]


def recorded_code(code: object) -> int:
    """Return a close code as a record holds it; what is no such number, and would break the record, is 0."""
    return code if isinstance(code, int) and 0 <= code < 2**16 else 0


def class_name(thing: object) -> str:
    """Return the full name of the class of an exception or a consumer."""
    kind = type(thing)
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
