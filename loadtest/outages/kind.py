"""What an outage is: something fails that is not one connection: a generator, the server, or the broker."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Failing = Literal["generator", "server", "broker"]
"""What fails. "generator": a second one, which shares the members with the first."""


class Subject(Protocol):
    """The powers over whatever fails; none waits, and none raises when it is gone already."""

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of it. If the outage `ends_process`, what ends with it is recorded first."""


def _nothing(_subject: Subject) -> None:
    return None


def _everywhere() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """One way in which something fails, and how it is healed.

    `heal` is called before the last readings of a trial in any case, also when the trial is broken off, and brings
    about that whatever failed can be ended in order. Called again, it does nothing more.
    """

    name: str
    of: Failing
    summary: str
    """What clients see of it, in one line."""
    begin: Callable[[Subject], None]
    heal: Callable[[Subject], None] = _nothing
    begins_s: Callable[[float], float]
    """From the length of the steady window to when it begins in it."""
    heals_s: Callable[[float], float] | None = None
    """From the length of the steady window to when it is healed in it; None: there is nothing to heal."""
    ends_process: bool = False
    """Whether it ends the process that fails, which only a generator's may: before that the generator records which
    connections end with it, and the trial goes on without it."""
    in_all: bool = False
    """Whether it belongs to the drops that `all` stands for."""
    unavailable: Callable[[], str | None] = _everywhere
    """Why it cannot be done on this machine, in plain words; None where it can."""


def one_third(steady_s: float) -> float:
    """Begin when a third of the steady window is over."""
    return steady_s / 3


def two_thirds(steady_s: float) -> float:
    """Heal when two thirds of the steady window are over."""
    return steady_s * 2 / 3


def pause(subject: Subject) -> None:
    """Stop every process of it where it is (signal(7), SIGSTOP); its sockets stay, and the kernel acknowledges."""
    subject.signal(signal.SIGSTOP)


def resume(subject: Subject) -> None:
    """Let all of it go on (signal(7), SIGCONT)."""
    subject.signal(signal.SIGCONT)
