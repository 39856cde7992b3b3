"""Links: what connects the users of this process with the conductor of their test, wherever that is."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from loadtest.load import Job
from loadtest.phases import Happened, Report, Timing
from loadtest.users.session import Session
from loadtest.users.stages import stage_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """This process's place among the generators of a test, and how many users all of them have (0: not known)."""

    generator: int = 1
    generators: int = 1
    users: int = 0


class Link(Protocol):
    """What connects the users of this process with a conductor."""

    def seat(self) -> Seat | None:
        """Return this process's place in the test that begins, or None where its job says that.

        Raises OptionsError when it has none.
        """

    def begin(self, session: Session) -> None:
        """Have the session's part played from now on, until the session is closed."""


def report(seat: Seat, happened: Happened, held: int = 0) -> Report:
    """Return the report of the process that has this seat."""
    return Report(generator=seat.generator, happened=happened, held=held)


def quitting(session: Session) -> Callable[[], None]:
    """Return what ends the session's test, and Locust with it."""
    return ending(session.environment)


def ending(environment: Any) -> Callable[[], None]:
    """Return what ends a test, and Locust with it; but where it has a stage, another test may follow."""

    def end() -> None:
        runner = environment.runner
        (runner.stop if stage_of(environment) else runner.quit)()

    return end


def timing_of(environment: Any, job: Job) -> Timing:
    """Return how long the phases of a test last: its stage has to have read what the server holds."""
    stage = stage_of(environment)
    return Timing.of(job) if stage is None else replace(Timing.of(job), hold_s=stage.hold_s)
