"""What a target is: the thing that is measured, as a value, and what can be asked of it while it runs.

The bench knows these protocols only, and never which target it has. A target is prepared once a run and started once a
trial; whoever starts it ends it, by leaving `with`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from loadtest.brokers import RunningBroker
from loadtest.contract import ProcessResidue
from loadtest.layers import Layer
from loadtest.load.entry import Entry
from loadtest.load.talk import Talk
from loadtest.servers import Server
from loadtest.stack.process import Process
from loadtest.targets.offer import Offer
from loadtest.targets.speaking import Speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How a target is to run in one trial."""

    server: Server
    layer: Layer
    broker: RunningBroker | None = None
    """The one that the layer needs."""
    consumer: str = "async"
    """The one that is measured: its room is primed."""
    talk: Talk = field(default_factory=Talk)
    """What its users say."""
    own_users: Sequence[Speaker] = ()
    """Those that say it in the code of a user's own locustfile, one of each of its classes; empty: there are none."""
    folder: Path
    """Where logs go; must exist."""
    ledger: Path | None = None
    """The folder in which the probe records, which must exist; None: no probe."""
    port: int = 0
    """0 picks a free one."""
    workers: int = 1
    ping_interval_s: float | None = None
    """None: the server's default, as the next one."""
    ping_timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What each process of a target holds, and why some did not answer; "" when all did."""

    processes: tuple[ProcessResidue, ...]
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectedLedger:
    """The records of a target's processes (see `loadtest.ledger.reader.read_ledger`), and how its clock compares.

    A time of the target's is `clock_offset_ns` ahead of ours, give or take `clock_bound_ns`; both are 0 on one machine.
    """

    records: pl.DataFrame
    unknown: str = ""
    """Why nobody recorded what its processes did; empty where somebody did."""
    clock_offset_ns: int = 0
    clock_bound_ns: int = 0

    @property
    def in_our_time(self) -> pl.DataFrame:
        """The records with their times on our clock."""
        if not self.clock_offset_ns:
            return self.records
        return self.records.with_columns(pl.col("time_ns") - self.clock_offset_ns)


class RunningTarget(Protocol):
    """A target that is up and ready."""

    @property
    def url(self) -> str:
        """Its address: "ws://127.0.0.1:8001"."""

    @property
    def answers_alone(self) -> bool:
        """Whether its consumer is known to answer the sender alone: each user is then in a room of its own."""

    @property
    def processes(self) -> tuple[Process, ...]:
        """Its processes on this machine that were started for it, to be sampled and signalled; empty: it is elsewhere.

        Each stands for all that it started.
        """

    def entry(self, users: int) -> Entry:
        """Return with what so many users open their connections; signs them in where that is needed.

        Raises EnvironmentFailed when that fails.
        """

    def prime(self) -> None:
        """Send one message through the app and see it come back, and have it make what it makes only once.

        Raises EnvironmentFailed when the message does not come back.
        """

    def require_alive(self) -> None:
        """Raise EnvironmentFailed, with what it printed last, unless it runs."""

    def open_connections(self) -> int | None:
        """Return how many connections its processes hold; None when one of them does not answer."""

    @property
    def expires_s(self) -> float:
        """How long after its last connection has ended the last of what it lets expire has; 0: nothing expires."""

    def read_residue(self) -> Reading:
        """Return what each of its processes holds."""

    def stop(self) -> None:
        """End it and take away what it wrote, but for its logs and its ledger; may be called again."""

    def collect_ledger(self) -> CollectedLedger:
        """Return what its processes have recorded; best when it has been stopped.

        Raises LedgerError when that cannot be read.
        """

    def identity(self) -> Mapping[str, str]:
        """Return the versions of everything that runs in it, by what they are of."""


class PreparedTarget(Protocol):
    """A target that can be started, trial after trial."""

    def start(self, setting: Setting) -> AbstractContextManager[RunningTarget]:
        """Run it in that setting. Entering raises EnvironmentFailed when it does not come up."""


class Target(Protocol):
    """Something that can be measured."""

    @property
    def name(self) -> str:
        """What it is called in a manifest."""

    @property
    def offer(self) -> Offer:
        """What a plan can choose when it is measured."""

    def prepare(self, folder: Path, users: int = 0) -> PreparedTarget:
        """Make ready what all trials share, with files in `folder`; no trial has more than so many users.

        Raises EnvironmentFailed.
        """
