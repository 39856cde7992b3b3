"""Watching: what is known of a server that runs elsewhere besides what its clients see; without a probe, nothing."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import polars as pl

from loadtest.ledger.reader import SCHEMA
from loadtest.servers import ELSEWHERE
from loadtest.stack.errors import EnvironmentFailed
from loadtest.targets.address import Address
from loadtest.targets.target import CollectedLedger, Reading, Setting

NO_PROBE: Final = "no probe"
REACHED_S: Final = 5.0
"""For a TCP connection, which a server's kernel takes, however busy it is."""


class Watching(Protocol):
    """What watches a server in one trial; each raises EnvironmentFailed where what it asks does not answer."""

    def begin(self) -> None:
        """Have all recorded from now on."""

    def require_alive(self) -> None:
        """Raise EnvironmentFailed where it is clear that it does not run any more."""

    def wait_until_forgotten(self) -> None:
        """Wait, but not long, until it holds no connection of ours."""

    def open_connections(self) -> int | None:
        """Return how many connections of ours it holds; None where that is not known."""

    def read_residue(self) -> Reading:
        """Return what each of its processes holds."""

    def end(self) -> None:
        """Have nothing more recorded; may be called again."""

    def collect_ledger(self) -> CollectedLedger:
        """Return what was recorded, once it has ended. Raises LedgerError."""

    def identity(self) -> Mapping[str, str]:
        """Return the versions of what runs there."""

    def forget(self) -> None:
        """Have nothing kept of what was recorded; may be called again, and raises nothing."""


class Watcher(Protocol):
    """What can watch a server, trial after trial."""

    @property
    def is_probe(self) -> bool:
        """Whether the server itself tells what it does."""

    def watch(self, setting: Setting) -> Watching:
        """Return what watches it in one trial; nothing begins yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """Nothing is known but whether something listens there, in every trial."""

    address: Address
    told: str = ""
    """What the server calls itself in its answers."""
    is_probe: bool = False

    def watch(self, setting: Setting) -> "Unwatched":
        """Return this."""
        return self

    def begin(self) -> None:
        """Do nothing."""

    def require_alive(self) -> None:
        """Connect, for a refusal is the one thing that is clear."""
        try:
            socket.create_connection(self.address.place, timeout=REACHED_S).close()
        except ConnectionRefusedError as error:
            raise EnvironmentFailed(f"the server at {self.address.url} is gone: nothing listens there now") from error
        except OSError:
            return  # it may be busy; what its users see tells more

    def wait_until_forgotten(self) -> None:
        """Do nothing: nobody knows."""

    def open_connections(self) -> int | None:
        """Return that nobody knows."""
        return None

    def read_residue(self) -> Reading:
        """Return that nobody told."""
        return Reading(processes=(), unknown=NO_PROBE)

    def end(self) -> None:
        """Do nothing."""

    def collect_ledger(self) -> CollectedLedger:
        """Return that nobody recorded."""
        return CollectedLedger(records=pl.DataFrame(schema=SCHEMA), unknown=NO_PROBE)

    def identity(self) -> Mapping[str, str]:
        """Return what it calls itself."""
        return {f"server {ELSEWHERE.name}": f"it calls itself {self.told}" if self.told else f"not known: {NO_PROBE}"}

    def forget(self) -> None:
        """Do nothing."""
