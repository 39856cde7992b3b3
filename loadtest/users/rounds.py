"""Rounds: members get their turns, each on a schedule of its own, whatever else they do."""

from collections.abc import Callable, Iterator
from heapq import heappush, heapreplace
from time import monotonic_ns
from typing import Any, Final

import gevent

from loadtest.users.pacing import Schedule
from loadtest.users.session import Session

LOOK_S: Final = 0.1
"""How often it is looked for members that have joined meanwhile."""
_NS = 1_000_000_000


class Rounds:
    """Calls `turn` with a member and the planned time of its turn (CLOCK_MONOTONIC ns); one greenlet for all members.

    `schedule_of` says when a member's turns are; None: it gets none. Nobody has a turn once the session has no more to
    say.
    """

    def __init__(
        self,
        session: Session,
        schedule_of: Callable[[Any], Schedule | None],
        turn: Callable[[Any, int], None],
    ) -> None:
        """Nobody has a turn before `start`."""
        self._session = session
        self._schedule_of = schedule_of
        self._turn = turn
        self._due: list[tuple[int, int, Any, Schedule]] = []
        self._seen = 0
        self._greenlet: gevent.Greenlet | None = None

    def start(self) -> None:
        """Begin."""
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """End; may be called again, and before `start`."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def overdue_s(self) -> Iterator[float]:
        """Give for each member that gets turns the seconds since its next one was due; below 0 where it is not yet."""
        now_ns = monotonic_ns()
        return ((now_ns - due_ns) / _NS for due_ns, *_ in self._due)

    def _run(self) -> None:
        while self._session.may_send:
            self._take_in()
            wait_s = (self._due[0][0] - monotonic_ns()) / _NS if self._due else LOOK_S
            if wait_s > 0:
                gevent.sleep(min(wait_s, LOOK_S))
                continue
            due_ns, number, member, schedule = self._due[0]
            heapreplace(self._due, (schedule.take(), number, member, schedule))
            self._turn(member, due_ns)

    def _take_in(self) -> None:
        joined = self._session.members[self._seen :]
        for member in joined:
            self._seen += 1
            if (schedule := self._schedule_of(member)) is not None:
                heappush(self._due, (schedule.take(), self._seen, member, schedule))
