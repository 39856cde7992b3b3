"""Churn: members who are dropped at random moments, stay away for a random time and come back.

When that happens is planned before the server has a say in it: every variant that is compared meets the same drops, and
no reconnect policy is measured instead of a server.
"""

from collections.abc import Sequence
from time import monotonic_ns
from typing import Any, ClassVar

import gevent
from gevent.event import Event as Signal

from loadtest.users.drop_plan import DropPlan
from loadtest.users.session import Session
from loadtest.users.user import WebSocketUser
from loadtest.wire import sleep

_NS = 1_000_000_000


class ChurnUser(WebSocketUser):
    """A member that can be dropped and comes back."""

    abstract = True
    dropped_at_once: ClassVar[float] = 0.0
    """Share of the members that is dropped in one instant; always one member at least."""

    def __init__(self, environment: Any) -> None:
        """Join the running test."""
        super().__init__(environment)
        self._back = Signal()
        self._back.set()

    @property
    def is_away(self) -> bool:
        """Tell whether the connection was dropped and its time away has not passed."""
        return not self._back.is_set()

    def drop(self, kind: str, *, away_s: float) -> None:
        """Drop the connection now and come back after that time; does not switch greenlets.

        A drop that acts while a connection is being opened gets an extra connection, and the member keeps its own.
        """
        self.ws.drop(kind)
        if not self.ws.is_open:
            self._back.clear()
            gevent.spawn(self._come_back, away_s)

    def stay_open(self) -> None:
        """Return when the connection is open; messages planned for the time away are not sent."""
        while not self._back.is_set():  # it can be dropped again while it waits for its next message
            self._back.wait()
            self.schedule.skip_missed()
            sleep(self.schedule.wait_s())
        super().stay_open()

    def _come_back(self, away_s: float) -> None:
        sleep(away_s)  # gevent's own timers can fire early, by as long as the hub has been busy
        super().stay_open()
        self._back.set()


class Dropping:
    """Drops members of a session, as its load and their class say, until it is stopped."""

    def __init__(self, session: Session) -> None:
        """Plan from the session's seed; nothing is dropped yet."""
        load = session.load
        self._session = session
        self._plan = DropPlan(session.stream, kinds=load.drop_kind, offline=load.offline)
        self._by_hand = DropPlan(
            lambda name: session.stream(f"{name}, by hand"), kinds=load.drop_kind, offline=load.offline
        )
        self._members: list[ChurnUser] = []
        self._seen = 0
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Start dropping."""
        self._greenlet = gevent.spawn(self._run)

    def drop_now(self, kind: str, share: float) -> None:
        """Drop that share of the members at once, one at least, where there are any that can be dropped."""
        members = self._droppable()
        at_once = max(1, round(share * len(members)))
        there = [member for member in self._by_hand.in_random_order(members) if member.is_open]
        for member in there[:at_once]:
            member.drop(kind, away_s=self._by_hand.away_s())

    def stop(self) -> None:
        """Stop dropping; may be called again, and before `start`."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        due_ns = monotonic_ns()
        while members := self._droppable():
            at_once = max(1, round(members[0].dropped_at_once * len(members)))
            rate = self._session.load.drop_share * len(members) / at_once
            if not rate:
                return
            due_ns += round(self._plan.gap_s(rate) * _NS)
            sleep((due_ns - monotonic_ns()) / _NS)
            if not self._session.may_send:
                return  # the session has ended
            self._drop(members, at_once)

    def _droppable(self) -> list[ChurnUser]:
        """Return the members that can be dropped; they are of one class, and more of them may have joined."""
        joined = self._session.members[self._seen :]
        self._seen += len(joined)
        self._members += [member for member in joined if isinstance(member, ChurnUser)]
        return self._members

    def _drop(self, members: Sequence[ChurnUser], at_once: int) -> None:
        planned = [(self._plan.kind(), self._plan.away_s()) for _ in range(at_once)]
        there = (member for member in self._plan.in_random_order(members) if member.is_open)
        for (kind, away_s), member in zip(planned, there, strict=False):  # all the same where too few are there
            member.drop(kind, away_s=away_s)
