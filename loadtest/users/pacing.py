"""Pacing: each sender's due times come from a schedule, never from when the last call returned.

A slow answer therefore delays nothing that was planned after it, and latency counts from the planned time: a stalled
server cannot hide its stall by being asked less ("coordinated omission"). Each schedule begins at a random point of its
first interval: senders that began together would go on together.
"""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from random import Random
from time import monotonic_ns
from typing import Final, Literal, Protocol

NOW: Final = 0
"""The planned time of a message that is planned for the moment of its sending."""
_NS = 1_000_000_000
_NEVER_S = 3600.0
"""How long a user sleeps that may not send any more; the test ends long before."""
_SHORTEST_NS = 10_000
"""Nobody sends more than 100,000 messages a second; who asks for more gets that many, all of them late."""


def gaps_of(arrivals: Literal["constant", "poisson"], rate: float, chance: Random) -> Iterator[int]:
    """Return the times between `rate` messages a second in ns, without an end; the first is from the beginning on."""
    match arrivals:
        case "constant":
            interval_ns = max(round(_NS / rate), _SHORTEST_NS)
            return chain([round(chance.random() * interval_ns)], repeat(interval_ns))
        case "poisson":
            mean_ns = max(_NS / rate, _SHORTEST_NS)
            return (round(chance.expovariate(1.0) * mean_ns) for _ in repeat(None))


class Schedule:
    """Planned send times, CLOCK_MONOTONIC ns; without gaps each message is planned for when it is sent, NOW."""

    def __init__(self, gaps_ns: Iterator[int] | None = None, *, start_ns: int = 0) -> None:
        """Plan messages so far apart; the first is due a gap after `start_ns`."""
        self._gaps_ns = gaps_ns
        self._due_ns = start_ns + next(gaps_ns) if gaps_ns else 0

    @property
    def is_closed_loop(self) -> bool:
        """Tell whether each message is planned for the moment in which it is sent."""
        return self._gaps_ns is None

    def take(self) -> int:
        """Return the planned time of the message that is about to be sent and move on to the next."""
        if self._gaps_ns is None:
            return NOW
        due_ns = self._due_ns
        self._due_ns = due_ns + next(self._gaps_ns)
        return due_ns

    def skip_missed(self) -> None:
        """Skip the messages that were due until now: the sender was away. Those that follow stay where they were."""
        if self._gaps_ns is not None:
            now_ns = monotonic_ns()
            while self._due_ns <= now_ns:
                self._due_ns += next(self._gaps_ns)

    def wait_s(self) -> float:
        """Return the seconds until the next message is due; 0 when it is late."""
        if self._gaps_ns is None:
            return 0.0
        return max(0.0, (self._due_ns - monotonic_ns()) / _NS)

    def overdue_s(self) -> float:
        """Return the seconds since the next message was due; below 0 when it is not due yet."""
        return (monotonic_ns() - self._due_ns) / _NS


class _Sender(Protocol):
    schedule: Schedule
    may_send: bool


def paced() -> Callable[[_Sender], float]:
    """Return a Locust `wait_time`: until the user's next planned message (`--rate`, `--arrivals`)."""
    return until_planned


def until_planned(user: _Sender) -> float:
    """Return the seconds until a user's next planned message."""
    return user.schedule.wait_s() if user.may_send else _NEVER_S
