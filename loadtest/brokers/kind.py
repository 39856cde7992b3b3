"""What a broker is: how it is started or found, and what can be asked of it while it runs."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class RunningBroker(Protocol):
    """A broker that answers."""

    @property
    def url(self) -> str:
        """Its address as a channel layer takes it; may hold a password."""

    @property
    def version(self) -> str:
        """Its name and version: "valkey 9.1.2"."""

    @property
    def pid(self) -> int | None:
        """The pid of our own; None when it is the user's."""

    def require_alive(self) -> None:
        """Raise EnvironmentFailed, saying what happened to it, unless it answers."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to our own; nothing happens when it is gone, or is the user's."""

    def forget(self, prefix: str) -> None:
        """Delete what was written under a prefix of ours; nothing happens when it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One kind of broker."""

    name: str
    summary: str
    run: Callable[[str | None, Path], AbstractContextManager[RunningBroker]]
    """Takes the address of the user's own, or None for a private one, and the log file of that; ends what it started.

    Entering raises EnvironmentFailed when the user's does not answer or ours does not start.
    """
    option: str
    """The command line's option for the address of the user's own: "redis-url"."""
    variable: str
    """The environment variable for the same."""
    check: Callable[[str], str]
    """Returns an address that can be tried; raises ValueError, which does not repeat it."""
    redacted: Callable[[str], str]
    """Returns where an address leads to, for messages and manifests: nothing of it where it cannot be understood."""
