"""What a check is given: everything that one trial recorded, read only."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from loadtest.contract import ProcessResidue
from loadtest.ledger.record import Event, Phase

NS_A_S = 1_000_000_000
NS_A_MS = 1_000_000
NS_A_US = 1_000

Reaches = Literal["everyone", "others", "nobody"]

NO_SAMPLES: Final = pl.DataFrame(
    schema={"time_ns": pl.Int64, "role": pl.String, "cpu_s": pl.Float64, "rss_bytes": pl.Int64}
)
"""The samples of a trial whose processes nobody watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of a trial that counts, from STEADY until no more is dropped; CLOCK_MONOTONIC ns."""

    start_ns: int
    end_ns: int
    drain_ns: int
    """When the last message had been sent."""
    closing_ns: int
    """When the generator began to close what was still open."""
    fell_quiet: bool
    """Whether all that was under way had arrived before that."""

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return (self.end_ns - self.start_ns) / NS_A_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class TrialRecords:
    """One trial: both ledgers, what the server held before and after, and the processes' use of the machine.

    Equal to itself alone, so that what several checks need can be kept by trial, for as long as the trial is.
    """

    client: pl.DataFrame
    """See `loadtest.ledger.reader.read_ledger`."""
    server: pl.DataFrame
    samples: pl.DataFrame
    """time_ns, role ("server", "generator", "broker", "bench"), cpu_s (since the process began), rss_bytes, and where
    the system tells: wait_s (ready to run and on no CPU, summed over threads), involuntary (context switches),
    fds_left (files that may still be opened)."""
    unsampled: str = ""
    """Why no process was sampled; empty where they were."""
    server_unsampled: str = ""
    """Why those of the server were not, where others were."""
    unprobed: str = ""
    """Why nobody recorded what the server did; empty where its probe did."""
    clock_bound_ns: int = 0
    """By how much the server's times may be off, for they were taken by the clock of another machine."""
    before: tuple[ProcessResidue, ...]
    after: tuple[ProcessResidue, ...]
    """Empty when the residue could not be read; `after_unknown` then says why."""
    after_unknown: str = ""
    settled_ns: int | None = None
    """When settling ended (CLOCK_MONOTONIC): what the server did later, as it was being stopped, does not count."""
    drops: tuple[str, ...] = ()
    """The kinds of drops that were planned; empty where nothing was to be dropped."""
    has_outage: bool = False
    """The bench itself paused or ended processes of the server or of its broker."""
    users: int
    reaches: Reaches = "everyone"
    """Who of its room is to get a message: also its sender, all but its sender, or no user."""
    cpus: pl.DataFrame | None = None
    """time_ns, roles (those that share some CPUs, sorted, by comma), and of these CPUs since the machine started:
    busy_s (used by all processes), steal_s (given to other virtual machines). None: not known."""
    host: pl.DataFrame | None = None
    """time_ns, throttled_s (CPU withheld by quotas), wall_ns and boot_ns (how far CLOCK_REALTIME and CLOCK_BOOTTIME are
    ahead of CLOCK_MONOTONIC); null where the system does not tell. None: not known."""
    allow_contention: bool = False
    """What others did to the machine does not make the trial invalid."""

    @property
    def window(self) -> Window | None:
        """Return the window that counts; None when the trial did not get through its phases."""
        marks = {
            int(code): (time_ns, value)
            for time_ns, code, value in self.client_events(Event.PHASE).select("time_ns", "code", "value").iter_rows()
        }
        if not {Phase.STEADY, Phase.RECOVER, Phase.DRAIN, Phase.CLOSE} <= marks.keys():
            return None
        return Window(
            start_ns=marks[Phase.STEADY][0],
            end_ns=marks[Phase.RECOVER][0],
            drain_ns=marks[Phase.DRAIN][0],
            closing_ns=marks[Phase.CLOSE][0],
            fell_quiet=bool(marks[Phase.CLOSE][1]),
        )

    @property
    def sent(self) -> pl.DataFrame:
        """The messages that the generator sent, by time: time_ns, connection, value, argument (see Event.SENT).

        Without those that could not be sent: nothing of them went out.
        """
        failed = self.client_events(Event.SEND_FAILED)["value"]
        sent = _only(self.client.select("event", "time_ns", "connection", "value", "argument"), (Event.SENT,))
        return sent.drop("event").filter(~pl.col("value").is_in(failed.implode()))

    @property
    def received(self) -> pl.DataFrame:
        """The messages that arrived at the generator, by time: time_ns, connection, value, lag_us (until handled)."""
        columns = ("event", "time_ns", "connection", "value", pl.col("argument").alias("lag_us"))
        return _only(self.client.select(columns), (Event.RECEIVED,)).drop("event")

    def client_events(self, *events: Event) -> pl.DataFrame:
        """Return the generator's records of these kinds, by time."""
        return _only(self.client, events)

    def server_events(self, *events: Event) -> pl.DataFrame:
        """Return the server's records of these kinds until settling ended, by time."""
        records = _only(self.server, events)
        return records if self.settled_ns is None else records.filter(pl.col("time_ns") <= self.settled_ns)

    @property
    def is_truncated(self) -> bool:
        """Tell whether a ledger could not grow: what is not in it may have happened all the same."""
        return not (self.client_events(Event.TRUNCATED).is_empty() and self.server_events(Event.TRUNCATED).is_empty())


def _only(ledger: pl.DataFrame, events: tuple[Event, ...]) -> pl.DataFrame:
    return ledger.filter(pl.col("event").is_in([int(event) for event in events]))
