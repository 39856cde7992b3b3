"""Pacing: each sender's due times come from a schedule, never from when the last call returned.

A slow answer therefore delays nothing that was planned after it, and latency counts from the planned time: a stalled
server cannot hide its stall by being asked less ("coordinated omission").
"""

from collections.abc import Callable
from time import monotonic_ns
from typing import Protocol

_NS = 1_000_000_000
_NEVER_S = 3600.0
"""How long a user sleeps that may not send any more; the test ends long before."""


class Schedule:
    """Planned send times, in CLOCK_MONOTONIC ns; rate 0 plans each message for the moment it is asked for."""

    def __init__(self, *, rate: float, start_ns: int) -> None:
        """Plan `rate` messages a second; the first is due at `start_ns`."""
        self._interval_ns = round(_NS / rate) if rate else 0
        self._due_ns = start_ns

    @property
    def is_closed_loop(self) -> bool:
        """Tell whether each message is planned for the moment in which it is asked for."""
        return not self._interval_ns

    def take(self) -> int:
        """Return the planned time of the message that is about to be sent and move on to the next."""
        if not self._interval_ns:
            return monotonic_ns()
        due_ns = self._due_ns
        self._due_ns = due_ns + self._interval_ns
        return due_ns

    def skip_missed(self) -> None:
        """Skip the messages that were due until now: the sender was away."""
        if self._interval_ns:
            missed = (monotonic_ns() - self._due_ns) // self._interval_ns + 1
            self._due_ns += max(0, missed) * self._interval_ns

    def wait_s(self) -> float:
        """Return the seconds until the next message is due; 0 when it is late."""
        if not self._interval_ns:
            return 0.0
        return max(0.0, (self._due_ns - monotonic_ns()) / _NS)


class _Sender(Protocol):
    schedule: Schedule
    may_send: bool


def paced() -> Callable[[_Sender], float]:
    """Return a Locust `wait_time`: until the user's next planned message (`--rate`)."""
    return until_planned


def until_planned(user: _Sender) -> float:
    """Return the seconds until a user's next planned message."""
    return user.schedule.wait_s() if user.may_send else _NEVER_S
