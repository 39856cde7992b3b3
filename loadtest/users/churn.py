"""Churn: members who are dropped on a schedule, stay away for a fixed time and come back.

A share of the members is dropped each second, all in one instant, as when a phone network fails; the time away is the
same for every member and every variant that is compared, so that no reconnect policy is measured instead of a server.
"""

import itertools
from time import monotonic_ns
from typing import Any

import gevent
from gevent.event import Event as Signal

from loadtest.users.session import Session
from loadtest.users.user import WebSocketUser

BURST_INTERVAL_S = 1.0
_FIRST_BURST_S = 0.5
"""Half an interval in, so that a window of n seconds has n bursts, none at its edge."""
_ROUNDING = 1e-9
"""Ten times 0.1 of a member is one member, although the sum of the floats is slightly less."""
_NS = 1_000_000_000


class ChurnUser(WebSocketUser):
    """A member that can be dropped and comes back."""

    abstract = True

    def __init__(self, environment: Any) -> None:
        """Join the running test."""
        super().__init__(environment)
        self._back = Signal()
        self._back.set()

    def drop(self, kind: str) -> None:
        """Drop the connection now and come back after the time offline; does not switch greenlets.

        A drop that acts while a connection is being opened gets an extra connection, and the member keeps its own.
        """
        self.ws.drop(kind)
        if not self.ws.is_open:
            self._back.clear()
            gevent.spawn_later(self.session.load.offline, self._come_back)

    def stay_open(self) -> None:
        """Return when the connection is open; messages planned for the time away are not sent."""
        while not self._back.is_set():  # it can be dropped again while it waits for its next message
            self._back.wait()
            self.schedule.skip_missed()
            gevent.sleep(self.schedule.wait_s())
        super().stay_open()

    def _come_back(self) -> None:
        super().stay_open()
        self._back.set()


class Dropping:
    """Drops members of a session in bursts, the kinds in turn, until it is stopped."""

    def __init__(self, session: Session) -> None:
        """Read how many to drop and how from the session's load; nothing is dropped yet."""
        self._session = session
        self._kinds = itertools.cycle(session.load.drop_kind)
        self._owed = 0.0
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Start dropping; the first burst comes after half an interval."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Stop dropping; may be called again, and before `start`."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        due_ns = monotonic_ns() + round(_FIRST_BURST_S * _NS)
        while True:
            gevent.sleep(max(0.0, (due_ns - monotonic_ns()) / _NS))
            if not self._session.may_send:
                return  # the session has ended
            self._burst()
            due_ns += round(BURST_INTERVAL_S * _NS)

    def _burst(self) -> None:
        members = [member for member in self._session.members if isinstance(member, ChurnUser)]
        there = [member for member in members if member.is_open]
        self._owed += len(members) * self._session.load.drop_share * BURST_INTERVAL_S
        count = int(self._owed + _ROUNDING)
        self._owed -= count  # fractions of a member add up over the bursts
        for member in self._session.random.sample(there, min(count, len(there))):
            member.drop(next(self._kinds))
