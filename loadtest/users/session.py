"""A session: what all users of one Locust test share, from test start to test stop."""

import math
import random
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from gevent.pool import Group

from loadtest.ledger import Event, Phase, Recorder
from loadtest.load import Job
from loadtest.load.entry import Entry, read_entry
from loadtest.users.codec import TutorialCodec
from loadtest.users.heard import Heard
from loadtest.users.messages import padding
from loadtest.users.statistics import statistics_of

CONNECTION_BITS = 24
"""Bits of a connection's id that count it within its generator; the 8 above are the generator's number."""


class Member(Protocol):
    """A user as the session sees it."""

    @property
    def is_open(self) -> bool:
        """Tell whether the user's connection is open."""

    @property
    def is_answered(self) -> bool:
        """Tell whether the user awaits no answer."""

    @property
    def overdue_s(self) -> float:
        """Return the seconds since its next message was due; below 0 where none is due."""

    def record_drop(self, name: str) -> None:
        """Record that the open connection ends now by the drop of that name; somebody else ends it."""

    def end(self) -> None:
        """Close the user's connection in order, waiting for the closing handshake."""


class Held(Protocol):
    """A connection that was dropped silently; its socket is kept until everything has been measured."""

    def reset(self) -> None:
        """Abort the connection and close its socket."""


class Session:
    """One test in one process: its job, members, ledger, statistics and randomness, all of it from the job's seed."""

    def __init__(self, *, environment: Any, load: Job) -> None:
        """Open the ledger, if one is to be kept; raises OSError when it, or the file of the entry, cannot be used."""
        self.environment = environment
        self.load = load
        self.entry = read_entry(Path(load.entry)) if load.entry else Entry()
        self.statistics = statistics_of(environment)
        self.heard = Heard()
        """The reasons that the server has given for what failed."""
        self.tutorial = TutorialCodec(padding(load.payload_size))
        """The codec of all members whose messages are those of the tutorial."""
        self.members: list[Member] = []
        self.is_complete = False
        """Whether all users of the test have been started."""
        self.may_send = True
        self.longest_work_s = 0.0
        """The longest that a handler of the reference app works on one message of a member."""
        self.held: set[Held] = set()
        """Connections that were dropped silently and are still kept."""
        self.extras = Group()
        """The greenlets that `spawn` has started and that still run."""
        self._at_end: list[Callable[[], None]] = []
        self._connections = load.generator << CONNECTION_BITS
        self._recorder = Recorder(Path(load.ledger), "client") if load.ledger else None
        self.record: Callable[..., None] = self._recorder.record if self._recorder else _record_nothing

    @property
    def counted(self) -> int:
        """How many messages, openings and drops have been counted."""
        return self.statistics.logged

    def join(self, member: Member) -> int:
        """Take in a member and return its number, from 0; members are numbered round-robin over the generators."""
        self.members.append(member)
        return (len(self.members) - 1) * self.load.generators + self.load.generator - 1

    def room(self, member: int) -> str:
        """Return the name of a member's room."""
        return f"room-{member // self.load.room_size}"

    def next_connection(self) -> int:
        """Return a new connection id, unique among all generators of a trial."""
        self._connections += 1
        return self._connections

    def text(self, text: str) -> int:
        """Return the number that stands for `text` in the ledger."""
        return self._recorder.text(text) if self._recorder else 0

    def fail(self, row: str, reason: str) -> int:
        """Count what failed under a row's name; return the number of the reason in the ledger."""
        shown = self.heard.reason(row, reason)
        self.statistics.fail(row, shown)
        return self.text(shown)

    def stream(self, name: str) -> random.Random:
        """Return the randomness of one kind of choice, by its name: one more draw from it changes no other choice."""
        return random.Random(f"{self.load.seed}/{self.load.generator}/{name}")

    def mark(self, phase: Phase, value: int = 0) -> None:
        """Record that a phase begins, where there are phases; of several generators the first speaks for all."""
        if self.load.steady and self.load.generator == 1:
            self.record(Event.PHASE, 0, code=phase, value=value)

    def record_unsent(self, others: Iterable[float] = ()) -> None:
        """Record how many messages were due in the steady window and are not sent, where there is a plan of them.

        Of `others` than members there are the seconds since the next one was due; below 0 where it is not yet. Exact
        for a constant rate; of random arrivals what is to be expected.
        """
        rate, steady_s = self.load.rate, self.load.steady
        if rate:
            since_due_s = chain((member.overdue_s for member in self.members), others)
            overdue_s = [min(seconds, steady_s) for seconds in since_due_s if seconds >= 0]
            unsent = sum(min(1 + int(seconds * rate), math.ceil(steady_s * rate)) for seconds in overdue_s)
            self.record(Event.UNSENT, 0, argument=round(max(overdue_s, default=0.0) * 1000), value=unsent)

    def forget_warm_up(self) -> None:
        """Reset Locust's statistics: what came before the steady window does not count in them."""
        self.statistics.flush()
        self.environment.stats.reset_all()

    def hold(self, connection: Held) -> None:
        """Keep a connection that was dropped silently, until `let_go` or the end of the test."""
        self.held.add(connection)

    def let_go(self, connection: Held) -> None:
        """Forget a kept connection: the server has ended it."""
        self.held.discard(connection)

    def spawn(self, action: Callable[..., None], *arguments: Any) -> None:
        """Run something in a greenlet of its own, which is killed at the end of the test."""
        self.extras.spawn(action, *arguments)

    def at_end(self, action: Callable[[], None]) -> None:
        """Call `action` when the test ends."""
        self._at_end.append(action)

    def close(self) -> None:
        """Stop every greenlet and timer of the test, and write out what is buffered."""
        self.may_send = False  # a member that was dropped just now does not come back
        for action in self._at_end:
            action()
        self.extras.kill()
        for connection in self.held:
            connection.reset()
        self.held.clear()
        self.statistics.close()
        if self._recorder:
            self._recorder.close()


def _record_nothing(*_fields: int, **_named: int) -> None:
    pass
